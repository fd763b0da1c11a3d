"""What a module is made of: parameters, buffers, and modules within modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nnlite.core.guard import INTERNAL
from nnlite.core.node import Parameter
from nnlite.core.restoring import put_back
from nnlite.core.text import shape_and_dtype


class Tree:
    """The part of a `Module` that knows what it is made of."""

    training = True
    buffers: tuple[str, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        """What is copied and pickled: all but the last pass."""
        return {name: item for name, item in vars(self).items() if name != "_vertex"}

    def children(self) -> Iterator[tuple[str, Any]]:
        """The module's attributes and their names: where its parameters and submodules are."""
        return ((name, item) for name, item in vars(self).items() if name not in INTERNAL)

    def named_parameters(self) -> list[tuple[str, Parameter]]:
        """Every parameter of this module and the modules in it, in order of definition.

        Lists, tuples and dicts of modules or parameters count as well. A parameter that stands
        in several places is listed once, under its first name.
        """
        found: dict[Parameter, str] = {}
        for name, item in _below(self):
            if isinstance(item, Parameter):
                found.setdefault(item, name)
        return [(name, parameter) for parameter, name in found.items()]

    def parameters(self) -> list[Parameter]:
        """The parameters of `named_parameters`, without their names."""
        return [parameter for _, parameter in self.named_parameters()]

    def modules(self) -> list[Any]:
        """This module and every module in it, each once."""
        return list(dict.fromkeys([self, *[module for _, module in self.named_modules()]]))

    def named_modules(self) -> list[tuple[str, Any]]:
        """The modules in this one, with dotted names: each once, by the first way to it."""
        return [(path, item) for path, item in _below(self) if isinstance(item, Tree)]

    def zero_grad(self) -> None:
        """Forget the gradients that the parameters have accumulated."""
        for parameter in self.parameters():
            parameter.grad = None

    def train(self, mode: bool = True) -> Any:
        """Set `training` of this module and all in it; returns the module itself."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Any:
        """``train(False)``."""
        return self.train(False)

    def state_dict(self) -> dict[str, np.ndarray]:
        """A copy of every parameter's value and of every buffer, by name."""
        return {name: np.array(getattr(*place)) for name, place in self._places().items()}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None:
        """Set every parameter and buffer to a copy of the array of that name.

        Parameters
        ----------
        state : mapping of str to array
            As from `state_dict`.
        strict : bool
            Whether every name must be there, and no other.

        Raises
        ------
        ValueError
            If a shape or dtype differs or, if `strict`, a name is missing or unexpected; the
            message lists them all, and nothing is changed.
        """
        if not isinstance(state, Mapping):
            raise TypeError(
                f"load_state_dict takes arrays by name, got {type(state).__name__}: pass "
                "np.load(file) or other.state_dict()"
            )
        places = self._places()
        problems = []
        if strict:
            problems += [f"missing: {name}" for name in places if name not in state]
            problems += [f"unexpected: {name}" for name in state if name not in places]
        arrays = {name: np.array(state[name]) for name in places if name in state}
        for name, array in arrays.items():
            old = np.asarray(getattr(*places[name]))
            if (array.shape, array.dtype) != (old.shape, old.dtype):
                problems.append(
                    f"{name}: expected {shape_and_dtype(old)}, got {shape_and_dtype(array)}"
                )
        if problems:
            raise ValueError(
                f"the state does not fit {type(self).__name__}; " + "; ".join(problems)
            )
        put_back((*places[name], array) for name, array in arrays.items())

    def _places(self) -> dict[str, tuple[Any, str]]:
        """Where each array of the state is kept: an object and the name of its attribute."""
        found: dict[str, tuple[Any, str]] = {
            name: (parameter, "value") for name, parameter in self.named_parameters()
        }
        for path, module in (("", self), *self.named_modules()):
            for name in module.buffers:
                found[f"{path}.{name}".lstrip(".")] = (module, name)
        return found


def _below(item: Any, prefix: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, Any]]:
    """The parameters and modules below `item`, depth first, with dotted names."""
    seen = {id(item)} if seen is None else seen
    if isinstance(item, Tree):
        children: Any = item.children()
    elif isinstance(item, dict):
        children = item.items()
    else:
        children = enumerate(item)
    for name, child in children:
        path = f"{prefix}.{name}" if prefix else str(name)
        if isinstance(child, Parameter):
            yield path, child
        elif isinstance(child, Tree | dict | list | tuple) and id(child) not in seen:
            seen.add(id(child))
            if isinstance(child, Tree):
                yield path, child
            yield from _below(child, path, seen)
