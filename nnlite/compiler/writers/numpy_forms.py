"""The NumPy calls of each form."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nnlite.compiler.lowering import (
    REDUCTIONS,
    Added,
    Copied,
    Form,
    Joined,
    Masked,
    MatrixProduct,
    OneHot,
    Padded,
    Picked,
    Reduced,
    StableSigmoid,
    Ufunc,
    is_within,
)
from nnlite.compiler.trace import Operation
from nnlite.compiler.writers.names import Names
from nnlite.core.primitives.base import Constantlike
from nnlite.core.primitives.extrema import Max, Min
from nnlite.core.primitives.indexing import GetItem
from nnlite.core.primitives.logistic import saturation
from nnlite.core.primitives.reductions import Mean, Sum, reduced_axes
from nnlite.core.primitives.windows import window_pairs

SHORT = 1024  # entries that are summed up to rounding as well by a product with ones


def lines_of(form: Form, w: Names, operation: Operation, out: str) -> list[str]:
    """Python that writes the result of an operation into the array called `out`."""
    return _LINES[type(form)](form, w, operation, out)


def reducer(kind: type) -> str:
    return {Max: "max_over", Min: "min_over"}.get(kind, "sum_over")


def _ufunc(form: Form, w: Names, operation: Operation, out: str) -> list[str]:
    function, dtype = operation.module.function, operation.dtype
    if isinstance(operation.module, Constantlike):
        dtype = np.result_type(*[arg.value for arg in operation.args])
    values = ", ".join(w.value(arg, dtype) for arg in operation.args)
    # NumPy deprecates a third argument by position of just these two.
    last = f"out={out}" if function in (np.maximum, np.minimum) else out
    return [f"{w.bind(function, function.__name__)}({values}, {last})"]


def _stable_sigmoid(form: Form, w: Names, operation: Operation, out: str) -> list[str]:
    (z,), (total,), dtype = operation.args, w.scratch(operation), operation.dtype
    limit, one = w.number(saturation(dtype), dtype), w.number(1, dtype)
    return [
        f"minimum({w.value(z)}, {limit}, out={out})",
        f"exp({out}, {out})",
        f"add({out}, {one}, {w.bind(total, f'{out}_total')})",
        f"divide({out}, {w.bind(total, out)}, {out})",
    ]


def _masked(form: Form, w: Names, operation: Operation, out: str) -> list[str]:
    (mask, x, _), (bits,) = operation.args, w.scratch(operation)
    whole = w.bind(bits, f"{out}_mask")
    result = w.bind(w.place(operation).view(bits.dtype), f"{out}_bits")
    return [
        f"negative({w.viewed(mask, np.int8)}, {whole})",
        f"bitwise_and({w.viewed(x, bits.dtype)}, {whole}, {result})",
    ]


def _one_hot(form: Form, w: Names, operation: Operation, out: str) -> list[str]:
    column, numbers = operation.args
    unit = w.shared(f"unit_{numbers.shape[0]}", np.eye(numbers.shape[0], dtype=bool))
    labels = f"{w.value(column)}[:, 0]"
    if isinstance(column.module, GetItem) and column.module.key == (slice(None), None):
        labels = w.value(column.args[0])
    return [f"{unit}.take({labels}, 0, {out}, 'clip')"]


def _product(form: Form, w: Names, operation: Operation, out: str) -> list[str]:
    a, b = operation.args
    are_matrices = len(a.shape) == 2 == len(b.shape) and a.dtype == b.dtype
    return [f"{'dot' if are_matrices else 'matmul'}({w.value(a)}, {w.value(b)}, {out})"]


def _reduced(form: Reduced, w: Names, operation: Operation, out: str) -> list[str]:
    module, (x,) = operation.module, operation.args
    axes = reduced_axes(module.axis, len(x.shape))
    function = w.bind(REDUCTIONS[type(module)], reducer(type(module)))
    if form.has_short_rows(operation):
        (columns,) = w.scratch(operation)
        name, vector = w.bind(columns, f"{out}_columns"), w.entries(operation)
        return [f"copyto({name}, {w.value(x)}.T)", f"{function}({name}, 0, None, {vector})"]
    is_sum = type(module) in (Sum, Mean) and len(x.shape) == 2 and len(axes) == 1
    if is_sum and x.shape[axes[0]] > 0 and (axes == (0,) or x.shape[1] <= SHORT):
        ones = w.ones(x.shape[axes[0]], operation.dtype)
        factors = [ones, w.value(x)] if axes == (0,) else [w.value(x), ones]
        lines = [f"dot({', '.join(factors)}, {w.entries(operation)})"]
    else:
        axis = axes[0] if len(axes) == 1 else axes
        lines = [f"{function}({w.value(x)}, {axis}, None, {out}, {module.keepdims})"]
    if type(module) is Mean:
        terms = math.prod([x.shape[axis] for axis in axes])
        lines.append(f"divide({out}, {w.number(terms, operation.dtype)}, {out})")
    return lines


def _picked(form: Form, w: Names, operation: Operation, out: str) -> list[str]:
    x, index = operation.args
    m, n = x.shape
    entries = w.entries(x)
    if entries and is_within(index, n):
        places = w.bind(w.scratch(operation)[0], f"{out}_places")
        starts = w.shared(f"{out}_rows", np.arange(0, m * n, n)[:, None])
        return [
            f"add({w.value(index)}, {starts}, {places})",
            f"{entries}.take({places}, None, {out}, 'clip')",
        ]
    rows = w.shared(f"{out}_rows", np.arange(m)[:, None])
    return [f"copyto({out}, {w.value(x)}[{rows}, {w.value(index)}])"]


def _padded(form: Form, w: Names, operation: Operation, out: str) -> list[str]:
    (x,), place = operation.args, w.place(operation)
    widths = operation.module.widths(place.ndim)
    inside = tuple(slice(before, before + n) for (before, _), n in zip(widths, x.shape))
    return [f"copyto({w.bind(place[inside], f'{out}_inside')}, {w.value(x)})"]


def _added(form: Form, w: Names, operation: Operation, out: str) -> list[str]:
    module, (x,) = operation.module, operation.args
    source = w.plan.places.get(x)
    if source is None:
        return [f"copyto({out}, {w.bind(module, module.label)}.linear({w.value(x)}))"]
    pairs = window_pairs(w.place(operation), source, module.window)
    return [
        f"{out}.fill(0)",
        f"for part, window in {w.bind(pairs, f'{out}_windows')}: add(part, window, part)",
    ]


def _joined(form: Form, w: Names, operation: Operation, out: str) -> list[str]:
    axis = operation.module.along([arg.value for arg in operation.args])
    joined = "".join(f"{w.value(arg)}, " for arg in operation.args)
    return [f"concatenate(({joined.rstrip()}), {axis}, {out})"]


def _copied(form: Form, w: Names, operation: Operation, out: str) -> list[str]:
    (x,) = operation.args
    if x.shape != operation.shape:
        out = w.bind(w.place(operation).reshape(x.shape), out)
    return [f"copyto({out}, {w.value(x)}, 'unsafe')"]


_LINES: dict[type[Form], Callable[..., list[str]]] = {
    Ufunc: _ufunc,
    StableSigmoid: _stable_sigmoid,
    Masked: _masked,
    OneHot: _one_hot,
    MatrixProduct: _product,
    Reduced: _reduced,
    Picked: _picked,
    Padded: _padded,
    Added: _added,
    Joined: _joined,
    Copied: _copied,
}
