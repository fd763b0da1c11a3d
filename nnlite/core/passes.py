"""Passes: a forward and a backward pass, recorded on nodes.

The one record of what both passes call. The derivative graph reads it, and so does the compiler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from nnlite.core.backpropagation import toposort
from nnlite.core.node import Input, Node, Parameter
from nnlite.core.restoring import Place
from nnlite.core.unchanged import State


class NotRecordableError(TypeError):
    """What a pass computes would not be the same in every run of a record of it."""


@dataclass
class Passes:
    """Both passes of a function of inputs and parameters, over arrays of certain shapes.

    Attributes
    ----------
    inputs : list of Input
        The vertices that stand for the inputs.
    parameters : dict of Node to Parameter
        What stands for each parameter.
    buffers : dict of Node to (Module, str)
        What stands for each buffer, such as a running mean.
    value : Node
        The function's value, one number.
    gradients : list of (Node, Node)
        Vertices of the function's graph whose gradients are wanted, and these gradients.
    without : list of Node
        Those that have no influence on the value.
    updates : list of (Module, str, Node)
        What becomes of buffers.
    held : dict of Node to (Node, bool)
        For what a vertex of the graph holds at the end, that vertex, and whether it is its ū.
    origins : dict of Node to (str, str)
        The vertex of the graph that each was made for, and the pass: "forward" or "backward".
    side_effects : list of (Module, str)
        Attributes besides buffers that ``forward`` changed.
    states : list of State
        What the record rests on.
    """

    inputs: list[Input]
    parameters: dict[Node, Parameter]
    buffers: dict[Node, Place]
    value: Node
    gradients: list[tuple[Node, Node]]
    without: list[Node]
    updates: list[tuple[Any, str, Node]]
    held: dict[Node, tuple[Node, bool]]
    origins: dict[Node, tuple[str, str]]
    side_effects: list[Place]
    states: list[State]

    def order(self) -> list[Node]:
        """Every vertex that a result needs, parents before children."""
        gradients = [gradient for _, gradient in self.gradients]
        return toposort(self.value, *gradients, *[node for _, _, node in self.updates])


class Recordable(Protocol):
    """What a compiler asks of what it compiles: a graph, for instance."""

    _ran_with: Any  # what an interpreted pass ran with, if it is the last

    def modules(self) -> list[Any]: ...
    def parameters(self) -> list[Parameter]: ...

    def _checked(self, values: tuple[Any, ...]) -> list[Any]:
        """The inputs as arrays or numbers; anything else is refused."""

    def _forget(self) -> None:
        """Drop what an interpreted pass left, which would not be of the compiled one."""

    def _states(self) -> list[State]:
        """What the passes depend on besides inputs, parameters and buffers, as it is now."""

    def _recorded(self, values: Sequence[Any]) -> Passes: ...
