"""Step: a graph that runs as a straight-line program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite.compiler.program import Guard, Program
from nnlite.compiler.simplify import simplify
from nnlite.compiler.trace import first_difference, trace
from nnlite.core.guard import INTERNAL, PLAIN, attributes, changed, sample
from nnlite.core.node import Constant, Parameter
from nnlite.core.primitives.base import Primitive
from nnlite.core.value import Value
from nnlite.core.vector import Flat

if TYPE_CHECKING:
    from nnlite.core.module import Module
    from nnlite.graph.graph import Graph

PROGRAMS = 8  # how many shapes of inputs are remembered


class Step:
    """The forward and backward pass of a graph in one call: ``loss = step(*inputs)``.

    Made by ``graph.compile()``. After a call each parameter, and each input with
    ``requires_grad``, holds its gradient of this call alone; gradients do not add up. The other
    vertices hold nothing: for values on the way, run the graph itself. The result is that of
    ``graph(*inputs)`` followed by ``graph.backward()``, to rounding.

    For inputs of new shapes or dtypes, and after a change of a module's attributes, another
    program is written on the way. What a module reads from a closure or a global variable, and
    its methods, are read once.

    Parameters
    ----------
    graph : Graph
        With one output of one element, and parameters of one dtype. They become parts of one
        vector, which optimisers write to.

    Attributes
    ----------
    source : str
        The program that ran last.
    gradient : array, (size,)
        The parameters' gradients, one after the other with zeros between them; written to by each
        call.
    size : int
        Bytes of memory that the programs own.

    Raises
    ------
    TypeError
        When called, if a module takes a branch that depends on values, or computes with something
        that is not the same each time, such as a random number that was not drawn from a
        generator by the modules of nnlite. Such a graph runs uncompiled.

    Examples
    --------
    >>> from nnlite import Graph, Input, Parameter, SGD
    >>> w, x = Parameter([1.0, 2.0]), Input("x")
    >>> step = Graph([x], (w * w * x).sum()).compile()
    >>> step(np.array([3.0, 4.0])), w.grad
    (np.float64(19.0), array([ 6., 16.]))
    >>> SGD([w], lr=0.5).step()
    >>> w.value
    array([-2., -6.])
    """

    def __init__(self, graph: Graph) -> None:
        if len(graph.outputs) != 1:
            raise TypeError(f"{graph!r} has {len(graph.outputs)} outputs; a loss is one")
        self.graph = graph
        self._flat = Flat(graph.parameters())
        self._owners: list[tuple[Module, str, Parameter]] = []
        self._programs: dict[Any, Program] = {}
        self._latest: Program | None = None
        self._run: Callable[..., Any] = self._plan

    def __reduce__(self) -> Any:
        return type(self), (self.graph,)

    def __call__(self, *inputs: Any) -> Any:
        try:
            return self._run(*inputs)
        except BaseException:
            for parameter in self._flat.parameters:
                parameter.grad = None  # which may be half of this call and half of the one before
            raise

    @property
    def source(self) -> str:
        return "" if self._latest is None else self._latest.source

    @property
    def gradient(self) -> Any:
        """The gradients of all parameters, one after the other; of the last call."""
        return self._flat.grad

    @property
    def size(self) -> int:
        return sum(program.size for program in self._programs.values())

    def _plan(self, *inputs: Any) -> Any:
        """Find or write the program for inputs of these shapes, and run it."""
        values = self.graph.checked(inputs)
        if any(isinstance(value, Value) for value in values):
            raise TypeError("a compiled step takes arrays; differentiate the graph itself")
        self._flat.absorb()
        self.graph.forget()
        key = tuple(
            [(np.shape(value), getattr(value, "dtype", None), type(value)) for value in values]
        )
        program = self._programs.pop(key, None)
        if program is None:
            program = self._written(values)
            if len(self._programs) == PROGRAMS:
                del self._programs[next(iter(self._programs))]
        self._programs[key] = self._latest = program
        self._run = program.run
        return program.run(*values)

    def _changed(self, *inputs: Any) -> Any:
        """Write all programs anew, as something that they depend on is not what it was."""
        self._programs.clear()
        return self._plan(*inputs)

    def _passed(self, *inputs: Any) -> Any:
        """Drop what an interpreted pass left at the vertices, which would not be of this one."""
        self.graph.forget()
        return self._run(*inputs)

    def _moved(self, *inputs: Any) -> Any:
        """Take up parameters' new values, which are not where the program expects them."""
        if any(getattr(owner, name) is not p for owner, name, p in self._owners):
            return self._changed(*inputs)
        self._flat.absorb()
        return self._run(*inputs)

    def _written(self, values: Sequence[Any]) -> Program:
        modules = self.graph.modules()
        self._owners = _owners(self.graph)
        try:
            traced = trace(self.graph, values)
        except (TypeError, NotImplementedError) as error:
            if "cannot be compiled" not in str(error):
                error.add_note(
                    f"this happened as {self.graph!r} was compiled: its passes ran on nodes in "
                    "place of arrays. Where the graph runs as it is, run it so"
                )
            raise
        if not all(module.is_ours for module in modules):
            difference = first_difference(traced, trace(self.graph, values, stir=True))
            if difference is not None:
                raise TypeError(
                    f"{self.graph!r} cannot be compiled: {difference} computes with something "
                    "that is not the same in every pass. Draw random numbers with nn.Dropout and "
                    "declare state in `buffers`, or run the graph as it is"
                )
        passed = Guard("{0}._ran_with is not None", (self.graph,), self._passed)
        guards = [passed, *self._places(), *_guards(self.graph, self._changed)]
        return Program(simplify(traced), self._flat, guards, self._plan)

    def _places(self) -> Iterator[Guard]:
        moved = self._moved
        values = dict(zip(self._flat.parameters, self._flat.values))
        for owner, name, parameter in self._owners:
            yield Guard(f"{{0}}.{name}.value is not {{1}}", (owner, values[parameter]), moved)
        for parameter in values.keys() - {parameter for _, _, parameter in self._owners}:
            yield Guard("{0}.value is not {1}", (parameter, values[parameter]), moved)


