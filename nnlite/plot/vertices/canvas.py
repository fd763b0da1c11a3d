"""A computational graph on matplotlib's axes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from nnlite.plot.axes import Axes
from nnlite.plot.vertices.drawing import (
    MARGIN,
    NOTEBOOK_WIDTH,
    PADDING,
    THIN,
    Arrow,
    Box,
    drawing_of,
)
from nnlite.plot.vertices.labels import GRAD_INK, INK, SOFT, Picture, Vertex


def graph(
    nodes: Sequence[Vertex],
    ax: Axes | None = None,
    values: bool = False,
    gradients: bool = False,
    *,
    names: Mapping[Any, str | None] | None = None,
    backward: Collection[Any] = (),
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
    names : mapping of vertex to str, optional
        What to call the vertices, where it is not their own name.
    backward : collection of vertices
        Those of a backward pass: they are shaded, and the arrows to them are dashed.

    Raises
    ------
    ValueError
        If there are no vertices, or a vertex comes before one of its parents.
    """
    return draw(Picture(nodes, values, gradients, names, backward), ax)


def draw(picture: Picture, ax: Axes | None) -> Axes:
    drawing = drawing_of(picture, (NOTEBOOK_WIDTH, np.inf) if ax is None else _room(ax))
    ax, scale = _canvas(drawing.size, ax)
    for arrow in drawing.arrows:
        _draw_arrow(ax, arrow, scale)
    for box in drawing.boxes:
        _draw_box(ax, box, scale)
    return ax


def _room(ax: Axes) -> tuple[float, float]:
    """Width and height of axes, in points."""
    extent = ax.get_window_extent()
    dpi = ax.figure.dpi
    return extent.width * 72 / dpi, extent.height * 72 / dpi


def _canvas(size: Any, ax: Axes | None) -> tuple[Axes, float]:
    """Axes in points, y downwards, with the drawing in the middle; and what a point shrinks to."""
    if ax is None:
        import matplotlib.pyplot as plt

        width, height = (size + 2 * MARGIN) / 72
        ax = plt.figure(figsize=(width, height)).add_axes((0.0, 0.0, 1.0, 1.0))
    room = np.array(_room(ax))
    border = np.maximum(MARGIN, (room - size) / 2)
    (left, top), (right, bottom) = -border, size + border
    ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    ax.set_axis_off()
    return ax, float(min(1.0, *(room / (size + 2 * MARGIN))))


def _draw_arrow(ax: Axes, arrow: Arrow, scale: float) -> None:
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path

    ink, dashes = (GRAD_INK, (0, (4, 2))) if arrow.is_backward else (SOFT, "solid")
    codes = [Path.MOVETO] + [Path.CURVE4] * (len(arrow.line) - 1)
    line = PathPatch(Path(arrow.line, codes), fill=False, lw=THIN * scale, zorder=1)
    line.set(edgecolor=ink, linestyle=dashes, capstyle="butt")
    line.set_gid(f"edge:{arrow.parent}:{arrow.child}")
    ax.add_patch(line)
    ax.add_patch(Polygon(arrow.head, facecolor=ink, lw=0, zorder=1))


def _draw_box(ax: Axes, box: Box, scale: float) -> None:
    from matplotlib.patches import BoxStyle, FancyBboxPatch

    from nnlite.plot.vertices.scaled_text import ScaledText

    shape = BoxStyle.Round(pad=0, rounding_size=box.radius)
    (x, y), (width, height) = box.corner, box.size
    patch = FancyBboxPatch((x, y), width, height, shape, gid=f"vertex:{box.name}", zorder=2)
    patch.set(facecolor=box.style.fill, edgecolor=INK, linewidth=box.line_width * scale)
    patch.set_linestyle(":" if box.style.is_dotted else "-")
    ax.add_patch(patch)
    for line, left, baseline, _ in box.texts:
        room = x + width - left - PADDING[0] / 2
        text = ScaledText(left, baseline, line.text, size=line.size, room=room)
        text.set(color=line.colour, gid=f"label:{box.name}")
        ax.add_artist(text)
