"""The computation of the derivative, recorded (seminar 3: a graph of it can be built)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite.core.generators import generators_of
from nnlite.core.node import Input, Node, toposort
from nnlite.core.primitives.noise import is_drawn_unseen
from nnlite.core.recording import Recording

if TYPE_CHECKING:
    from nnlite.graph.graph import Graph


def recorded_derivative(graph: Graph, values: Sequence[Any]) -> tuple[list[Input], list[Node]]:
    """What forward and backward pass of a graph call, when they run on nodes.

    Returns
    -------
    inputs, outputs : list of Node
        Of a graph that computes the value, and the gradient with respect to each parameter and to
        each input that requires it. Its leaves are the live parameters.
    """

    def value_and_gradients(*inputs: Any) -> tuple[Any, ...]:
        graph.zero_grad()
        value = graph.forward(*inputs)
        graph.backward()
        leaves = [*graph.parameters(), *[node for node in graph.inputs if node.requires_grad]]
        gradients = [np.zeros_like(n.value) if n.grad is None else n.grad for n in leaves]
        _name_recorded(graph, leaves)
        return (value, *gradients)

    wanted = [node.requires_grad for node in graph.inputs]
    generators = generators_of(graph.modules())
    with graph.set_aside():
        states = [generator.bit_generator.state for generator in generators]
        recording = Recording(value_and_gradients, values, wanted, graph.parameters(), True)
        if is_drawn_unseen(generators, states, toposort(*recording.outputs)):
            raise TypeError(
                f"{graph!r}: a module of it draws random numbers in its forward, which would be "
                "the same in every run of the derivative graph; use nn.Dropout, or eval()"
            )
    for leaf, own in zip(recording.inputs, graph.inputs):
        leaf.name = own.name
    leaves: dict[Node, Node] = {leaf: p for p, leaf in recording.leaves.items()}
    for node in toposort(*recording.outputs):
        node.parents = tuple([leaves.get(parent, parent) for parent in node.parents])
        node.level = 0
    return recording.inputs, [leaves.get(output, output) for output in recording.outputs]


def _name_recorded(graph: Graph, leaves: Sequence[Node]) -> None:
    """Call what was recorded after the vertex that it is the value or the gradient of."""
    names = graph.names
    operations = [node for node in graph.nodes if node.module is not None]
    f = _in_brackets(names[graph.outputs[0]])
    named = [(node.value, names[node]) for node in operations]
    for node in (*leaves, *reversed(operations)):
        named.append((node.grad, f"∂{f}/∂{_in_brackets(names[node])}"))
    for recorded, name in named:
        if isinstance(recorded, Node) and recorded.module is not None:
            recorded.name = recorded.name or name


def _in_brackets(name: str) -> str:
    return f"({name})" if "∂" in name else name
