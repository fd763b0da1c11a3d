"""A program: straight-line NumPy code that runs both passes for inputs of certain shapes."""

from __future__ import annotations

import linecache
import weakref
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import numpy as np

from nnlite.compiler.plan import Plan
from nnlite.compiler.trace import Operation, Trace
from nnlite.compiler.writers.numpy import Writer
from nnlite.core.node import Parameter
from nnlite.core.vector import Vector

CALLS = (
    *(np.add, np.bitwise_and, np.divide, np.exp, np.matmul, np.minimum, np.multiply, np.negative),
    *(np.subtract, np.concatenate, np.copyto, np.dot, np.vdot),
)


class Program:
    """Straight-line NumPy code for a trace.

    Parameters
    ----------
    trace : Trace
    vector : Vector
        Where the parameters are.

    Attributes
    ----------
    source : str
    run : callable
        From the inputs to the loss; the parameters' gradients are then those of this call.
    fits : callable
        From the inputs to whether the program is right for them, as things are.
    states : list of State
        What the program rests on.
    size : int
        Bytes of memory that the program owns.
    """

    fits: Callable[..., bool]
    states: Any = None

    def __init__(self, trace: Trace, vector: Vector) -> None:
        index = {parameter: i for i, parameter in enumerate(vector.parameters)}
        given = {op: vector.values[index[p]] for op, p in trace.parameters.items()}
        targets = {}
        for node, operation in trace.gradients:
            if isinstance(node, Parameter) and operation not in targets:
                targets[operation] = vector.grads[index[node]]
        order = trace.order()
        plan = Plan(order, given, targets, set(trace.results()))
        self._writer = Writer(plan)
        for function in CALLS:
            self._writer.bind(function, function.__name__)
        self.size = plan.size
        self.inputs = trace.inputs
        self._name_operations(trace, order, plan)
        body = [*self._operations(trace, order), *self._endings(trace, vector, index)]
        names = [self._writer.name(operation) for operation in trace.inputs]
        self.source = function_text("step", names, body)
        self.run: Callable[..., Any] = executable("step", self.source, self._writer.names)

    def _name_operations(self, trace: Trace, order: list[Operation], plan: Plan) -> None:
        """Good names first; what works in place of an argument is called like its outcome."""
        writer = self._writer
        for operation in (*trace.inputs, *trace.parameters, *trace.buffers):
            writer.name(operation)
        for node, operation in trace.gradients:
            operation.name = f"grad_{node.name}"
        for operation in reversed(order):
            if operation.module is None:
                continue
            if operation.name is not None:
                writer.name(operation)
            before = plan.chains.get(operation)
            if before is not None and before.name is None:
                writer.same_name(before, operation)

    def _operations(self, trace: Trace, order: list[Operation]) -> list[str]:
        lines = [
            f"{self._writer.name(operation)} = {self._writer.bind(module, module.label)}.{name}"
            for operation, (module, name) in trace.buffers.items()
            if operation in order
        ]
        origin = None
        for operation in order:
            if operation.module is None:
                continue
            new = self._writer.lines(operation)
            if new and operation.origin != origin:
                origin = operation.origin
                words = " ".join(", ".join(origin).split()) if any(origin) else "buffers"
                new[0] = f"{new[0]:<44}  # {words}"
            lines += new
        return lines

    def _endings(self, trace: Trace, vector: Vector, index: dict[Parameter, int]) -> list[str]:
        writer, lines = self._writer, []
        for node in trace.without:
            lines.append(f"{writer.bind(node, f'vertex_{node.name}')}.grad = None")
        for node, operation in trace.gradients:
            vertex = writer.bind(node, f"vertex_{node.name}")
            if not isinstance(node, Parameter):
                lines.append(f"{vertex}.grad = {self._own(operation)}")
                continue
            target = vector.grads[index[node]]
            place = writer.plan.places.get(operation)
            if place is not None and _same_memory(place, target):
                writer.names[writer.name(operation)] = target
                name = writer.name(operation)
            else:
                name = writer.bind(target, f"grad_{node.name}")
                lines.append(f"copyto({name}, {writer.value(operation)})")
            lines.append(f"{vertex}.grad = {name}")
        for module, attribute, operation in trace.updates:
            owner = writer.bind(module, module.label)
            lines.append(f"{owner}.{attribute} = {self._own(operation)}")
        return [*lines, f"return {self._own(trace.loss)}"]

    def _own(self, operation: Operation) -> str:
        """A result that nothing else will write to."""
        return self._writer.value(operation) + (".copy()" if operation.is_array else "")


def function_text(name: str, arguments: list[str], body: list[str]) -> str:
    return "\n".join([f"def {name}({', '.join(arguments)}):", *[f"    {x}" for x in body], ""])


def executable(name: str, source: str, namespace: Mapping[str, Any]) -> Callable[..., Any]:
    """The function of that name in `source`, whose lines tracebacks show."""
    filename = f"<nnlite program {next(_NUMBERS)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    names = dict(namespace)
    exec(compile(source, filename, "exec"), names)
    function: Callable[..., Any] = names[name]
    weakref.finalize(function, linecache.cache.pop, filename, None)
    return function


def _same_memory(a: Any, b: Any) -> bool:
    return bool(
        a.__array_interface__["data"] == b.__array_interface__["data"]
        and (a.strides == b.strides or a.size == 1)
    )


_NUMBERS = count(1)
