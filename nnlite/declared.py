"""What is checked and settled when a graph is declared: order, names, when values are done with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnlite.dispatch import Value
from nnlite.node import Constant, Input, Node, Parameter, toposort


def checked_order(inputs: list[Input], outputs: Sequence[Node]) -> list[Node]:
    for output in outputs:
        if not isinstance(output, Node):
            raise TypeError(
                f"the output of a graph is a node, made by calling modules on nodes; got {output!r}"
            )
    for node in inputs:
        if not isinstance(node, Input):
            raise TypeError(f"the inputs of a graph are nn.Input vertices; got {node!r}")
    if len(set(inputs)) != len(inputs):
        raise ValueError(f"an input is listed twice: {inputs}")
    order = toposort(*outputs)
    listed, reached = set(inputs), set(order)
    unused = [node for node in inputs if node not in reached]
    if unused:
        raise ValueError(f"the output does not depend on {unused}: connect them or leave them out")
    unlisted = [node for node in order if isinstance(node, Input) and node not in listed]
    if unlisted:
        raise ValueError(f"the output depends on {unlisted}: list them in Graph(inputs=[...])")
    return order


def as_input(node: Input, value: Any) -> Any:
    if type(value) is not np.ndarray and not isinstance(value, float | int | Value):
        if isinstance(value, np.ma.MaskedArray | np.matrix):
            raise TypeError(
                f"input {node.name!r} is a {type(value).__name__}, whose arithmetic is not that of "
                "arrays; pass a plain array"
            )
        value = np.asarray(value)
    if isinstance(value, np.ndarray) and value.dtype.kind not in "fiub":
        raise TypeError(
            f"input {node.name!r} has dtype {value.dtype}; a graph takes floats, integers or "
            "booleans: convert it, for instance with .astype(np.float64)"
        )
    return value


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
        if node.name is None or node.named_by_graph:
            node.name, node.named_by_graph = unique, True

    for node in nodes:
        if node.name is not None and not node.named_by_graph:
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


def check_shape(node: Node, value: Any) -> None:
    """Refuse another shape than that which a derivative graph was built for."""
    if isinstance(value, Node) and value.value is None:
        return  # declared; it is checked when it runs
    if np.shape(value) != node.fixed_shape:
        raise ValueError(
            f"this derivative graph was built where {node.name} has shape {node.fixed_shape}, and "
            f"here it has {np.shape(value)}; build another with graph.gradient(...), or, where a "
            "mask decides the shape, use np.where(mask, x, 0) in place of x[mask]"
        )


def last_uses(operations: list[Node], outputs: Sequence[Node]) -> list[list[Node]]:
    """For each operation, the vertices whose values nothing after it needs."""
    seen = set(outputs)
    unused: list[list[Node]] = []
    for node in reversed(operations):
        last = [
            parent
            for parent in dict.fromkeys(node.parents)
            if parent not in seen and not isinstance(parent, Parameter | Constant)
        ]
        seen.update(last)
        unused.append(last)
    return unused[::-1]
