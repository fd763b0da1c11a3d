"""A table of a graph or a module: what stands where, and how large it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from nnlite.core.memory import report
from nnlite.core.node import Constant, Node, Parameter
from nnlite.core.text import as_html, as_text

NUMBERS = (3, 4)  # columns that line up at the right


class Row(NamedTuple):
    """One vertex of a summary.

    Attributes
    ----------
    name, module : str
        The vertex's name and its module with the sizes, or the kind of a leaf.
    shape : tuple of int or None
        Of the value, None before a forward pass.
    parameters : int
        How many numbers the module owns; those of a shared module count at its first vertex.
    stored : int
        Bytes of values, saved arrays and gradients, as in ``graph.memory()``.
    """

    name: str
    module: str
    shape: tuple[int, ...] | None
    parameters: int
    stored: int


class Summary(list[Row]):
    """The rows of a table, which ``print`` and a notebook show as one."""

    @property
    def parameters(self) -> int:
        """How many numbers there are to train."""
        return sum(row.parameters for row in self)

    @property
    def stored(self) -> int:
        """Bytes stored in all."""
        return sum(row.stored for row in self)

    def __str__(self) -> str:
        return as_text(*self._cells(), right=NUMBERS)

    def _repr_html_(self) -> str:
        return as_html(*self._cells(), right=NUMBERS)

    def _cells(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        head = ("vertex", "module", "output shape", "parameters", "stored bytes")
        body = [
            (
                row.name,
                row.module,
                "" if row.shape is None else str(row.shape),
                f"{row.parameters:,}",
                f"{row.stored:,}",
            )
            for row in self
        ]
        return head, [*body, ("total", "", "", f"{self.parameters:,}", f"{self.stored:,}")]


def summarise(names: Mapping[Node, str]) -> Summary:
    """A row for each input and operation among the vertices, parents before children."""
    stored = report(names)
    seen: set[Parameter] = set()
    rows = Summary()
    for node, name in names.items():
        if isinstance(node, Parameter | Constant):
            continue
        own = [parameter for parameter in node.parameters if parameter not in seen]
        seen.update(own)
        rows.append(
            Row(
                name,
                type(node).__name__ if node.module is None else repr(node.module),
                None if node.value is None else np.shape(node.value),
                sum(parameter.size for parameter in own),
                stored[name],
            )
        )
    return rows
