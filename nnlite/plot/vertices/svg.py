"""A drawing as SVG: a few kilobytes of boxes, curves and text that can be selected and searched.

Written here and not by matplotlib, which takes a second to start and turns each letter into a
curve. A viewer without matplotlib's font takes Arial, which is narrower, so text stays in its box.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

import numpy as np

from nnlite.core.text import entries
from nnlite.plot.vertices.drawing import MARGIN, THIN, Arrow, Box, drawing_of
from nnlite.plot.vertices.labels import GRAD_INK, INK, SOFT, Picture

FONT = "DejaVu Sans"


def svg(picture: Picture) -> str:
    """A graph as an SVG document, with each vertex's u and ū where the mouse rests on it."""
    drawing = drawing_of(picture, family=FONT)
    width, height = drawing.size + 2 * MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.1f}pt" '
            f'height="{height:.1f}pt" viewBox="{-MARGIN:g} {-MARGIN:g} {width:.1f} {height:.1f}" '
            f'font-family="{FONT}, Arial, Helvetica, sans-serif">',
            f'<rect x="{-MARGIN:g}" y="{-MARGIN:g}" width="{width:.1f}" height="{height:.1f}" '
            'fill="#ffffff"/>',
            *[_arrow(arrow) for arrow in drawing.arrows],
            *[_box(box) for box in drawing.boxes],
            "</svg>",
        ]
    )


def _arrow(arrow: Arrow) -> str:
    ink, dashes = (GRAD_INK, ' stroke-dasharray="3.2 1.6"') if arrow.is_backward else (SOFT, "")
    start, *bends = arrow.line
    path = f"M{_points([start])} C{_points(bends)}"
    return (
        f'<path d="{path}" fill="none" stroke="{ink}" stroke-width="{THIN}"{dashes}/>'
        f'<polygon points="{_points(arrow.head)}" fill="{ink}"/>'
    )


def _box(box: Box) -> str:
    (x, y), (width, height) = box.corner, box.size
    dots = f' stroke-dasharray="{THIN} {2 * THIN}"' if box.style.is_dotted else ""
    rectangle = (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'rx="{box.radius:.1f}" fill="{box.style.fill}" stroke="{INK}" '
        f'stroke-width="{box.line_width}"{dots}/>'
    )
    texts = "".join(
        f'<text x="{text.x:.1f}" y="{text.y:.1f}" font-size="{text.line.size:g}" '
        f'fill="{text.line.colour}">{escape(text.line.text)}</text>'
        if text.line.is_number
        else f'<text x="{text.x + text.width / 2:.1f}" y="{text.y:.1f}" text-anchor="middle" '
        f'font-size="{text.line.size:g}" fill="{text.line.colour}">{escape(text.line.text)}</text>'
        for text in box.texts
    )
    return f"<g><title>{escape(_hint(box))}</title>{rectangle}{texts}</g>"


def _hint(box: Box) -> str:
    """Name, module, and the first entries of u and ū."""
    vertex = box.vertex
    lines = [box.name if vertex.module is None else f"{box.name} = {vertex.module!r}"]
    for symbol, value in (("u", vertex.value), ("ū", vertex.grad)):
        if value is not None:
            lines.append(f"{symbol} = {entries(value, few=6)}")
            if np.ndim(value):
                lines[-1] += f", shape {np.shape(value)}"
    return "\n".join(lines)


def _points(points: Iterable[Any]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
