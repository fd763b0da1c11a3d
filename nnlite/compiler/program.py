"""A program: the source that runs both passes of a graph for inputs of certain shapes."""

from __future__ import annotations

import linecache
import weakref
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from nnlite.compiler.plan import Plan
from nnlite.compiler.trace import Operation, Trace
from nnlite.compiler.writers.numpy import Writer
from nnlite.core.node import Parameter
from nnlite.core.vector import Flat

CALLS = (
    *(np.add, np.bitwise_and, np.divide, np.exp, np.matmul, np.minimum, np.multiply, np.negative),
    *(np.subtract, np.concatenate, np.copyto, np.dot, np.vdot, np.ndarray),
)


class Guard(NamedTuple):
    """A condition under which a program is wrong.

    Attributes
    ----------
    condition : str
        Python, with the places {0}, {1}, … for the items.
    items : tuple
    otherwise : callable
        What to call with the inputs where it is true.
    """

    condition: str
    items: tuple[Any, ...]
    otherwise: Callable[..., Any]


class Program:
    """Straight-line NumPy code for a trace.

    Parameters
    ----------
    trace : Trace
    flat : Flat
        Where the parameters are.
    guards : sequence of Guard
    otherwise : callable
        What is called with inputs of other shapes or dtypes.

    Attributes
    ----------
    source : str
    run : callable
        From the inputs to the loss; the parameters' gradients are then those of this call.
    size : int
        Bytes of memory that the program owns.
    """

    def __init__(
        self,
        trace: Trace,
        flat: Flat,
        guards: Sequence[Guard],
        otherwise: Callable[..., Any],
    ) -> None:
        index = {parameter: i for i, parameter in enumerate(flat.parameters)}
        given = {op: flat.values[index[p]] for op, p in trace.parameters.items()}
        targets = {}
        for node, operation in trace.gradients:
            if isinstance(node, Parameter) and operation not in targets:
                targets[operation] = flat.grads[index[node]]
        order = trace.order()
        plan = Plan(order, given, targets, set(trace.results()))
        writer = Writer(plan)
        for function in CALLS:
            writer.bind(function, function.__name__)
        self.size = plan.size
        self._writer = writer
        self._name_operations(trace, order, plan)
        body = [*self._checks(trace, flat, guards, otherwise), *self._operations(trace, order)]
        body += self._endings(trace, flat, index)
        names = ", ".join(writer.name(operation) for operation in trace.inputs)
        self.source = "\n".join([f"def step({names}):", *[f"    {line}" for line in body], ""])
        filename = f"<nnlite program {next(_NUMBERS)}>"
        linecache.cache[filename] = (len(self.source), None, self.source.splitlines(True), filename)
        namespace = dict(writer.names)
        exec(compile(self.source, filename, "exec"), namespace)
        self.run: Callable[..., Any] = namespace["step"]
        weakref.finalize(self, linecache.cache.pop, filename, None)

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

    def _checks(
        self,
        trace: Trace,
        flat: Flat,
        guards: Sequence[Guard],
        otherwise: Callable[..., Any],
    ) -> list[str]:
        writer = self._writer
        names = ", ".join(writer.name(operation) for operation in trace.inputs)
        conditions: list[tuple[str, Callable[..., Any]]] = []
        for operation in trace.inputs:
            name, value = writer.name(operation), operation.value
            if operation.is_array:
                dtype = writer.bind(value.dtype, str(value.dtype))
                condition = (
                    f"type({name}) is not ndarray or {name}.shape != {value.shape} "
                    f"or {name}.dtype != {dtype}"
                )
            else:
                kind = writer.bind(type(value), type(value).__name__)
                condition = f"type({name}) is not {kind}"
            conditions.append((condition, otherwise))
        for guard in guards:
            items = [writer.bind(item, _hint(item)) for item in guard.items]
            conditions.append((guard.condition.format(*items), guard.otherwise))
        lines = [
            f"if {condition}: return {writer.bind(call, call.__name__.lstrip('_'))}({names})"
            for condition, call in conditions
        ]
        for operation in trace.inputs:
            if operation.is_array:  # a gradient of the step before would be overwritten
                name, grad = writer.name(operation), writer.bind(flat.grad, "gradient")
                overlaps = writer.bind(np.may_share_memory, "overlap")
                lines.append(
                    f"if {name}.base is not None and {overlaps}({name}, {grad}): "
                    f"{name} = {name}.copy()"
                )
        return lines

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

    def _endings(self, trace: Trace, flat: Flat, index: dict[Parameter, int]) -> list[str]:
        writer, lines = self._writer, []
        for node in trace.without:
            lines.append(f"{writer.bind(node, f'vertex_{node.name}')}.grad = None")
        for node, operation in trace.gradients:
            vertex = writer.bind(node, f"vertex_{node.name}")
            if not isinstance(node, Parameter):
                lines.append(f"{vertex}.grad = {self._own(operation)}")
                continue
            target = flat.grads[index[node]]
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


def _same_memory(a: Any, b: Any) -> bool:
    return bool(
        a.__array_interface__["data"] == b.__array_interface__["data"]
        and (a.strides == b.strides or a.size == 1)
    )


def _hint(item: Any) -> str:
    """A name for an item of a guard."""
    for name in ("label", "name", "__name__"):
        if isinstance(getattr(item, name, None), str):
            return f"{getattr(item, name)}_"
    return "known"


_NUMBERS = count(1)
