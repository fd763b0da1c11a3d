"""A graph as one vertex of another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nnlite.core.module import Module
from nnlite.core.node import Constant, Node, Parameter
from nnlite.graph.declaration import check_shape


class Subgraph(Module, of=__name__):
    """A graph as one vertex of another: each application records its own vertices."""

    _is_watched = False

    def __init__(self, graph: Any) -> None:
        self.graph = graph

    def forward(self, *inputs: Any) -> Any:
        if len(inputs) != len(self.graph.inputs):
            raise TypeError(f"{self.graph} takes {len(self.graph.inputs)} inputs")
        results: dict[Node, Any] = dict(zip(self.graph.inputs, inputs))
        declared = any(isinstance(item, Node) and item.level == 0 for item in inputs)
        for record in () if declared else self.graph._records:
            record.check()
        for node in self.graph.nodes:
            if node.module is not None:
                result = node.module(*[results[parent] for parent in node.parents])
                check_shape(node, result)
                if declared and isinstance(result, Node):  # it is checked when it runs
                    result._fixed_shape, result._states = node._fixed_shape, node._states
                results[node] = result
            elif node not in results:
                is_here = isinstance(node, Constant) or not declared
                results[node] = node.value if is_here else node
        return self.graph._packed([results[output] for output in self.graph.outputs])

    def children(self) -> Iterator[tuple[str, Any]]:
        yield from self.graph.children()

    def named_parameters(self) -> list[tuple[str, Parameter]]:
        return [*self.graph.named_parameters()]

    def __repr__(self) -> str:
        return repr(self.graph)
