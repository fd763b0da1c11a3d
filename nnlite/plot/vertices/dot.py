"""A graph in the language of Graphviz."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from nnlite.plot.vertices.drawing import edges_of
from nnlite.plot.vertices.labels import GRAD_INK, INK, SOFT, Vertex, kind_of, label_of, style_of

SHAPES = {
    "Input": "shape=ellipse, style=filled",
    "Parameter": "shape=box, style=filled",
    "Constant": 'shape=ellipse, style="filled,dotted"',
    "Operation": 'shape=box, style="filled,rounded"',
}


def dot(
    nodes: Sequence[Vertex],
    values: bool = False,
    gradients: bool = False,
    *,
    names: Mapping[Any, str | None] | None = None,
    backward: Collection[Any] = (),
) -> str:
    """A graph as text for Graphviz, with the kinds of vertices as in the other pictures.

    The arguments are those of `nnlite.plot.graph`.
    """
    backward = {id(node) for node in backward}
    names = {node: node.name for node in nodes} if names is None else names
    ids = [_quoted(str(names[node])) for node in nodes]
    edges = edges_of(nodes)
    used = {u for u, _ in edges}
    lines = [
        "digraph {",
        "  rankdir=LR;",
        f'  node [fontname="DejaVu Sans", fontsize=10, height=0.3, color="{INK}"];',
        f'  edge [arrowsize=0.6, color="{SOFT}"];',
    ]
    for v, node in enumerate(nodes):
        label = "\n".join(line.text for line in label_of(node, names[node], values, gradients))
        style = style_of(node, id(node) in backward)
        thick = "" if v in used or node.module is None else ", penwidth=2"
        lines.append(
            f"  {ids[v]} [label={_quoted(label)}, {SHAPES[kind_of(node)]}, "
            f'fillcolor="{style.fill}"{thick}];'
        )
    for u, v in edges:
        dashed = f' [style=dashed, color="{GRAD_INK}"]' if id(nodes[v]) in backward else ""
        lines.append(f"  {ids[u]} -> {ids[v]}{dashed};")
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
