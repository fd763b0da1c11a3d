"""Whether a program still fits: the inputs, where the parameters are, and what else it rests on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from nnlite.compiler.program import executable, function_text
from nnlite.compiler.trace import Operation
from nnlite.core.guard import INTERNAL, PLAIN, changed, sample
from nnlite.core.node import Constant, Node, Parameter
from nnlite.core.passes import Recordable
from nnlite.core.unchanged import State
from nnlite.core.vector import Vector


class _Conditions:
    """Python expressions that are all true where a program fits, and the names in them."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"ndarray": np.ndarray, "overlap": np.may_share_memory}
        self.lines: list[str] = []

    def add(self, text: str, *items: Any) -> None:
        """`text`, with the places {0}, {1}, … for the items."""
        self.lines.append(text.format(*map(self._name, items)))

    def _name(self, item: Any) -> str:
        hint = getattr(item, "name", None) or getattr(item, "label", None)
        base = re.sub(r"\W", "_", str(hint or getattr(item, "__name__", type(item).__name__)))
        name = f"{base}_{len(self.names)}" if base else f"item_{len(self.names)}"
        name = name if name.isidentifier() else f"_{name}"
        self.names[name] = item
        return name


def written(
    source: Recordable, inputs: Sequence[Operation], vector: Vector, states: Sequence[State]
) -> Callable[..., bool]:
    """A function from inputs to whether a program, which was just written, is right for them.

    Parameters
    ----------
    source : Recordable
        What the program is of.
    inputs : sequence of Operation
        Those that the program was written for.
    vector : Vector
        Where its parameters are.
    states : sequence of State
        What else it rests on, as it is now.
    """
    found = _Conditions()
    arguments = [f"input_{i}" for i in range(len(inputs))]
    for name, operation in zip(arguments, inputs):
        _add_input(found, name, operation.value, vector)
    found.add("{0}._ran_with is None", source)
    _add_parameters(found, source, vector)
    for state in states:
        for owner, kept in state.kept:
            _add_state(found, state, owner, kept)
    joined = " and ".join(found.lines)
    arguments = [f"{name}=None" for name in arguments]
    return executable("fits", function_text("fits", arguments, [f"return {joined}"]), found.names)


def _add_input(found: _Conditions, name: str, value: Any, vector: Vector) -> None:
    if not isinstance(value, np.ndarray):
        found.add(f"type({name}) is {{0}}", type(value))
        return
    found.add(f"type({name}) is ndarray and {name}.shape == {value.shape}")
    found.add(f"{name}.dtype is {{0}}", value.dtype)
    # A gradient of the step before would be overwritten.
    found.add(f"({name}.base is None or not overlap({name}, {{0}}))", vector.grad)


def _add_parameters(found: _Conditions, source: Recordable, vector: Vector) -> None:
    """Parameters are looked at where modules have them, as one may have been given another."""
    values = dict(zip(vector.parameters, vector.values))
    owned = set()
    for module in source.modules():
        for name, item in vars(module).items():
            if isinstance(item, Parameter) and item in values:
                found.add(f"{{0}}.{name}.value is {{1}}", module, values[item])
                owned.add(item)
    for parameter in values.keys() - owned:
        found.add("{0}.value is {1}", parameter, values[parameter])


def _add_state(found: _Conditions, state: State, owner: Any, kept: Any) -> None:
    if isinstance(owner, Constant):
        _add_identity(found, owner, "value", owner.value)
        return
    if not owner._is_ours:
        found.add("not {0}({1}, {2}())", changed, kept, partial(state.of, owner))
        return
    for name in kept:
        item = getattr(owner, name)
        if isinstance(item, bool) or item is None:
            found.add(f"{{0}}.{name} is {item}", owner)
        elif isinstance(item, PLAIN):
            found.add(f"{{0}}.{name} == {{1}}", owner, item)
        elif not isinstance(item, Node) and name not in INTERNAL:
            _add_identity(found, owner, name, item)


def _add_identity(found: _Conditions, owner: Any, name: str, item: Any) -> None:
    found.add(f"{{0}}.{name} is {{1}}", owner, item)
    if isinstance(item, np.ndarray):
        found.add("{0}({1})[1] == {2}", sample, item, sample(item)[1])
