"""The computation of the derivative, recorded (seminar 3: a graph of it can be built).

Forward and backward pass of a graph run once, on nodes in place of arrays, and what they call is
the record: `Passes`, of which the derivative graph is made, and programs, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from nnlite.core.backpropagation import backpropagate, seed
from nnlite.core.generators import generators_of
from nnlite.core.guard import INTERNAL, attributes, changed
from nnlite.core.node import Buffer, Constant, Input, Node
from nnlite.core.passes import NotRecordableError, Passes
from nnlite.core.primitives.noise import is_drawn_unseen
from nnlite.core.recording import Recording
from nnlite.core.restoring import Place
from nnlite.core.value import Value


def recorded(graph: Any, values: Sequence[Any]) -> Passes:
    """Record a forward and a backward pass of a graph; the graph is left as it is.

    Where modules are not nnlite's own the passes run twice, with random generators moved on: what
    comes out otherwise the second time would be frozen in the record.

    Parameters
    ----------
    graph : Graph
        With one output of one element.
    values : sequence of array
        For its inputs; the record is specialised to their shapes and dtypes.

    Raises
    ------
    NotRecordableError
        If a module draws random numbers, or computes with something else that is not the same in
        every pass, or with a parameter that is not among the graph's.
    TypeError
        If a module's ``forward`` or ``backward`` takes a branch that depends on values.
    """
    with graph._set_aside():
        passes = _Recorder(graph, values).passes
        if all(module._is_ours for module in graph.modules()):
            return passes
        for generator in generators_of(graph.modules()):
            generator.random(8)
        difference = _first_difference(passes, _Recorder(graph, values).passes)
    for state in passes.states:
        state.ignored += passes.side_effects
    for module, name in passes.side_effects if difference is not None else ():
        raise NotRecordableError(
            f"forward of {module!r} changes self.{name}, on which its value depends; declare an "
            "array in `buffers`"
        )
    if difference is not None:
        raise NotRecordableError(
            f"{difference} computes with something that is not the same in every pass. Draw random "
            "numbers with nn.Dropout and declare state in `buffers`"
        )
    return passes


def as_graph(graph: Any, passes: Passes) -> tuple[list[Input], list[Node]]:
    """The vertices of the derivative graph: its inputs, and its outputs.

    These are the value, and the gradient with respect to each parameter and to each input that
    requires it. The leaves are the live parameters, and live buffers.
    """
    f = _in_brackets(graph.names[graph.outputs[0]])
    for node, (vertex, is_gradient) in passes.held.items():
        name = graph.names[vertex]
        node.name = node.name or (f"∂{f}/∂{_in_brackets(name)}" if is_gradient else name)
    buffers = {leaf: Buffer(*place) for leaf, place in passes.buffers.items()}
    leaves: dict[Node, Node] = {**passes.parameters, **buffers}
    found: dict[Node, Node] = {own: leaves.get(g, g) for own, g in passes.gradients}
    found |= {own: Constant(np.zeros_like(own.value)) for own in passes.without}
    outputs = [leaves.get(passes.value, passes.value)]
    outputs += [found[own] for own in wanted_of(graph)]
    for node in passes.order():
        node.parents = tuple([leaves.get(parent, parent) for parent in node.parents])
        node.level = 0
        node._states = passes.states
        node._fixed_shape = np.shape(node.value)
    return passes.inputs, outputs


def wanted_of(graph: Any) -> list[Node]:
    """The vertices that gradients are wanted of: parameters, then inputs that require them."""
    return [*graph.parameters(), *[node for node in graph.inputs if node.requires_grad]]


def _in_brackets(name: str) -> str:
    return f"({name})" if "∂" in name else name


class _Recorder:
    """Runs both passes on nodes, and notes which vertex of the graph each node was made for."""

    def __init__(self, graph: Any, values: Sequence[Any]) -> None:
        self.graph = graph
        self.operations = [node for node in graph.nodes if node.module is not None]
        self.origins: dict[Node, tuple[str, str]] = {}
        self.held: dict[Node, tuple[Node, bool]] = {}
        modules = graph.modules()
        states = graph._states()
        generators = generators_of(modules)
        began = [generator.bit_generator.state for generator in generators]
        theirs = [(m, _kept(m, modules), dict(vars(m))) for m in modules if not m._is_ours]
        needed = [node.requires_grad for node in graph.inputs]
        buffers = graph._buffers()
        recording = Recording(self.run, values, needed, graph.parameters(), buffers, reusable=True)
        for leaf, own in zip(recording.inputs, graph.inputs):
            leaf.name = own.name
        self.passes = Passes(
            recording.inputs,
            {leaf: parameter for parameter, leaf in recording.leaves.items()},
            recording.buffers,
            recording.outputs[0],
            list(zip(self.wanted, recording.outputs[1:])),
            self.without,
            recording.updates,
            self.held,
            self.origins,
            self._side_effects(theirs, modules),
            states,
        )
        if is_drawn_unseen(generators, began, self.passes.order()):
            raise NotRecordableError(
                "a module of it draws random numbers in its forward, which would be the same in "
                "every run; use nn.Dropout, or eval()"
            )
        owned = {parameter for module in modules for parameter in module.parameters()}
        for parameter in (owned | {*recording.foreign}) - {*graph.parameters()}:
            raise NotRecordableError(
                f"it computes with {parameter!r}, which is not among its parameters; declare the "
                "graph again after a parameter was replaced"
            )

    def run(self, *inputs: Any) -> tuple[Any, ...]:
        """The value, and the gradients that there are."""
        graph, (output,) = self.graph, self.graph.outputs
        graph.zero_grad()
        value = graph.forward(*inputs)
        for vertex in self.operations:
            self._claim(vertex.value, (str(vertex.name), "forward"))
        for node in (*graph.inputs, *self.operations):
            node.grad = None
        output.accumulate_grad(seed(output))
        for vertex in reversed(self.operations):
            if vertex.requires_grad:
                backpropagate([vertex])
                for fed in (*vertex.parents, *vertex.parameters):
                    self._claim(fed.grad, (str(vertex.name), "backward"))
        leaves = wanted_of(graph)
        self.wanted = [node for node in leaves if node.grad is not None]
        self.without = [node for node in leaves if node.grad is None]
        for vertex in self.operations:
            self._hold(vertex.value, vertex, False)
        for vertex in (*leaves, *reversed(self.operations)):
            self._hold(vertex.grad, vertex, True)
        return (value, *[node.grad for node in self.wanted])

    def _claim(self, node: Any, origin: tuple[str, str]) -> None:
        """`node`, and all that it needs and that is not claimed yet, belongs to a vertex."""
        pending = [node] if isinstance(node, Node) else []
        while pending:
            found = pending.pop()
            if found not in self.origins and found.module is not None:
                self.origins[found] = origin
                pending.extend(found.parents)

    def _hold(self, node: Any, vertex: Node, is_gradient: bool) -> None:
        if isinstance(node, Node) and node.module is not None:
            self.held.setdefault(node, (vertex, is_gradient))

    def _side_effects(self, before: list[Any], modules: list[Any]) -> list[Place]:
        """Attributes of modules, besides buffers, that the passes changed.

        A value that such an attribute was given is of this recording, and is taken away.
        """
        found = []
        for module, kept, attributes_before in before:
            for name in changed(kept, _kept(module, modules)):
                found.append((module, name))
                if isinstance(getattr(module, name, None), Value):
                    delattr(module, name)
                    vars(module).update({n: x for n, x in attributes_before.items() if n == name})
        return found


def _kept(module: Any, modules: list[Any]) -> Any:
    known = {id(item) for part in modules for item in (part, *part.parameters())}
    return attributes(module, skip=INTERNAL, known=known)


def _first_difference(one: Passes, other: Passes) -> str | None:
    """The vertex where two records of the same graph are not the same, if there is one."""
    order = one.order()
    for a, b in zip_longest(order, other.order()):
        if a is None or b is None:
            return "a module of it"
        same = type(a.module) is type(b.module) and repr(a.module) == repr(b.module)
        if same and isinstance(a, Constant):
            same = np.result_type(a.value) == np.result_type(b.value) and np.array_equal(
                a.value, b.value, equal_nan=True
            )
        if not same:
            user = next((node for node in order if any(p is a for p in node.parents)), a)
            vertex, _ = one.origins.get(user, ("", ""))
            return repr(vertex) if vertex else "a module of it"
    return None
