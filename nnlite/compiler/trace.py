"""What recorded passes call, as a list of operations."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np

from nnlite.core.backpropagation import toposort
from nnlite.core.node import Node, Parameter
from nnlite.core.passes import Passes
from nnlite.core.restoring import Place


@dataclass(eq=False)
class Operation:
    """One call of a NumPy function; or, where `module` is None, a value that is given.

    Attributes
    ----------
    module : Primitive or None
    args : list of Operation
    value
        What it gave when it was recorded, for its shape and dtype.
    origin : tuple of str
        The vertex of the graph that it belongs to, and the pass: "forward" or "backward".
    name : str or None
        What a reader calls its result, where it has a name.
    """

    module: Any
    args: list[Operation]
    value: Any
    origin: tuple[str, str] = ("", "")
    name: str | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)

    @property
    def dtype(self) -> Any:
        return np.result_type(self.value)

    @property
    def is_array(self) -> bool:
        return isinstance(self.value, np.ndarray)


@dataclass
class Trace:
    """Both passes over inputs of certain shapes.

    Attributes
    ----------
    inputs : list of Operation
    parameters : dict of Operation to Parameter
    loss : Operation
    gradients : list of (Parameter or Input, Operation)
    without : list of (Parameter or Input)
        Those that have no influence on the loss.
    buffers : dict of Operation to (Module, str)
        Those that the modules have when the program runs, such as running means.
    updates : list of (Module, str, Operation)
        Their new values.
    """

    inputs: list[Operation]
    parameters: dict[Operation, Parameter]
    loss: Operation
    gradients: list[tuple[Node, Operation]]
    without: list[Node]
    buffers: dict[Operation, Place]
    updates: list[tuple[Any, str, Operation]]

    def results(self) -> list[Operation]:
        """The loss, the gradients and the new values of buffers."""
        return [self.loss, *[op for _, op in self.gradients], *[op for _, _, op in self.updates]]

    def order(self) -> list[Operation]:
        """Every operation that is needed, arguments first."""
        return toposort(*self.results(), parents=attrgetter("args"))


def traced(passes: Passes) -> Trace:
    """The operations of a record; their names are those of the vertices that hold their results."""
    made: dict[Node, Operation] = {}
    for leaf in (*passes.inputs, *passes.parameters, *passes.buffers):
        made[leaf] = Operation(None, [], leaf.value, name=leaf.name)
    for leaf, parameter in passes.parameters.items():
        made[leaf].name = parameter.name
    for node in passes.order():
        if node not in made:
            args = [made[parent] for parent in node.parents]
            origin = passes.origins.get(node, ("", ""))
            made[node] = Operation(node.module, args, node.value, origin, _name(node, passes))
    return Trace(
        [made[leaf] for leaf in passes.inputs],
        {made[leaf]: parameter for leaf, parameter in passes.parameters.items()},
        made[passes.value],
        [(own, made[gradient]) for own, gradient in passes.gradients],
        passes.without,
        {made[leaf]: place for leaf, place in passes.buffers.items()},
        [(module, name, made[node]) for module, name, node in passes.updates],
    )


def _name(node: Node, passes: Passes) -> str | None:
    vertex, is_gradient = passes.held.get(node, (None, False))
    if vertex is None:
        return None
    return f"grad_{vertex.name}" if is_gradient else str(vertex.name)
