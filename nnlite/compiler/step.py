"""Step: both passes as a straight-line program, one for each combination of shapes and state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnlite.compiler import fits
from nnlite.compiler.program import Program
from nnlite.compiler.simplify import simplify
from nnlite.compiler.trace import traced
from nnlite.core.passes import NotRecordableError, Recordable
from nnlite.core.value import Value
from nnlite.core.vector import Vector

PROGRAMS = 16  # how many are remembered


class NotCompilableError(NotRecordableError):
    """What cannot be a program, because a program would do something else."""


class Step:
    """A forward and a backward pass in one call: ``loss = step(*inputs)``.

    Made by ``graph.compile()``. After a call each parameter, and each input with
    ``requires_grad``, holds its gradient of this call alone; gradients do not add up. The other
    vertices hold nothing: for values on the way, run the graph itself. The result is that of
    ``graph(*inputs)`` followed by ``graph.backward()``, to rounding.

    For inputs of new shapes or dtypes, and after a change of a module's attributes or mode,
    another program is written on the way; the one before is kept. What a module reads from a
    closure or a global variable, and its methods, are read once.

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

    def __init__(self, graph: Recordable) -> None:
        self.graph: Any = graph
        self._vector = Vector(graph.parameters())
        self._programs: dict[Any, Program] = {}
        self._latest: Program | None = None

    def __reduce__(self) -> Any:
        return type(self), (self.graph,)

    def __call__(self, *inputs: Any) -> Any:
        try:
            program = self._latest
            if program is None or not program.fits(*inputs):
                program, inputs = self._fitting(inputs)
            return program.run(*inputs)
        except BaseException:
            for parameter in self._vector.parameters:
                parameter.grad = None  # which may be half of this call and half of the one before
            if self._latest is not None and len(inputs) != len(self._latest.inputs):
                self.graph._checked(inputs)  # which says what there should be
            raise

    @property
    def source(self) -> str:
        return "" if self._latest is None else self._latest.source

    @property
    def gradient(self) -> Any:
        """The gradients of all parameters, one after the other; of the last call."""
        return self._vector.grad

    @property
    def size(self) -> int:
        return sum(program.size for program in self._programs.values())

    def _fitting(self, inputs: tuple[Any, ...]) -> tuple[Program, tuple[Any, ...]]:
        """Find or write the program for inputs of these shapes, as things are."""
        self._vector.absorb()
        self.graph._forget()
        if self._latest is not None and self._latest.fits(*inputs):
            return self._latest, inputs
        values = [self._own(value) for value in self.graph._checked(inputs)]
        states = self.graph._states()
        kinds = [(np.shape(value), getattr(value, "dtype", type(value))) for value in values]
        key = (*kinds, *[state.key for state in states])
        program = self._programs.pop(key, None)
        if program is None:
            program = self._written(values)
            if len(self._programs) == PROGRAMS:
                del self._programs[next(iter(self._programs))]
        if program.states is None or not program.fits(*values):
            program.states = states
            program.fits = fits.written(self.graph, program.inputs, self._vector, states)
        self._programs[key] = self._latest = program
        return program, tuple(values)

    def _own(self, value: Any) -> Any:
        """An input, or its copy where the program would write over it."""
        if isinstance(value, Value):
            raise TypeError("a compiled step takes arrays; differentiate the graph itself")
        return value.copy() if np.may_share_memory(value, self._vector.grad) else value

    def _written(self, values: Sequence[Any]) -> Program:
        graph = self.graph
        try:
            passes = graph._recorded(values)
            for module, name in passes.side_effects:
                raise NotRecordableError(
                    f"forward of {module!r} changes self.{name}, which a program would not; "
                    "declare an array in `buffers`"
                )
            places = [(module, name) for module, name, _ in passes.updates]
            if len(set(places)) < len(places):
                raise NotRecordableError(
                    "a module whose buffers change stands at two vertices of it"
                )
        except NotRecordableError as error:
            raise NotCompilableError(
                f"{graph!r} cannot be compiled: {error}; or run the graph as it is"
            ) from error
        except (TypeError, NotImplementedError) as error:
            error.add_note(
                f"this happened as {graph!r} was compiled: its passes ran on nodes in place of "
                "arrays. Where the graph runs as it is, run it so"
            )
            raise
        return Program(simplify(traced(passes)), self._vector)
