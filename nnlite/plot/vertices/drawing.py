"""A graph as boxes, lines of text and arrows, before anything draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nnlite.plot.vertices.coordinates import Array
from nnlite.plot.vertices.labels import NAME_SIZE, Line, Picture, Style, Vertex
from nnlite.plot.vertices.layout import Layout, layered

LEADING = 1.35
PADDING = np.array([7.0, 4.5])
MIN_WIDTH = 26.0
MARGIN = 6.0
ARROW_LENGTH, ARROW_WIDTH = 6.0, 4.6
NOTEBOOK_WIDTH = 720.0
THIN, THICK = 0.8, 1.6
ROUND_END = (LEADING * NAME_SIZE + 2 * PADDING[1]) / 2  # the radius of a box of one line


class Text(NamedTuple):
    """A line in its place: where its baseline starts, and how wide it is."""

    line: Line
    x: float
    y: float
    width: float


class Box(NamedTuple):
    """A vertex: `corner` is that at the top left."""

    vertex: Vertex
    name: str
    corner: Array
    size: Array
    style: Style
    line_width: float
    texts: list[Text]

    @property
    def radius(self) -> float:
        return float(self.style.rounding * ROUND_END)


class Arrow(NamedTuple):
    """An edge: a cubic Bézier spline that ends in a triangle."""

    parent: str
    child: str
    route: Array
    is_backward: bool

    @property
    def head(self) -> Array:
        """The triangle, from its tip."""
        tip, base, across = self._head
        return np.array([tip, base + across, base - across])

    @property
    def line(self) -> Array:
        """The spline up to a little inside the head."""
        tip, base, _ = self._head
        return np.vstack([self.route[:-1], base + (tip - base) / ARROW_LENGTH])

    @property
    def _head(self) -> tuple[Array, Array, Array]:
        tip: Array = self.route[-1]
        along = (tip - self.route[-4]) / np.linalg.norm(tip - self.route[-4])
        return tip, tip - ARROW_LENGTH * along, ARROW_WIDTH / 2 * along[::-1]


@dataclass(frozen=True)
class Drawing:
    """Boxes and arrows, in points, x to the right and y downwards, both from zero."""

    boxes: list[Box]
    arrows: list[Arrow]
    size: Array


def drawing_of(
    picture: Picture,
    room: tuple[float, float] = (NOTEBOOK_WIDTH, np.inf),
    family: str | None = None,
) -> Drawing:
    """Compose the picture of a graph.

    Parameters
    ----------
    picture : Picture
    room : (float, float)
        Width and height; from left to right, or from top to bottom where the text would else be
        too small.
    family : str, optional
        Of the font; by default matplotlib's present one.
    """
    nodes = picture.nodes
    edges = edges_of(nodes)
    labels = list(map(picture.label, nodes))
    widths = [[_width(line.text, line.size, family) for line in label] for label in labels]
    sizes = np.array(
        [
            np.maximum((max(width), _height(label)) + 2 * PADDING, (MIN_WIDTH, 0))
            for label, width in zip(labels, widths)
        ]
    )
    layout = _layout(sizes, edges, np.array(room) - 2 * MARGIN)
    used = {u for u, _ in edges}
    boxes = []
    for v, (node, centre, size) in enumerate(zip(nodes, layout.centres, sizes, strict=True)):
        line_width = THIN if v in used or node.module is None else THICK
        texts = _placed(labels[v], widths[v], centre)
        name, style = str(picture.names[node]), picture.style(node)
        boxes.append(Box(node, name, centre - size / 2, size, style, line_width, texts))
    arrows = [
        Arrow(boxes[u].name, boxes[v].name, route, picture.is_backward(nodes[v]))
        for (u, v), route in zip(edges, layout.routes, strict=True)
    ]
    return Drawing(boxes, arrows, layout.size)


def edges_of(nodes: Sequence[Vertex]) -> list[tuple[int, int]]:
    """An edge for each input of each operation: first its arguments, then its own parameters.

    Raises
    ------
    ValueError
        If there are no vertices, or a vertex comes before one of its parents.
    """
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


def _layout(sizes: Array, edges: list[tuple[int, int]], room: Array) -> Layout:
    """From left to right, unless the letters would be larger from top to bottom."""

    def scale(layout: Layout) -> float:
        return float(min(1.0, *(room / layout.size)))

    def laid_out(down: bool) -> Layout:
        layout = layered(sizes, edges, down)
        length, breadth = (room / layout.size)[:: -1 if down else 1]
        if breadth >= min(1.0, length):
            return layout
        return layered(sizes, edges, down, breadth=room[0 if down else 1])

    across = laid_out(down=False)
    if scale(across) > 0.8:
        return across
    return max(across, laid_out(down=True), key=scale)


def _placed(label: list[Line], widths: list[float], centre: Array) -> list[Text]:
    """Lines in the middle; numbers with their equals signs in one column."""
    x, y = centre - (0, _height(label) / 2)
    column = max(
        (width for line, width in zip(label, widths, strict=True) if line.is_number), default=0.0
    )
    texts = []
    for line, width in zip(label, widths, strict=True):
        left = x - (column if line.is_number else width) / 2
        baseline = y + line.size * (LEADING / 2 + 0.32)  # half the height of a lower-case letter
        texts.append(Text(line, float(left), float(baseline), width))
        y += LEADING * line.size
    return texts


def _height(label: Sequence[Line]) -> float:
    return LEADING * sum(line.size for line in label)


def _width(text: str, size: float, family: str | None) -> float:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=family, size=size)
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0])
