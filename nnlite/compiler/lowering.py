"""How operations write their results into arrays: the calls for each kind of operation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite.compiler.trace import Operation
from nnlite.compiler.views import VIEWS
from nnlite.core.primitives.base import Constantlike
from nnlite.core.primitives.checked import Checked
from nnlite.core.primitives.dtypes import AsType
from nnlite.core.primitives.elementwise import Elementwise
from nnlite.core.primitives.extrema import Max, Min
from nnlite.core.primitives.indexing import GetItem
from nnlite.core.primitives.joining import Concatenate
from nnlite.core.primitives.linalg import MatMul
from nnlite.core.primitives.logistic import Logistic, saturation
from nnlite.core.primitives.moving import Pad
from nnlite.core.primitives.reductions import Mean, Sum, reduced_axes
from nnlite.core.primitives.shape import Reshape
from nnlite.core.primitives.taking import TakeAlongAxis
from nnlite.core.primitives.windows import AddedWindows, window_pairs

if TYPE_CHECKING:
    from nnlite.compiler.writers.numpy import Writer

Memory = list[tuple[tuple[int, ...], Any]]
SHORT = 1024  # entries that are summed up to rounding as well by a product with ones
REDUCTIONS: dict[type, Any] = {
    Sum: np.add.reduce,
    Mean: np.add.reduce,
    Max: np.maximum.reduce,
    Min: np.minimum.reduce,
}


class Form:
    """A way to carry out an operation whose result has a place.

    Attributes
    ----------
    in_place : bool
        Whether the place may be that of an argument of the same shape and dtype.
    keeps : bool
        Whether the place must be the operation's own from run to run.
    """

    in_place = False
    keeps = False

    def applies(self, operation: Operation) -> bool:
        raise NotImplementedError

    def scratch(self, operation: Operation) -> Memory:
        """Shapes and dtypes of memory that is needed on the way."""
        return []

    def lines(self, w: Writer, operation: Operation, out: str) -> list[str]:
        """Python that writes the result into the array called `out`."""
        raise NotImplementedError


class Ufunc(Form):
    """A function of NumPy's that takes an array for its result."""

    in_place = True

    def applies(self, operation: Operation) -> bool:
        module = operation.module
        return (
            isinstance(module, Elementwise | Constantlike)
            and isinstance(module.function, np.ufunc)
            and not getattr(module, "kwargs", None)
        )

    def lines(self, w: Writer, operation: Operation, out: str) -> list[str]:
        function, dtype = operation.module.function, operation.dtype
        if isinstance(operation.module, Constantlike):
            dtype = np.result_type(*[arg.value for arg in operation.args])
        values = ", ".join(w.value(arg, dtype) for arg in operation.args)
        # NumPy deprecates a third argument by position of just these two.
        last = f"out={out}" if function in (np.maximum, np.minimum) else out
        return [f"{w.bind(function, function.__name__)}({values}, {last})"]


class Sigmoid(Form):
    in_place = True

    def applies(self, operation: Operation) -> bool:
        return isinstance(operation.module, Logistic)

    def scratch(self, operation: Operation) -> Memory:
        return [(operation.shape, operation.dtype)]

    def lines(self, w: Writer, operation: Operation, out: str) -> list[str]:
        (z,), (total,), dtype = operation.args, w.scratch(operation), operation.dtype
        limit, one = w.number(saturation(dtype), dtype), w.number(1, dtype)
        return [
            f"minimum({w.value(z)}, {limit}, out={out})",
            f"exp({out}, {out})",
            f"add({out}, {one}, {w.bind(total, f'{out}_total')})",
            f"divide({out}, {w.bind(total, out)}, {out})",
        ]


class Masked(Form):
    """where(mask, x, 0): the bits of x, where those of the mask are all ones or all zeros."""

    def applies(self, operation: Operation) -> bool:
        module = operation.module
        if not isinstance(module, Elementwise) or module.function is not np.where:
            return False
        mask, x, zero = operation.args
        return (
            (mask.shape, mask.dtype) == (operation.shape, np.dtype(bool))
            and mask.is_array
            and (x.shape, x.dtype) == (operation.shape, operation.dtype)
            and operation.dtype.itemsize in (2, 4, 8)
            and zero.module is None
            and type(zero.value) in (int, float)
            and zero.value == 0
            and math.copysign(1, zero.value) > 0
        )

    def scratch(self, operation: Operation) -> Memory:
        return [(operation.shape, np.dtype(f"i{operation.dtype.itemsize}"))]

    def lines(self, w: Writer, operation: Operation, out: str) -> list[str]:
        (mask, x, _), (bits,) = operation.args, w.scratch(operation)
        whole = w.bind(bits, f"{out}_mask")
        result = w.bind(w.place(operation).view(bits.dtype), f"{out}_bits")
        return [
            f"negative({w.viewed(mask, np.int8)}, {whole})",
            f"bitwise_and({w.viewed(x, bits.dtype)}, {whole}, {result})",
        ]


class OneHot(Form):
    """column == arange(n), for a column of indices that were checked: rows of a unit matrix."""

    def applies(self, operation: Operation) -> bool:
        module = operation.module
        if not isinstance(module, Constantlike) or module.function is not np.equal:
            return False
        column, numbers = operation.args
        n = operation.shape[-1] if operation.is_array and operation.shape else 0
        return (
            0 < n <= 256
            and column.shape == (operation.shape[0], 1)
            and is_within(column, n)
            and numbers.module is None
            and np.array_equal(numbers.value, np.arange(n))
        )

    def lines(self, w: Writer, operation: Operation, out: str) -> list[str]:
        column, numbers = operation.args
        unit = w.shared(f"unit_{numbers.shape[0]}", np.eye(numbers.shape[0], dtype=bool))
        labels = f"{w.value(column)}[:, 0]"
        if isinstance(column.module, GetItem) and column.module.key == (slice(None), None):
            labels = w.value(column.args[0])
        return [f"{unit}.take({labels}, 0, {out}, 'clip')"]


