"""Recording: the graph of a function, grown while the function runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnlite.dispatch import next_level
from nnlite.node import (
    Input,
    Node,
    Parameter,
    add_vertex_note,
    backpropagate,
    check_unchanged,
    exchanged,
    seed,
    toposort,
)


class Recording:
    """One run of `function` on nodes, which can be propagated back through.

    Parameters
    ----------
    function : callable
        Takes as many values as there are in `values` and returns one.
    values : sequence of array_like
        What it runs on; they may be values of lower levels.
    wanted : sequence of bool
        For each value, whether its gradient will be asked for.
    parameters : sequence of Parameter
        Those to differentiate with respect to. While the function runs their ``.value`` is a node
        too, so that ``self.gain.value`` in a composite's ``forward`` is as differentiable as
        ``self.gain``.

    Attributes
    ----------
    value
        What the function returned, one level further down.
    inputs : list of Input
    leaves : dict of Parameter to Input
        The vertex that stood for each parameter.
    order : list of Node
        The operations, parents before children.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        values: Sequence[Any],
        wanted: Sequence[bool],
        parameters: Sequence[Parameter] = (),
    ) -> None:
        self.level = next_level()
        self.inputs = [
            Input(None, needed, value=value, recording=self)
            for value, needed in zip(values, wanted, strict=True)
        ]
        self._lower = {parameter: parameter.value for parameter in parameters}
        self.leaves = {
            parameter: Input(parameter.name, True, value=value, recording=self)
            for parameter, value in self._lower.items()
        }
        with exchanged(self.leaves):
            output = function(*self.inputs)
        if isinstance(output, Parameter):
            output = self.leaves.get(output, output)
        self.output: Node | None = None
        self.order: list[Node] = []
        self.value = output
        if isinstance(output, Node) and output.level in (0, self.level):
            if output.level == 0 and not isinstance(output, Parameter):
                raise ValueError(f"the result is {output!r}, of a graph that is only declared")
            self.output = output
            self.value = output.value
            self.order = [node for node in toposort(output) if node.module is not None]

    def evaluate(self, node: Node) -> None:
        """The value of a new vertex: its module's ``forward``, one level further down."""
        lower = {p: self._lower[p] for p in node.parameters if p in self._lower}
        module = node.module
        assert module is not None
        try:
            with exchanged(lower):
                node.value = module.run(node, [parent.value for parent in node.parents])
        except Exception as error:
            add_vertex_note(error, node, "forward")
            raise

    def pull_back(self, cotangent: Any = None) -> tuple[Any, ...]:
        """Gradients with respect to the inputs, zeros where an input has no influence.

        Those with respect to `parameters` are added to the parameters' own.
        """
        for parameter, value in self._lower.items():
            check_unchanged(parameter, value)
        leaves = [*self.inputs, *self.leaves.values()]
        for node in (*self.order, *leaves):
            node.grad = None
        if self.output is not None:
            self.output.grad = seed(self.output, cotangent)
            backpropagate(self.order)
        for parameter, leaf in self.leaves.items():
            if leaf.grad is not None:
                parameter.accumulate_grad(leaf.grad)
        return tuple(
            np.zeros_like(leaf.value) if leaf.requires_grad and leaf.grad is None else leaf.grad
            for leaf in self.inputs
        )
