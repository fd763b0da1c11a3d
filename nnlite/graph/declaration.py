"""What is checked and settled when a graph is declared: its order, its inputs, its last uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnlite.core.backpropagation import toposort
from nnlite.core.node import Buffer, Constant, Input, Node, Parameter
from nnlite.core.value import Value, as_array


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
    value = as_array(value, f"input {node.name!r}")
    if isinstance(value, Value | float | int):
        return value
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(
            f"input {node.name!r} has dtype {array.dtype}; a graph takes floats, integers or "
            "booleans: convert it, for instance with .astype(np.float64)"
        )
    return array


def check_shape(node: Node, value: Any) -> None:
    """Refuse another shape than that which a derivative graph was built for."""
    if node._fixed_shape is None or (isinstance(value, Node) and value.value is None):
        return  # declared; it is checked when it runs
    if np.shape(value) != node._fixed_shape:
        raise ValueError(
            f"this derivative graph was built where {node.name} has shape {node._fixed_shape}, and "
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
            if parent not in seen and not isinstance(parent, Parameter | Constant | Buffer)
        ]
        seen.update(last)
        unused.append(last)
    return unused[::-1]
