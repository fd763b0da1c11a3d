"""A graph in the language of Graphviz."""

from __future__ import annotations

from nnlite.plot.vertices.drawing import edges_of
from nnlite.plot.vertices.labels import GRAD_INK, INK, SOFT, Picture, kind_of

SHAPES = {
    "Input": "shape=ellipse, style=filled",
    "Parameter": "shape=box, style=filled",
    "Constant": 'shape=ellipse, style="filled,dotted"',
    "Operation": 'shape=box, style="filled,rounded"',
}


def dot(picture: Picture) -> str:
    """A graph as text for Graphviz, with the kinds of vertices as in the other pictures."""
    nodes = picture.nodes
    ids = [_quoted(str(picture.names[node])) for node in nodes]
    edges = edges_of(nodes)
    used = {u for u, _ in edges}
    lines = [
        "digraph {",
        "  rankdir=LR;",
        f'  node [fontname="DejaVu Sans", fontsize=10, height=0.3, color="{INK}"];',
        f'  edge [arrowsize=0.6, color="{SOFT}"];',
    ]
    for v, node in enumerate(nodes):
        label = "\n".join(line.text for line in picture.label(node))
        thick = "" if v in used or node.module is None else ", penwidth=2"
        lines.append(
            f"  {ids[v]} [label={_quoted(label)}, {SHAPES[kind_of(node)]}, "
            f'fillcolor="{picture.style(node).fill}"{thick}];'
        )
    for u, v in edges:
        dashed = f' [style=dashed, color="{GRAD_INK}"]' if picture.is_backward(nodes[v]) else ""
        lines.append(f"  {ids[u]} -> {ids[v]}{dashed};")
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
