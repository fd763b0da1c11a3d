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
from nnlite.flat import Flat
from nnlite.kept import INTERNAL, PLAIN, attributes, changed
from nnlite.node import Constant, Parameter
from nnlite.primitives.base import Primitive

if TYPE_CHECKING:
    from nnlite.graph import Graph
    from nnlite.module import Module

PROGRAMS = 8  # how many shapes of inputs are remembered


class Step:
    """The forward and backward pass of a graph in one call: ``loss = step(*inputs)``.

    Made by ``graph.compile()``. After a call each parameter, and each input with
    ``requires_grad``, holds its gradient of this call alone; gradients do not add up. The result
    is that of ``graph(*inputs)`` followed by ``graph.backward()``, to rounding.

    For inputs of new shapes or dtypes, and after a change of a module's attributes, another
    program is written on the way.

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
        return self._run(*inputs)

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
        self._flat.absorb()
        key = tuple([(np.shape(value), getattr(value, "dtype", type(value))) for value in values])
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

    def _moved(self, *inputs: Any) -> Any:
        """Take up parameters' new values, which are not where the program expects them."""
        if any(getattr(owner, name) is not p for owner, name, p in self._owners):
            return self._changed(*inputs)
        self._flat.absorb()
        return self._run(*inputs)

    def _written(self, values: Sequence[Any]) -> Program:
        modules = self.graph.modules()
        self._owners = _owners(self.graph)
        traced = trace(self.graph, values)
        if not all(module.is_ours() for module in modules):
            difference = first_difference(traced, trace(self.graph, values, stir=True))
            if difference is not None:
                raise TypeError(
                    f"{self.graph!r} cannot be compiled: {difference} computes with something "
                    "that is not the same in every pass. Draw random numbers with nn.Dropout and "
                    "declare state in `buffers`, or run the graph as it is"
                )
        guards = [*self._places(), *_guards(self.graph, self._changed)]
        return Program(simplify(traced), self._flat, guards, self._plan)

    def _places(self) -> Iterator[Guard]:
        moved = self._moved
        owners = {p: (owner, name) for owner, name, p in self._owners}
        for parameter, value in zip(self._flat.parameters, self._flat.values):
            owner, name = owners.get(parameter, (None, ""))
            place = f"{{0}}.{name}.value" if owner is not None else "{0}.value"
            item = parameter if owner is None else owner
            yield Guard(f"{place} is not {{1}}", (item, value), moved)


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
    for node in graph.nodes:
        if isinstance(node, Constant):
            yield Guard("{0}.value is not {1}", (node, node.value), otherwise)
    for module in graph.modules():
        if isinstance(module, Primitive) or module is graph:
            continue
        if not module.is_ours():
            state = partial(attributes, module, skip=INTERNAL)
            yield Guard("{0}({1}, {2}())", (changed, state(), state), otherwise)
        names = [
            name
            for name, item in vars(module).items()
            if name not in INTERNAL and isinstance(item, (*PLAIN, tuple))
        ]
        if names:
            getter = attrgetter(*names, "training")
            yield Guard("{0}({1}) != {2}", (getter, module, getter(module)), otherwise)
