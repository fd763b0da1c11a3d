"""Recording: the graph of a function, grown while the function runs.

Where a parameter's value lives: while a composite's ``forward`` is recorded at level L,
``parameter.value`` is the leaf of level L that stands for it, so that using the value is as
differentiable as using the parameter. While one vertex of that recording is evaluated, one level
further down, it is again what it was before. Afterwards it is the array. `exchanged` makes each
of these changes and undoes it, whatever happens in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from nnlite.core.backpropagation import pull_back, seeds, toposort
from nnlite.core.node import Constant, Input, Node, Parameter, add_vertex_note
from nnlite.core.restoring import Place, each, exchanged, put_back, restoring
from nnlite.core.unchanged import check_unchanged, marked
from nnlite.core.value import Value, as_result, next_level


class Recording:
    """One run of a function on nodes, which can be propagated back through.

    Parameters
    ----------
    function : callable
        Takes as many values as there are in `values` and returns one, or a tuple of them.
    values : sequence of array_like
        What it runs on; they may be values of lower levels.
    wanted : sequence of bool
        For each value, whether its gradient will be asked for.
    parameters : sequence of Parameter
        Those to differentiate with respect to. While the function runs their ``.value`` is a node
        too, so that ``self.gain.value`` in a composite's ``forward`` is as differentiable as
        ``self.gain``.
    buffers : sequence of (Module, str)
        Attributes that are to be vertices too while the function runs.
    reusable : bool
        Whether the recorded graph will run at other points; no branch may then depend on values.

    Attributes
    ----------
    value
        What the function returned, one level further down.
    inputs, outputs : list of Node
    leaves : dict of Parameter to Input
        The vertex that stood for each parameter.
    buffers : dict of Input to (Module, str)
        What stood for each buffer.
    updates : list of (Module, str, Node)
        What modules would have made of their buffers.
    order : list of Node
        The operations, parents before children.
    foreign : list of Parameter
        Those that the function used besides `parameters`.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        values: Sequence[Any],
        wanted: Sequence[bool],
        parameters: Sequence[Parameter] = (),
        buffers: Sequence[Place] = (),
        reusable: bool = False,
    ) -> None:
        self.level = next_level()
        self.reusable = reusable
        self.closed = False
        self.updates: list[tuple[Any, str, Node]] = []
        self.inputs = [
            Input(None, needed, value=value, recording=self)
            for value, needed in zip(values, wanted, strict=True)
        ]
        self._lower = {parameter: parameter.value for parameter in parameters}
        self.leaves = {
            parameter: Input(parameter.name, True, value=value, recording=self)
            for parameter, value in self._lower.items()
        }
        self.buffers: dict[Node, Place] = {
            Input(place[1], value=getattr(*place), recording=self): place for place in buffers
        }
        try:
            with exchanged(self.leaves), restoring(buffers):
                put_back([(*place, leaf) for leaf, place in self.buffers.items()])
                result = function(*self.inputs)
        finally:
            self.closed = True
        self._is_tuple = isinstance(result, tuple)
        self.outputs = [self._vertex(item) for item in (result if self._is_tuple else (result,))]
        self.value = self._packed([output.value for output in self.outputs])
        vertices = toposort(*self.outputs)
        self.order = [node for node in vertices if node.module is not None]
        used = {p: p.value for node in vertices for p in node.parameters} | {
            node: node.value for node in vertices if isinstance(node, Parameter)
        }
        self.foreign = [parameter for parameter in used if parameter not in self.leaves]
        used |= self._lower
        arrays = [node for node in vertices if isinstance(node, Constant)]
        self._ran_with = [
            *[marked(parameter, value) for parameter, value in used.items()],
            *[marked(leaf, leaf.value) for leaf in (*self.inputs, *arrays)],
        ]
        for node in (*vertices, *self.inputs, *self.leaves.values()):
            node._recording = None  # it grows no more, and would be a reference cycle

    def _vertex(self, result: Any) -> Node:
        if isinstance(result, Parameter):
            return self.leaves.get(result, result)
        if not isinstance(result, Node) or 0 < result.level < self.level:
            return Constant(result if isinstance(result, Value) else as_result(result))
        if result.level == 0:
            raise ValueError(
                f"the result is {result!r}, of a graph that is only declared; apply modules to "
                "values, as in l2(weight.value)"
            )
        return result

    def _packed(self, items: Sequence[Any]) -> Any:
        return tuple(items) if self._is_tuple else items[0]

    def evaluate(self, node: Node) -> None:
        """The value of a new vertex: its module's ``forward``, one level further down."""
        lower = {p: self._lower[p] for p in node.parameters if p in self._lower}
        module = node.module
        assert module is not None
        values = [parent.value for parent in node.parents]
        try:
            if not lower:
                node.value = module._recorded_at(node, values)
                return
            with exchanged(lower):
                node.value = module._recorded_at(node, values)
        except Exception as error:
            add_vertex_note(error, node, "forward")
            raise

    def pull_back(self, cotangent: Any = None) -> tuple[Any, ...]:
        """Gradients with respect to the inputs, zeros where an input has no influence.

        Those with respect to `parameters` are added to the parameters' own.

        Parameters
        ----------
        cotangent : array_like, optional
            The gradient of the output; a tuple of them if there are several outputs.
        """
        check_unchanged(self._ran_with)
        starts = seeds(self.outputs, cotangent, self._is_tuple)
        with restoring(each((*self.leaves, *self.foreign), "grad"), only_if_it_fails=True):
            passing = (*self.order, *self.inputs, *self.leaves.values())
            pull_back(self.outputs, starts, self.order, passing)
            for parameter, leaf in self.leaves.items():
                if leaf.grad is not None:
                    parameter.accumulate_grad(leaf.grad)
        for leaf in self.inputs:
            if leaf.requires_grad and leaf.grad is None:
                leaf.grad = as_result(np.zeros_like(leaf.value))
        return tuple([leaf.grad for leaf in self.inputs])


def functional(recording: Recording) -> AbstractContextManager[None]:
    """Keep the gradients of all parameters in `recording` as they are."""
    return restoring(each((*recording.leaves, *recording.foreign), "grad"))