class Product(Form):
    """Matrix products; those of two matrices go to BLAS without a detour."""

    def applies(self, operation: Operation) -> bool:
        return isinstance(operation.module, MatMul)

    def lines(self, w: Writer, operation: Operation, out: str) -> list[str]:
        a, b = operation.args
        are_matrices = len(a.shape) == 2 == len(b.shape) and a.dtype == b.dtype
        return [f"{'dot' if are_matrices else 'matmul'}({w.value(a)}, {w.value(b)}, {out})"]


class Reduced(Form):
    """Sums, means and extrema over axes."""

    def applies(self, operation: Operation) -> bool:
        kind = type(operation.module)  # NumPy adds float16 up in float32 for a mean
        return kind in REDUCTIONS and not (kind is Mean and operation.dtype == np.float16)

    def scratch(self, operation: Operation) -> Memory:
        (x,) = operation.args
        return [(x.shape[::-1], x.dtype)] if self._has_short_rows(operation) else []

    def _has_short_rows(self, operation: Operation) -> bool:
        """Whether an extremum is taken of each row, where NumPy is slow if rows are short."""
        module, (x,) = operation.module, operation.args
        if type(module) not in (Max, Min) or len(x.shape) != 2:
            return False
        return reduced_axes(module.axis, 2) == (1,) and 0 < x.shape[1] <= 64

    def lines(self, w: Writer, operation: Operation, out: str) -> list[str]:
        module, (x,) = operation.module, operation.args
        axes = reduced_axes(module.axis, len(x.shape))
        function = w.bind(REDUCTIONS[type(module)], reducer(type(module)))
        if self._has_short_rows(operation):
            (columns,) = w.scratch(operation)
            name, vector = w.bind(columns, f"{out}_columns"), w.entries(operation)
            return [
                f"copyto({name}, {w.value(x)}.T)",
                f"{function}({name}, 0, None, {vector})",
            ]
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


class Picked(Form):
    """An entry of each row of a matrix."""

    def applies(self, operation: Operation) -> bool:
        if not isinstance(operation.module, TakeAlongAxis):
            return False
        x, index = operation.args
        return bool(
            len(x.shape) == 2
            and operation.module.axis % 2 == 1
            and index.shape == (x.shape[0], 1)
            and index.dtype.kind == "i"
        )

    def scratch(self, operation: Operation) -> Memory:
        return [(operation.shape, np.dtype(np.intp))]

    def lines(self, w: Writer, operation: Operation, out: str) -> list[str]:
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


class Padded(Form):
    """Zeros around an array; they are written once."""

    keeps = True

    def applies(self, operation: Operation) -> bool:
        module = operation.module
        return isinstance(module, Pad) and module.mode == "constant" and not module.options

    def lines(self, w: Writer, operation: Operation, out: str) -> list[str]:
        (x,), place = operation.args, w.place(operation)
        widths = operation.module.widths(place.ndim)
        inside = tuple(slice(before, before + n) for (before, _), n in zip(widths, x.shape))
        return [f"copyto({w.bind(place[inside], f'{out}_inside')}, {w.value(x)})"]


class Added(Form):
    """Windows, each added at its place."""

    def applies(self, operation: Operation) -> bool:
        return isinstance(operation.module, AddedWindows)

    def lines(self, w: Writer, operation: Operation, out: str) -> list[str]:
        module, (x,) = operation.module, operation.args
        source = w.plan.places.get(x)
        if source is None:
            return [f"copyto({out}, {w.bind(module, module.label)}.linear({w.value(x)}))"]
        place = w.place(operation)
        pairs = window_pairs(place, source, module.axis, module.stride, module.dilation)
        return [
            f"{out}.fill(0)",
            f"for part, window in {w.bind(pairs, f'{out}_windows')}: add(part, window, part)",
        ]


class Joined(Form):
    def applies(self, operation: Operation) -> bool:
        return isinstance(operation.module, Concatenate)

    def lines(self, w: Writer, operation: Operation, out: str) -> list[str]:
        axis = operation.module.along([arg.value for arg in operation.args])
        joined = "".join(f"{w.value(arg)}, " for arg in operation.args)
        return [f"concatenate(({joined.rstrip()}), {axis}, {out})"]


class Copied(Form):
    """Another dtype, or a shape that needs the entries in another order."""

    def applies(self, operation: Operation) -> bool:
        return isinstance(operation.module, AsType | Reshape)

    def lines(self, w: Writer, operation: Operation, out: str) -> list[str]:
        (x,) = operation.args
        if x.shape != operation.shape:
            out = w.bind(w.place(operation).reshape(x.shape), out)
        return [f"copyto({out}, {w.value(x)}, 'unsafe')"]


FORMS = (
    *(OneHot(), Ufunc(), Sigmoid(), Masked(), Product(), Reduced(), Picked()),
    *(Padded(), Added(), Joined(), Copied()),
)


def form_of(operation: Operation) -> Form | None:
    """How the operation can write its result into an array, if it can."""
    if not operation.is_array:
        return None
    return next((form for form in FORMS if form.applies(operation)), None)


def reducer(kind: type) -> str:
    return {Max: "max_over", Min: "min_over"}.get(kind, "sum_over")


def is_within(index: Operation, count: int) -> bool:
    """Whether indices have been checked to be from 0 to count − 1."""
    while isinstance(index.module, VIEWS):
        if isinstance(index.module, Checked) and index.module.below is not None:
            return bool(index.module.below <= count)
        index = index.args[0]
    return False
