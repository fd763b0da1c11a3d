"""What vertices are called."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from nnlite.core.node import Constant, Node, Parameter


def names_of(nodes: list[Node]) -> dict[Node, str]:
    """A name of its own for every vertex: the one it was given, or one that this graph gives it."""
    names: dict[Node, str] = {}
    taken: set[str] = set()
    copies: dict[str, int] = defaultdict(lambda: 1)

    def name(node: Node, wanted: str) -> None:
        unique = wanted
        while unique in taken:
            copies[wanted] += 1
            unique = f"{wanted}_{copies[wanted]}"
        taken.add(unique)
        names[node] = unique
        if node.name is None or node._named_by_graph:
            node.name, node._named_by_graph = unique, True

    for node in nodes:
        if node.name is not None and not node._named_by_graph:
            name(node, node.name)
    operations = [node for node in nodes if node.module is not None]
    for node in operations:
        if node not in names:
            name(node, node.module.label)
    for node in operations:
        for path, parameter in node.module.named_parameters():
            if parameter not in names:
                name(parameter, f"{names[node]}.{path}")
    for node in nodes:
        if node not in names:
            if isinstance(node, Constant) and np.ndim(node.value) == 0:
                name(node, f"{node.value:g}")
            elif isinstance(node, Parameter) and node.name is not None:
                name(node, node.name)  # its name in a graph that has the module it belongs to
            else:
                name(node, type(node).__name__.lower())
    return {node: names[node] for node in nodes}
