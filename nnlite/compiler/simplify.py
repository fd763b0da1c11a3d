"""Leaving out what does not change a result: x·1, x − 0, arithmetic on constants, repetitions.

(x + 0 is not x: it makes 0 of −0.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from nnlite.compiler.trace import Operation, Trace
from nnlite.core.primitives.base import Constantlike
from nnlite.core.primitives.dtypes import AsType
from nnlite.core.primitives.elementwise import Elementwise
from nnlite.core.primitives.linalg import MatMul
from nnlite.core.primitives.reductions import Mean, Sum
from nnlite.core.primitives.shape import BroadcastTo, Permute, Reshape


def simplify(trace: Trace) -> Trace:
    """The same results, to rounding, with fewer operations."""
    given = {*trace.inputs, *trace.parameters, *trace.buffers}
    new: dict[Operation, Operation] = {}
    known: dict[Any, Operation] = {}
    for old in trace.order():
        if old.module is None:
            new[old] = old
            continue
        args = [new[arg] for arg in old.args]
        operation = _simplified(replace(old, args=args), given)
        new[old] = known.setdefault(_key(operation), operation)
        if new[old].name is None and old.name is not None and new[old].module is not None:
            new[old].name = old.name
    return replace(
        trace,
        loss=new[trace.loss],
        gradients=[(node, new[operation]) for node, operation in trace.gradients],
        updates=[(module, name, new[operation]) for module, name, operation in trace.updates],
    )


def _simplified(operation: Operation, given: set[Operation]) -> Operation:
    module, args = operation.module, operation.args

    def is_number(arg: Operation) -> bool:
        return arg.module is None and arg not in given and not arg.is_array

    if isinstance(module, AsType) and args[0].dtype == module.dtype:
        return args[0]
    if not isinstance(module, Elementwise):
        return operation
    operation.args = args = [_not_repeated(arg, i, operation) for i, arg in enumerate(args)]
    if len(args) == 2:
        for number, other in ((args[1], args[0]), (args[0], args[1])):
            if (
                is_number(number)
                and module.function in _NEUTRAL
                and number.value == _NEUTRAL[module.function]
                and (number is args[1] or module.function is np.multiply)
                and (other.shape, other.dtype) == (operation.shape, operation.dtype)
            ):
                return other
    if module.function in (np.multiply, np.divide) and not operation.is_array:
        return _one_factor(operation, is_number)
    return operation


def _one_factor(operation: Operation, is_number: Callable[[Operation], bool]) -> Operation:
    """x·a/b as x·(a/b), for numbers."""
    factor, source = 1.0, operation
    while isinstance(source.module, Elementwise) and not source.is_array:
        a, b = source.args if len(source.args) == 2 else (source, source)
        if source.module.function is np.divide and is_number(b) and b.value != 0:
            factor, source = factor / float(b.value), a
        elif source.module.function is np.multiply and is_number(b):
            factor, source = factor * float(b.value), a
        elif source.module.function is np.multiply and is_number(a):
            factor, source = factor * float(a.value), b
        else:
            break
    if source in operation.args or source.dtype != operation.dtype or operation.dtype.kind != "f":
        return operation
    number = Operation(None, [], operation.dtype.type(factor))
    return replace(operation, module=Elementwise(np.multiply), args=[source, number])


_NEUTRAL: dict[Callable[..., Any], int] = {np.subtract: 0, np.multiply: 1, np.divide: 1}


def _not_repeated(arg: Operation, position: int, operation: Operation) -> Operation:
    """A number that was repeated to the shape which the other arguments have anyway."""
    if not isinstance(arg.module, BroadcastTo):
        return arg
    source = arg.args[0]
    others = [other.shape for i, other in enumerate(operation.args) if i != position]
    fits = np.broadcast_shapes(source.shape, *others) == operation.shape
    return source if fits and source.dtype == operation.dtype else arg


def _key(operation: Operation) -> Any:
    """Equal for operations that give the same."""
    module, args = operation.module, tuple(map(id, operation.args))
    if type(module) is Elementwise:
        return Elementwise, module.function, args
    if type(module) is Constantlike and isinstance(module.function, np.ufunc):
        return Constantlike, module.function, args
    if type(module) in (Sum, Mean):
        return type(module), module.axis, module.keepdims, args
    if type(module) in (Permute, Reshape):
        return type(module), repr(module), args
    if type(module) is MatMul:
        return MatMul, args
    return id(operation)
