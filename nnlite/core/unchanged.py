"""What a pass ran with, and whether it still is what it was.

For the way back through one forward pass these are the values of its leaves. Whoever runs a record
of the pass again asks for the `State` of its modules instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from nnlite.core.guard import INTERNAL, PLAIN, Kept, attributes, changed, of_class, sample
from nnlite.core.node import Constant, Node, Parameter
from nnlite.core.restoring import Place

Mark = tuple[Node, Any, bytes, int]


def marked(leaf: Node, value: Any) -> Mark:
    """What `check_unchanged` needs to know of a leaf that had this value."""
    vector = leaf._vector if isinstance(leaf, Parameter) else None
    return leaf, *sample(value), vector.version if vector is not None else 0


def check_unchanged(ran_with: Iterable[Mark]) -> None:
    """Refuse back propagation through a forward pass that was made with other values.

    Raises
    ------
    RuntimeError
        If a leaf has been given another value, or its array was changed in place.
    """
    for mark in ran_with:
        leaf, value = mark[:2]
        if leaf.value is not value or marked(leaf, value) != mark:
            raise RuntimeError(
                f"{leaf!r} was given a new value after the forward pass, or its array was changed, "
                "so a backward pass would mix the two; run forward again"
            )


class State:
    """What a recorded pass depends on besides its inputs, parameters and buffers.

    That is attributes of modules, the mode of those that read it, and constants.

    A copy is of the copied modules as they are; a copy of a stale state is stale.

    Attributes
    ----------
    kept : list of (Module or Constant, Kept)
    ignored : list of (Module, str)
        Attributes that do not matter.
    key : tuple
        Hashable, and equal for states that are the same, as long as either lives.
    """

    def __init__(self, modules: Iterable[Any], constants: Iterable[Constant]) -> None:
        self.ignored: list[Place] = []
        self._stale: Place | None = None
        self._mark([*[module for module in modules if module._is_watched], *constants])

    def _mark(self, owners: list[Any]) -> None:
        modules = [owner for owner in owners if not isinstance(owner, Constant)]
        self._known = {id(x) for module in modules for x in (module, *module.parameters())}
        self.kept = [(owner, self.of(owner)) for owner in owners]

    def __getstate__(self) -> tuple[Any, ...]:
        return [owner for owner, _ in self.kept], self.ignored, next(self.changes(), None)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        owners, self.ignored, self._stale = state
        self._mark(owners)

    def of(self, owner: Any) -> Kept:
        """What there is to know of a module or a constant now."""
        if isinstance(owner, Constant):
            return {"value": [*sample(owner.value)]}
        found = attributes(owner, skip=INTERNAL, known=self._known)
        found |= {name: [item] for name, item in of_class(owner) if isinstance(item, PLAIN)}
        return found | ({"training": [owner.training]} if owner._is_modal else {})

    @property
    def key(self) -> tuple[Any, ...]:
        return tuple(
            (id(owner), name, *[_hashable(atom) for atom in atoms])
            for owner, kept in self.kept
            for name, atoms in kept.items()
        )

    def changes(self) -> Iterator[Place]:
        """The owners and names of what is not what it was."""
        if self._stale is not None:
            yield self._stale
        for owner, kept in self.kept:
            for name in changed(kept, self.of(owner)):
                if not any(owner is part and name == ignored for part, ignored in self.ignored):
                    yield owner, name

    def check(self) -> None:
        """Raise a ValueError if a derivative graph that was recorded in this state is stale."""
        for owner, name in self.changes():
            raise ValueError(
                f"this derivative graph was built before {name!r} of {owner!r} was changed, and "
                "its formulas are those of before; build another with graph.gradient(...), or put "
                "back what was there"
            )


def _hashable(atom: Any) -> Any:
    return (type(atom), atom) if isinstance(atom, PLAIN) else id(atom)
