"""What the forward and the backward pass of a graph call, as a list of operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite.core.generators import generators_of
from nnlite.core.guard import INTERNAL, attributes, changed
from nnlite.core.node import Input, Node, Parameter, backpropagate, toposort
from nnlite.core.primitives.noise import is_drawn_unseen
from nnlite.core.recording import Recording
from nnlite.core.unchanged import seed

if TYPE_CHECKING:
    from nnlite.core.module import Module
    from nnlite.graph.graph import Graph


@dataclass(eq=False)
class Operation:
    """One call of a NumPy function; or, where `module` is None, a value that is given.

    Attributes
    ----------
    module : Primitive or None
    args : list of Operation
    value
        What it gave when it was recorded, for its shape and dtype.
    origin : tuple of str
        The vertex of the graph that it belongs to, and the pass: "forward" or "backward".
    name : str or None
        What a reader calls its result, where it has a name.
    """

    module: Any
    args: list[Operation]
    value: Any
    origin: tuple[str, str] = ("", "")
    name: str | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)

    @property
    def dtype(self) -> Any:
        return np.result_type(self.value)

    @property
    def is_array(self) -> bool:
        return isinstance(self.value, np.ndarray)


@dataclass
class Trace:
    """Both passes of a graph over inputs of certain shapes.

    Attributes
    ----------
    inputs : list of Operation
    parameters : dict of Operation to Parameter
    loss : Operation
    gradients : list of (Parameter or Input, Operation)
    without : list of (Parameter or Input)
        Those that have no influence on the loss.
    buffers : dict of Operation to (Module, str)
        Those that the modules have when the program runs, such as running means.
    updates : list of (Module, str, Operation)
        Their new values.
    """

    inputs: list[Operation]
    parameters: dict[Operation, Parameter]
    loss: Operation
    gradients: list[tuple[Node, Operation]]
    without: list[Node]
    buffers: dict[Operation, tuple[Module, str]]
    updates: list[tuple[Module, str, Operation]]

    def results(self) -> list[Operation]:
        """The loss, the gradients and the new values of buffers."""
        return [self.loss, *[op for _, op in self.gradients], *[op for _, _, op in self.updates]]

    def order(self) -> list[Operation]:
        """Every operation that is needed, arguments first."""
        return order_of(*self.results())


def trace(graph: Graph, values: Sequence[Any], stir: bool = False) -> Trace:
    """Record a forward and a backward pass of `graph` on arrays like `values`.

    Parameters
    ----------
    graph : Graph
    values : sequence of array
    stir : bool
        Whether the modules' random generators begin elsewhere than where they are.

    Raises
    ------
    TypeError
        If a module takes a branch that depends on values, or draws random numbers that a program
        could not draw anew.
    """
    generators = generators_of(graph.modules())
    theirs = [module for module in graph.modules() if not module.is_ours]
    passes = _Passes(graph)
    needed = [node.requires_grad for node in graph.inputs]
    with graph.set_aside():
        for generator in generators if stir else ():
            generator.random(8)
        states = [generator.bit_generator.state for generator in generators]
        kept = [attributes(module, skip=INTERNAL) for module in theirs]
        recording = Recording(passes.run, values, needed, graph.parameters(), reusable=True)
        vertices = toposort(*recording.outputs, *[node for _, _, node in recording.updates])
        unseen = is_drawn_unseen(generators, states, vertices)
        for module, before in zip(theirs, kept):
            for name in changed(before, attributes(module, skip=INTERNAL)):
                raise TypeError(
                    f"{graph!r} cannot be compiled: forward of {module!r} changes self.{name}, "
                    "which a program would not; declare an array in `buffers`, or run the graph "
                    "as it is"
                )
    owned = {p for module in graph.modules() for p in module.parameters()}
    for parameter in (owned | {*recording.foreign}) - {*graph.parameters()}:
        raise TypeError(
            f"{graph!r} cannot be compiled: it computes with {parameter!r}, which is not among "
            "its parameters; declare the graph again after a parameter was replaced"
        )
    places = [(module, name) for module, name, _ in recording.updates]
    if len(set(places)) < len(places):
        raise TypeError(
            f"{graph!r} cannot be compiled: a module whose buffers change stands at two vertices "
            "of it; run the graph as it is"
        )
    if unseen:
        raise TypeError(
            f"{graph!r} cannot be compiled: a module of it draws random numbers in its forward, "
            "which a program would not draw anew; use nn.Dropout, or run the graph as it is"
        )
    leaves = {leaf: Operation(None, [], leaf.value) for leaf in recording.leaves.values()}
    made = leaves | {
        leaf: Operation(None, [], leaf.value) for leaf in (*recording.inputs, *passes.buffers)
    }
    for leaf, own in (*zip(recording.inputs, graph.inputs), *_swapped(recording.leaves)):
        made[leaf].name = own.name
    for node in vertices:
        if node not in made:
            args = [made[parent] for parent in node.parents]
            origin = passes.origins.get(node, ("", ""))
            made[node] = Operation(node.module, args, node.value, origin, passes.names.get(node))
    loss, *gradients = [made[node] for node in recording.outputs]
    return Trace(
        [made[leaf] for leaf in recording.inputs],
        {leaves[leaf]: parameter for parameter, leaf in recording.leaves.items()},
        loss,
        list(zip(passes.wanted, gradients)),
        passes.without,
        {made[leaf]: place for leaf, place in passes.buffers.items()},
        [(module, name, made[node]) for module, name, node in recording.updates],
    )


class _Passes:
    """A forward and a backward pass on nodes, and which vertex each node was made for.

    Attributes
    ----------
    wanted, without : list of Node
        The vertices of the graph whose gradients are results, and those that have none.
    origins : dict of Node to (str, str)
    names : dict of Node to str
        For what a vertex of the graph holds, as value or gradient.
    buffers : dict of Node to (Module, str)
        What stood for a module's buffer.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.wanted = [*graph.parameters(), *[node for node in graph.inputs if node.requires_grad]]
        self.without: list[Node] = []
        self.origins: dict[Node, tuple[str, str]] = {}
        self.names: dict[Node, str] = {}
        self.buffers: dict[Node, tuple[Module, str]] = {}

    def run(self, *inputs: Any) -> tuple[Any, ...]:
        graph = self.graph
        self._exchange_buffers(inputs[0].recording)
        graph.zero_grad()
        loss = graph.forward(*inputs)
        operations = [node for node in graph.nodes if node.module is not None]
        for vertex in operations:
            self._claim(vertex.value, str(vertex.name), (str(vertex.name), "forward"))
        for node in (*graph.inputs, *operations):
            node.grad = None
        graph.outputs[0].accumulate_grad(seed(graph.outputs[0]))
        for vertex in reversed(operations):
            if vertex.requires_grad:
                backpropagate([vertex])
                for fed in (*vertex.parents, *vertex.parameters):
                    self._claim(fed.grad, f"grad_{fed.name}", (str(vertex.name), "backward"))
        self.without = [node for node in self.wanted if node.grad is None]
        self.wanted = [node for node in self.wanted if node.grad is not None]
        return (loss, *[node.grad for node in self.wanted])

    def _exchange_buffers(self, recording: Recording) -> None:
        """Put nodes in the place of buffers, so that programs read and write the buffers."""
        for module in self.graph.modules():
            for name in module.buffers:
                if isinstance(getattr(module, name), np.ndarray):
                    leaf = Input(name, value=getattr(module, name), recording=recording)
                    self.buffers[leaf] = module, name
                    setattr(module, name, leaf)

    def _claim(self, node: Any, name: str, origin: tuple[str, str]) -> None:
        """`node`, and all that it needs and that is not claimed yet, belongs to a vertex."""
        if not isinstance(node, Node) or node in self.origins:
            return
        self.names[node] = name
        pending = [node]
        while pending:
            found = pending.pop()
            if found not in self.origins and found.module is not None:
                self.origins[found] = origin
                pending.extend(found.parents)


def _swapped(leaves: dict[Parameter, Input]) -> list[tuple[Node, Node]]:
    return [(leaf, parameter) for parameter, leaf in leaves.items()]


def first_difference(one: Trace, other: Trace) -> str | None:
    """The vertex where two traces of a graph are not the same, if there is one."""
    for a, b in zip_longest(one.order(), other.order()):
        if a is None or b is None:
            return "a module of it"
        same = type(a.module) is type(b.module) and repr(a.module) == repr(b.module)
        if a.module is None and same:
            same = a.dtype == b.dtype and np.array_equal(a.value, b.value, equal_nan=True)
        if not same:
            user = next((c for c in one.order() if a in c.args), a)
            return repr(user.origin[0] or "a module of it")
    return None


def order_of(*outputs: Operation) -> list[Operation]:
    """Every operation that `outputs` need, arguments first."""
    order: list[Operation] = []
    done: set[Operation] = set()
    pending = [(output, False) for output in reversed(outputs)]
    while pending:
        operation, ready = pending.pop()
        if ready:
            order.append(operation)
        elif operation not in done:
            done.add(operation)
            pending.append((operation, True))
            pending.extend((arg, False) for arg in reversed(operation.args))
    return order
