"""Functions that take entries: at indices, where a condition holds, or in order."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.core.primitives.base import Constantlike, Primitive, refuse_given
from nnlite.core.primitives.indexing import along, getitem, scatter
from nnlite.core.rules import rule
from nnlite.core.value import Value


@rule(np.take)
def take(
    a: Any, indices: Any, axis: int | None = None, out: None = None, mode: str = "raise"
) -> Any:
    """The entries at `indices` along an axis, or of the flattened array."""
    refuse_given("np.take", {}, out=out, mode=None if mode == "raise" else mode)
    if axis is None:
        a, axis = np.ravel(a), 0
    return getitem(a, along(axis, integers(indices)))


def integers(indices: Any) -> Any:
    """Indices as integers; booleans count as 0 and 1 here, and are not a mask."""
    if not isinstance(indices, Value):
        indices = np.asarray(indices)
        if indices.size == 0:
            return indices.astype(np.intp)
    return Constantlike(_integers)(indices) if isinstance(indices, Value) else _integers(indices)


def _integers(indices: Any) -> Any:
    if indices.dtype.kind not in "iub":
        raise TypeError(f"indices are integers, got dtype {indices.dtype}")
    return indices.astype(np.intp)


class TakeAlongAxis(Primitive):
    """From each row along an axis the entries at indices of its own."""

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def forward(self, x: Any, indices: Any) -> Any:
        self.save_for_backward(np.shape(x), indices)
        return np.take_along_axis(x, indices, self.axis)

    def backward(self, grad: Any) -> Any:
        shape, indices = self.saved
        return put_along_axis(grad, indices, shape, self.axis), None

    def jvp(self, tangent: Any, constant: Any) -> Any:
        _, indices = self.saved
        return np.take_along_axis(tangent, indices, self.axis)


@rule(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    """From each row along an axis the entries at indices of its own."""
    if axis is None:
        arr, axis = np.ravel(arr), 0
    return TakeAlongAxis(axis)(arr, indices)


def put_along_axis(x: Any, indices: Any, shape: tuple[int, ...], axis: int) -> Any:
    """Zeros of `shape` with x added at `indices` along an axis: `take_along_axis` transposed."""
    axis %= len(shape)
    key = list(np.ix_(*[np.arange(n) for n in shape]))
    key[axis] = indices
    return scatter(x, tuple(key), shape)


@rule(np.compress)
def compress(condition: Any, a: Any, axis: int | None = None, out: None = None) -> Any:
    """The entries along an axis where the condition, a vector, holds."""
    refuse_given("np.compress", {}, out=out)
    return np.take(a, np.flatnonzero(condition), axis=axis)


@rule(np.extract)
def extract(condition: Any, arr: Any) -> Any:
    """The entries, flattened, where the condition holds."""
    return getitem(np.ravel(arr), np.not_equal(np.ravel(condition), 0))


@rule(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """For each entry the first choice whose condition holds."""
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ValueError(
            f"np.select: {len(condlist)} conditions and {len(choicelist)} choices; there must be "
            "as many of one as of the other, and at least one"
        )
    y = default
    for condition, choice in reversed(list(zip(condlist, choicelist))):
        y = np.where(condition, choice, y)
    return y


@rule(np.sort)
def sort(a: Any, axis: int | None = -1, kind: Any = None, order: None = None, **kwargs: Any) -> Any:
    """The entries in increasing order; of those tied, any order is the same."""
    refuse_given("np.sort", {}, order=order)
    if axis is None:
        a, axis = np.ravel(a), 0
    return np.take_along_axis(a, np.argsort(a, axis=axis, kind=kind, **kwargs), axis=axis)
