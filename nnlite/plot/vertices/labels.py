"""What stands in the box of a vertex, and how the box looks."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from nnlite.core.text import entries, number

NAME_SIZE, LINE_SIZE = 9.0, 8.0  # of fonts, in points like every length of a drawing
NAME_LENGTH, EQUATION_LENGTH = 18, 24  # characters in a line
FEW = 3  # elements that are written out
INK, SOFT, VALUE_INK, GRAD_INK = "#222222", "#5f5f5f", "#1f4e79", "#9c3a1f"


class Vertex(Protocol):
    """What a picture asks of a vertex; `nnlite.core.node.Node` answers it."""

    @property
    def name(self) -> str | None: ...
    @property
    def module(self) -> object | None: ...
    @property
    def parents(self) -> Sequence[Vertex]: ...
    @property
    def parameters(self) -> Sequence[Vertex]: ...
    @property
    def value(self) -> Any: ...
    @property
    def grad(self) -> Any: ...


class Style(NamedTuple):
    """How boxes of a kind look; shapes and outlines differ, so that colours need not be seen."""

    rounding: float  # from 0, a rectangle, to 1, round ends
    fill: str
    is_dotted: bool = False


STYLES = {
    "Input": Style(1.0, "#e1ecf6"),
    "Parameter": Style(0.0, "#ecd5a3"),
    "Constant": Style(1.0, "#ffffff", is_dotted=True),
    "Operation": Style(0.3, "#ffffff"),
}
BACKWARD_FILL = "#f3d9d0"


class Line(NamedTuple):
    """A line of text in a box."""

    text: str
    size: float
    colour: str
    is_number: bool = False


def kind_of(vertex: Vertex) -> str:
    names = [cls.__name__ for cls in type(vertex).__mro__]
    return next((name for name in names if name in STYLES), "Operation")


class Picture:
    """What is to be drawn.

    Parameters
    ----------
    nodes : sequence of vertices
        In topological order, parents first, with the parameters that the modules own.
    values, gradients : bool
        Whether to write u and ū at each vertex that has one.
    names : mapping of vertex to str, optional
        What to call the vertices, where it is not their own name.
    backward : collection of vertices
        Those that are drawn as a backward pass.
    """

    def __init__(
        self,
        nodes: Sequence[Vertex],
        values: bool = False,
        gradients: bool = False,
        names: Mapping[Any, str | None] | None = None,
        backward: Collection[Any] = (),
    ) -> None:
        self.nodes, self.values, self.gradients = nodes, values, gradients
        self.names = {node: node.name for node in nodes} if names is None else names
        self._backward = {id(node) for node in backward}

    def is_backward(self, vertex: Vertex) -> bool:
        return id(vertex) in self._backward

    def style(self, vertex: Vertex) -> Style:
        style = STYLES[kind_of(vertex)]
        return style._replace(fill=BACKWARD_FILL) if self.is_backward(vertex) else style

    def label(self, vertex: Vertex) -> list[Line]:
        """Name, operation, and, if wanted, u and ū: the numbers where few, else the norms."""
        kind = kind_of(vertex)
        name = self.names[vertex] or kind.lower()
        if kind == "Constant" and np.size(vertex.value) == 1:
            written = number(vertex.value)
            is_named = name.isidentifier() and not name.startswith("constant")
            return [Line(f"{name} = {written}" if is_named else written, NAME_SIZE, INK)]
        lines = [Line(line, NAME_SIZE, INK) for line in _wrapped(name)]
        operation = operation_of(vertex.module)
        if operation and not _says(name, operation):
            lines.append(Line(operation, LINE_SIZE, SOFT))
        shown = [("u", vertex.value, VALUE_INK)] * self.values
        shown += [("ū", vertex.grad, GRAD_INK)] * self.gradients
        numbers = [
            Line(_equation(symbol, array), LINE_SIZE, ink, is_number=True)
            for symbol, array, ink in shown
            if array is not None
        ]
        if any("‖" in line.text for line in numbers):
            shape = np.shape(vertex.grad if vertex.value is None else vertex.value)
            lines.append(Line(str(shape), LINE_SIZE, SOFT))
        return lines + numbers


def operation_of(module: object) -> str:
    """The module's class; of NumPy's functions, which share theirs, the name."""
    if module is None:
        return ""
    cls = type(module).__name__
    label = getattr(module, "label", cls)
    return cls if _squeezed(label) == _squeezed(cls) else label


def _says(name: str, operation: str) -> bool:
    return "∂" not in name and _squeezed(operation) in _squeezed(name)


def _squeezed(name: str) -> str:
    return name.lower().replace("_", "")


def _wrapped(name: str) -> list[str]:
    """Break a long name after dots, underscores and strokes."""
    lines = [""]
    for part in re.split(r"(?<=[._/])", name):
        if lines[-1] and len(lines[-1] + part) > NAME_LENGTH:
            lines.append("")
        lines[-1] += part
    return lines


def _equation(symbol: str, value: Any) -> str:
    """The numbers themselves where they are few and short, else their norm."""
    array = np.asarray(value)
    written = entries(array, FEW)
    if array.size > 1 and (array.size > FEW or len(written) > EQUATION_LENGTH + 2):
        return f"‖{symbol}‖ = {number(np.linalg.norm(array))}"
    return f"{symbol} = {written}"
