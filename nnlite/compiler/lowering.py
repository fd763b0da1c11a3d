"""Lowering: in which form an operation writes its result into memory, and what memory that needs.

A form says what can be done, whatever the machine; a writer has the text of each.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnlite.compiler.trace import Operation
from nnlite.compiler.views import VIEWS
from nnlite.core.primitives.base import Constantlike
from nnlite.core.primitives.checked import Check
from nnlite.core.primitives.dtypes import AsType
from nnlite.core.primitives.elementwise import Elementwise
from nnlite.core.primitives.extrema import Max, Min
from nnlite.core.primitives.joining import Concatenate
from nnlite.core.primitives.linalg import MatMul
from nnlite.core.primitives.logistic import Logistic
from nnlite.core.primitives.moving import Pad
from nnlite.core.primitives.reductions import Mean, Sum, reduced_axes
from nnlite.core.primitives.shape import Reshape
from nnlite.core.primitives.taking import TakeAlongAxis
from nnlite.core.primitives.windows import AddedWindows

Memory = list[tuple[tuple[int, ...], Any]]
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


class StableSigmoid(Form):
    """σ(z) in the array of z, where nothing overflows."""

    in_place = True

    def applies(self, operation: Operation) -> bool:
        return isinstance(operation.module, Logistic)

    def scratch(self, operation: Operation) -> Memory:
        return [(operation.shape, operation.dtype)]


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


class MatrixProduct(Form):
    """Matrix products; those of two matrices go to BLAS without a detour."""

    def applies(self, operation: Operation) -> bool:
        return isinstance(operation.module, MatMul)


class Reduced(Form):
    """Sums, means and extrema over axes."""

    def applies(self, operation: Operation) -> bool:
        kind = type(operation.module)  # NumPy adds float16 up in float32 for a mean
        return kind in REDUCTIONS and not (kind is Mean and operation.dtype == np.float16)

    def scratch(self, operation: Operation) -> Memory:
        (x,) = operation.args
        return [(x.shape[::-1], x.dtype)] if self.has_short_rows(operation) else []

    def has_short_rows(self, operation: Operation) -> bool:
        """Whether an extremum is taken of each row, where NumPy is slow if rows are short."""
        module, (x,) = operation.module, operation.args
        if type(module) not in (Max, Min) or len(x.shape) != 2:
            return False
        return reduced_axes(module.axis, 2) == (1,) and 0 < x.shape[1] <= 64


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


class Padded(Form):
    """Zeros around an array; they are written once."""

    keeps = True

    def applies(self, operation: Operation) -> bool:
        module = operation.module
        return isinstance(module, Pad) and module.mode == "constant" and not module.options


class Added(Form):
    """Windows, each added at its place."""

    def applies(self, operation: Operation) -> bool:
        return isinstance(operation.module, AddedWindows)


class Joined(Form):
    """Arrays one after the other."""

    def applies(self, operation: Operation) -> bool:
        return isinstance(operation.module, Concatenate)


class Copied(Form):
    """Another dtype, or a shape that needs the entries in another order."""

    def applies(self, operation: Operation) -> bool:
        return isinstance(operation.module, AsType | Reshape)


FORMS = (
    *(OneHot(), Ufunc(), StableSigmoid(), Masked(), MatrixProduct(), Reduced(), Picked()),
    *(Padded(), Added(), Joined(), Copied()),
)


def form_of(operation: Operation) -> Form | None:
    """How the operation can write its result into an array, if it can."""
    if not operation.is_array:
        return None
    return next((form for form in FORMS if form.applies(operation)), None)


def is_within(index: Operation, count: int) -> bool:
    """Whether indices have been checked to be from 0 to count − 1."""
    while isinstance(index.module, VIEWS):
        if isinstance(index.module, Check) and index.module.below is not None:
            return bool(index.module.below <= count)
        index = index.args[0]
    return False
