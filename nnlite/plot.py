"""Pictures of graphs and of training.

Every function draws on `ax`, or on a figure of its own where that is None, and returns the axes;
showing them is left to the caller. Nothing relies on colour alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.patches import BoxStyle, FancyBboxPatch, PathPatch, Polygon
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.ticker import MaxNLocator

from nnlite.layout import Array, Layout, layered

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.transforms import Bbox

NAME_SIZE, LINE_SIZE = 9.0, 8.0  # of fonts, in points like every length of a drawing
LEADING = 1.35
PADDING = np.array([7.0, 4.5])
MIN_WIDTH = 26.0
MARGIN = 6.0
ARROW_LENGTH, ARROW_WIDTH = 6.0, 4.6
NOTEBOOK_WIDTH = 720.0
NAME_LENGTH, EQUATION_LENGTH = 18, 24  # characters in a line
FEW = 3  # elements that are written out
INK, SOFT, VALUE_INK, GRAD_INK = "#222222", "#6a6a6a", "#1f4e79", "#9c3a1f"
CURVES = (("#1f4e79", "-"), ("#c2571a", "--"), ("#5a5a5a", "-."), ("#2e7d57", ":"))


class Vertex(Protocol):
    """What a picture asks of a vertex; `nnlite.node.Node` answers it."""

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


class _Style(NamedTuple):
    rounding: float  # from 0, a rectangle, to 1, round ends
    fill: str
    outline: str = "-"


STYLES = {
    "Input": _Style(1.0, "#e1ecf6"),
    "Parameter": _Style(0.0, "#ecd5a3"),
    "Constant": _Style(1.0, "#ffffff", ":"),
    "Operation": _Style(0.3, "#ffffff"),
}


class _Line(NamedTuple):
    text: str
    size: float
    colour: str
    is_number: bool = False

    @property
    def width(self) -> float:
        font = FontProperties(size=self.size)
        return float(text_to_path.get_text_width_height_descent(self.text, font, ismath=False)[0])


def graph(
    nodes: Sequence[Vertex], ax: Axes | None = None, values: bool = False, gradients: bool = False
) -> Axes:
    """Draw a computational graph, as the seminar's slides do.

    The drawing runs from the inputs at the left to the output at the right, or from top to bottom
    where the text would else be too small. Inputs have round ends, parameters are darker
    rectangles, constants have a dotted outline and an output has a thick one.

    Parameters
    ----------
    nodes : sequence of vertices
        In topological order, parents first, with the parameters that the modules own.
    ax : Axes, optional
        Where to draw; a drawing that is too large for it shrinks, text and all.
    values, gradients : bool
        Whether to write u and ū at each vertex that has one: the numbers where they are few, else
        the shape and the norms.

    Raises
    ------
    ValueError
        If there are no vertices, or a vertex comes before one of its parents.
    """
    edges = _edges(nodes)
    labels = [_label(node, values, gradients) for node in nodes]
    sizes = np.array([_box_size(label) for label in labels])
    drawing = _layout(sizes, edges, ax)
    ax = _canvas(drawing.size, ax)
    for (u, v), route in zip(edges, drawing.routes, strict=True):
        _draw_edge(ax, route, f"edge:{nodes[u].name}:{nodes[v].name}")
    used = {u for u, _ in edges}
    for v, (node, centre, size) in enumerate(zip(nodes, drawing.centres, sizes, strict=True)):
        width = 0.8 if v in used or node.module is None else 1.6
        _draw_box(ax, centre, size, STYLES[_kind(node)], width, f"vertex:{node.name}")
        _draw_label(ax, centre, labels[v], f"label:{node.name}")
    return ax


def _edges(nodes: Sequence[Vertex]) -> list[tuple[int, int]]:
    if not nodes:
        raise ValueError("there is nothing to draw: nodes is empty")
    place: dict[int, int] = {}
    edges = []
    for v, node in enumerate(nodes):
        for parent in () if node.module is None else (*node.parents, *node.parameters):
            if id(parent) not in place:
                raise ValueError(
                    f"{parent.name!r}, which feeds {node.name!r}, does not come before it in "
                    "nodes; pass every vertex, in topological order"
                )
            edges.append((place[id(parent)], v))
        place[id(node)] = v
    return edges


def _kind(node: Vertex) -> str:
    names = [cls.__name__ for cls in type(node).__mro__]
    return next((name for name in names if name in STYLES), "Operation")


def _label(node: Vertex, values: bool, gradients: bool) -> list[_Line]:
    kind = _kind(node)
    name = node.name or kind.lower()
    if kind == "Constant" and np.size(node.value) == 1:
        number = _number(node.value)
        is_named = name.isidentifier() and not name.startswith("constant")
        return [_Line(f"{name} = {number}" if is_named else number, NAME_SIZE, INK)]
    lines = [_Line(line, NAME_SIZE, INK) for line in _wrapped(name)]
    operation = _operation(node.module)
    if _squeezed(operation) not in _squeezed(name):
        lines.append(_Line(operation, LINE_SIZE, SOFT))
    shown = [("u", node.value, VALUE_INK)] * values + [("ū", node.grad, GRAD_INK)] * gradients
    numbers = [
        _Line(_equation(symbol, array), LINE_SIZE, ink, is_number=True)
        for symbol, array, ink in shown
        if array is not None
    ]
    if any("‖" in line.text for line in numbers):
        shape = np.shape(node.grad if node.value is None else node.value)
        lines.append(_Line(str(shape), LINE_SIZE, SOFT))
    return lines + numbers


def _operation(module: object) -> str:
    """The module's class; of NumPy's functions, which share theirs, the name."""
    if module is None:
        return ""
    cls = type(module).__name__
    label = getattr(module, "label", cls)
    return cls if _squeezed(label) == _squeezed(cls) else label


def _squeezed(name: str) -> str:
    return name.lower().replace("_", "")


def _wrapped(name: str) -> list[str]:
    """Break a long name after dots and underscores."""
    lines = [""]
    for part in re.split(r"(?<=[._])", name):
        if lines[-1] and len(lines[-1] + part) > NAME_LENGTH:
            lines.append("")
        lines[-1] += part
    return lines


def _equation(symbol: str, value: Any) -> str:
    """The numbers themselves where they are few and short, else their norm."""
    array = np.asarray(value)
    numbers = ", ".join(_number(number) for number in array.flat[: FEW + 1])
    if array.size == 1:
        return f"{symbol} = {numbers}"
    if array.size > FEW or len(numbers) > EQUATION_LENGTH:
        return f"‖{symbol}‖ = {_number(np.linalg.norm(array))}"
    is_column = array.ndim == 2 and array.shape[1] == 1
    return f"{symbol} = [{numbers}]" + "ᵀ" * is_column


def _number(value: Any) -> str:
    """Three digits, with a real minus and a real power of ten."""
    number = np.asarray(value).item()
    text = f"{number:.0f}" if 1e3 <= abs(number) < 1e5 else f"{number:.3g}"
    mantissa, _, exponent = text.partition("e")
    raised = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    power = "·10" + str(int(exponent)).translate(raised) if exponent else ""
    return mantissa.replace("-", "−") + power


def _height(label: Sequence[_Line]) -> float:
    return LEADING * sum(line.size for line in label)


def _box_size(label: list[_Line]) -> Array:
    size: Array = (max(line.width for line in label), _height(label)) + 2 * PADDING
    return np.maximum(size, (MIN_WIDTH, 0))


def _layout(sizes: Array, edges: list[tuple[int, int]], ax: Axes | None) -> Layout:
    """From left to right, unless the letters would be larger from top to bottom."""
    room = (np.array([NOTEBOOK_WIDTH, np.inf]) if ax is None else _room(ax)) - 2 * MARGIN

    def scale(drawing: Layout) -> float:
        return float(min(1.0, *(room / drawing.size)))

    across = layered(sizes, edges, breadth=room[1])
    if scale(across) > 0.8:
        return across
    return max(across, layered(sizes, edges, down=True, breadth=room[0]), key=scale)


def _room(ax: Axes) -> Array:
    extent = ax.get_window_extent()
    return np.array([extent.width, extent.height]) * 72 / ax.figure.dpi


def _canvas(size: Array, ax: Axes | None) -> Axes:
    """Axes in points, y downwards, with the drawing in the middle."""
    if ax is None:
        import matplotlib.pyplot as plt

        width, height = (size + 2 * MARGIN) / 72
        ax = plt.figure(figsize=(width, height)).add_axes((0.0, 0.0, 1.0, 1.0))
    border = np.maximum(MARGIN, (_room(ax) - size) / 2)
    (left, top), (right, bottom) = -border, size + border
    ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    ax.set_axis_off()
    return ax


def _draw_edge(ax: Axes, route: Array, gid: str) -> None:
    tip = route[-1]
    along = (tip - route[-4]) / np.linalg.norm(tip - route[-4])
    base = tip - ARROW_LENGTH * along
    side = ARROW_WIDTH / 2 * along[::-1]
    codes = [Path.MOVETO] + [Path.CURVE4] * (len(route) - 1)
    line = Path(np.vstack([route[:-1], base + along]), codes)  # the head overlaps the line a little
    ax.add_patch(PathPatch(line, fill=False, ec=SOFT, lw=0.8, capstyle="butt", gid=gid, zorder=1))
    ax.add_patch(Polygon([tip, base + side, base - side], fc=SOFT, lw=0, zorder=1))


def _draw_box(
    ax: Axes, centre: Array, size: Array, style: _Style, line_width: float, gid: str
) -> None:
    one_line = LEADING * NAME_SIZE + 2 * PADDING[1]
    shape = BoxStyle.Round(pad=0, rounding_size=style.rounding * one_line / 2)
    corner, (width, height) = centre - size / 2, size
    box = FancyBboxPatch((corner[0], corner[1]), width, height, shape, gid=gid, zorder=2)
    box.set(facecolor=style.fill, edgecolor=INK, linestyle=style.outline, linewidth=line_width)
    ax.add_patch(box)


def _draw_label(ax: Axes, centre: Array, label: list[_Line], gid: str) -> None:
    """Lines in the middle; numbers with their equals signs in one column."""
    x, y = centre - (0, _height(label) / 2)
    column = max((line.width for line in label if line.is_number), default=0.0)
    for line in label:
        left = x - (column if line.is_number else line.width) / 2
        baseline = y + line.size * (LEADING / 2 + 0.32)  # half the height of a lower-case letter
        ax.add_artist(_ScaledText(left, baseline, line, gid))
        y += LEADING * line.size


class _ScaledText(Text):
    """Text whose size is a length in data units, so that it stays in its box when axes change."""

    def __init__(self, x: float, y: float, line: _Line, gid: str) -> None:
        super().__init__(x, y, line.text, color=line.colour, usetex=False, parse_math=False)
        self.set(gid=gid, zorder=3)
        self._length = line.size

    def _fit(self) -> None:
        figure = self.get_figure(root=True)
        if self.axes is not None and figure is not None:
            (start, _), (end, _) = self.axes.transData.transform([(0, 0), (self._length, 0)])
            size = (end - start) * 72 / figure.dpi
            if size != self.get_fontsize():  # setting it asks for another drawing
                self.set_fontsize(size)

    def draw(self, renderer: RendererBase) -> None:
        self._fit()
        super().draw(renderer)

    def get_window_extent(
        self, renderer: RendererBase | None = None, dpi: float | None = None
    ) -> Bbox:
        self._fit()
        return super().get_window_extent(renderer, dpi)


def history(
    history: Mapping[str, Sequence[float]],
    ax: Axes | None = None,
    keys: Sequence[str] | None = None,
) -> Axes:
    """Draw what a training run recorded, epoch by epoch.

    Parameters
    ----------
    history : mapping of str to sequence of float
        One number an epoch, NaN where there is none; ``"epoch"``, where given, counts them.
    ax : Axes, optional
        Where to draw.
    keys : sequence of str, optional
        What to draw on this scale; by default whatever has "loss" in its name.

    Raises
    ------
    ValueError
        If a key is missing, or has more or fewer numbers than there are epochs.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> record = {"epoch": [1, 2], "train_loss": [0.7, 0.4], "test_loss": [0.7, 0.5]}
    >>> history(record, ax=Figure().subplots()).get_ylabel()
    'loss'
    """
    if keys is None:
        keys = [key for key in history if "loss" in key]
    if not keys or not set(keys) <= set(history):
        raise ValueError(f"cannot draw keys={list(keys)}: the history has {list(history)}")
    for key in keys:
        if "epoch" in history and len(history[key]) != len(history["epoch"]):
            raise ValueError(
                f"{key!r} has {len(history[key])} numbers for {len(history['epoch'])} epochs; "
                "give NaN for an epoch without one"
            )
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.figure(figsize=(5.0, 3.2), layout="constrained").add_subplot()

    quantities = {key.rpartition("_")[2] for key in keys}
    quantity = quantities.pop() if len(quantities) == 1 else ""
    for key, (colour, dashes) in zip(keys, cycle(CURVES), strict=False):
        y = np.asarray(history[key], dtype=float)
        x = np.asarray(history.get("epoch", range(1, len(y) + 1)))
        known = ~np.isnan(y)
        marker = "o" if known.sum() == 1 else ""
        label = key.removesuffix(f"_{quantity}").replace("_", " ")
        ax.plot(x[known], y[known], dashes, color=colour, lw=1.5, marker=marker, ms=4, label=label)
    ax.set(xlabel="epoch", ylabel=quantity)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.spines[["top", "right"]].set_visible(False)
    if len(keys) > 1:
        ax.legend(frameon=False)
    return ax
