"""A table of a graph or a module: what stands where, and how large it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np

from nnlite.core.memory import report
from nnlite.core.names import names_of
from nnlite.core.node import Buffer, Constant, Node, Parameter
from nnlite.core.recording import Recording
from nnlite.core.text import Line, Table
from nnlite.core.value import as_array, is_float


class SummaryRow(NamedTuple):
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


class Summary(Table, list[SummaryRow]):
    """The rows of a table, which ``print`` and a notebook show as one."""

    _right = (3, 4)

    @property
    def parameters(self) -> int:
        """How many numbers there are to train."""
        return sum(row.parameters for row in self)

    @property
    def stored(self) -> int:
        """Bytes stored in all."""
        return sum(row.stored for row in self)

    def _cells(self) -> tuple[Line, list[Line]]:
        head = ("vertex", "module", "output shape", "parameters", "stored bytes")
        body: list[Line] = [
            (name, module, "" if shape is None else str(shape), f"{parameters:,}", f"{stored:,}")
            for name, module, shape, parameters, stored in self
        ]
        return head, [*body, ("total", "", "", f"{self.parameters:,}", f"{self.stored:,}")]


def summarise(names: Mapping[Node, str]) -> Summary:
    """A row for each input and operation among the vertices, parents before children."""
    stored = report(names)
    seen: set[Parameter] = set()
    rows = Summary()
    for node, name in names.items():
        if isinstance(node, Parameter | Constant | Buffer):
            continue
        own = [parameter for parameter in node.parameters if parameter not in seen]
        seen.update(own)
        rows.append(
            SummaryRow(
                name,
                type(node).__name__ if node.module is None else repr(node.module),
                None if node.value is None else np.shape(node.value),
                sum(parameter.size for parameter in own),
                stored[name],
            )
        )
    return rows


def of_modules(module: Any) -> Summary:
    """A row for each innermost module in a module, or for the module itself."""
    inner = module.named_modules() or [(module.label, module)]
    return Summary(
        SummaryRow(path, repr(part), None, sum(p.size for p in part.parameters()), 0)
        for path, part in inner
        if len(part.modules()) == 1
    )


def of_run(module: Any, inputs: Sequence[Any]) -> Summary:
    """A row for each vertex that a module's ``forward`` makes of the inputs."""
    module = deepcopy(module)  # running it may change buffers, or a random generator
    values = [as_array(item) for item in inputs]
    wanted = [is_float(value) for value in values]
    function = module.forward if module._is_composite else module
    recording = Recording(function, values, wanted, module.parameters())
    return summarise(names_of([*recording.inputs, *module.parameters(), *recording.order]))