def _owners(graph: Graph) -> list[tuple[Module, str, Parameter]]:
    """The modules that have a parameter of the graph as an attribute."""
    trained = set(graph.parameters())
    return [
        (module, name, item)
        for module in graph.modules()
        for name, item in vars(module).items()
        if isinstance(item, Parameter) and item in trained
    ]


def _guards(graph: Graph, otherwise: Callable[..., Any]) -> Iterator[Guard]:
    """What a program depends on besides its inputs and the parameters."""
    for node in _constants(graph):
        if isinstance(node.value, np.ndarray):
            items = (_is_changed, node, node.value, sample(node.value)[1])
            yield Guard("{0}({1}, {2}, {3})", items, otherwise)
        else:
            yield Guard("{0}.value is not {1}", (node, node.value), otherwise)
    for module in graph.modules():
        if isinstance(module, Primitive) or module is graph:
            continue
        held = {name: item for name, item in vars(module).items() if name not in INTERNAL}
        arrays = [n for n, item in held.items() if isinstance(item, np.ndarray)]
        if not module.is_ours or set(arrays) - set(module.buffers):
            state = partial(attributes, module, skip=INTERNAL)
            yield Guard("{0}({1}, {2}())", (changed, state(), state), otherwise)
        for name, item in held.items():
            if isinstance(item, np.random.Generator):
                yield Guard(f"{{0}}.{name} is not {{1}}", (module, item), otherwise)
        names = [
            name
            for name, item in held.items()
            if isinstance(item, (*PLAIN, tuple)) and name not in module.descriptive
        ]
        names += _of_class(module)
        if names or not module.is_ours:
            getter = attrgetter(*names, "training")
            yield Guard("{0}({1}) != {2}", (getter, module, getter(module)), otherwise)


def _of_class(module: Module) -> list[str]:
    """Names of the plain attributes that a module's own classes give it."""
    return [
        name
        for cls in type(module).__mro__
        if not vars(cls).get("is_ours")
        for name, item in vars(cls).items()
        if not name.startswith("__") and isinstance(item, PLAIN)
    ]


def _constants(graph: Graph) -> list[Constant]:
    """The constants of the graph and of the graphs in it."""
    graphs = [graph, *[part.graph for part in graph.modules() if hasattr(part, "graph")]]
    nodes = dict.fromkeys(node for each in graphs for node in each.nodes)
    return [node for node in nodes if isinstance(node, Constant)]


def _is_changed(node: Constant, value: Any, part: bytes) -> bool:
    return node.value is not value or sample(value)[1] != part
