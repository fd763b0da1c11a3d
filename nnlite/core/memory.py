"""What a graph stores between its forward and its backward pass, vertex by vertex."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nnlite.core.nested import leaves
from nnlite.core.node import Node
from nnlite.core.recording import Recording
from nnlite.core.text import NUMBERS, Line, Table


class MemoryReport(Table, dict[str, int]):
    """Bytes stored at each vertex, by the vertex's name.

    Counted are the value, what ``forward`` saved and the gradient. An array that several vertices
    share counts once, at the first. The values of inputs, parameters and constants belong to
    whoever made them and are left out; the gradients of these vertices are counted.
    """

    @property
    def total(self) -> int:
        """The sum over all vertices, in bytes."""
        return sum(self.values())

    _right = NUMBERS

    def _cells(self) -> tuple[Line, list[Line]]:
        rows = [(name, f"{size:,}") for name, size in self.items()]
        return ("vertex", "bytes"), [*rows, ("total", f"{self.total:,}")]


def report(nodes: Mapping[Node, str]) -> MemoryReport:
    """Measure what `nodes`, parents before children and with their names, hold now."""
    counted = {
        id(_owner(array)) for node in nodes if node.module is None for array in _arrays(node.value)
    }
    sizes = MemoryReport()
    for node, name in nodes.items():
        size = 0
        for array in _arrays((node.value, node._saved, node.grad)):
            owner = _owner(array)
            if id(owner) not in counted:
                counted.add(id(owner))
                size += owner.nbytes
        sizes[name] = size
    return sizes


def _arrays(item: Any) -> Iterator[Any]:
    for part in leaves(item):
        if isinstance(part, np.ndarray | np.generic):
            yield part
        elif isinstance(part, Recording):
            for node in (*part.inputs, *part.leaves.values(), *part.order):
                yield from _arrays((node.value, node._saved, node.grad))


def _owner(array: Any) -> Any:
    while isinstance(getattr(array, "base", None), np.ndarray):
        array = array.base
    return array
