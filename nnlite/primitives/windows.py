"""Sliding windows, and their transposed: adding overlapping windows up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.lib.stride_tricks import sliding_window_view

from nnlite.dispatch import Value, rule
from nnlite.primitives.base import LinearMap


class Windows(LinearMap):
    """Every window of a shape that fits into an array; the windows' own axes come last."""

    def __init__(self, window_shape: tuple[int, ...], axis: tuple[int, ...] | None) -> None:
        self.window_shape = window_shape
        self.axis = axis

    @property
    def label(self) -> str:
        return "sliding_window_view"

    def linear(self, x: Any) -> Any:
        return sliding_window_view(x, self.window_shape, self.axis)

    def transposed(self, grad: Any, shape: tuple[int, ...]) -> Any:
        return add_windows(grad, self.window_shape, self.axis, shape)


class AddedWindows(LinearMap):
    """The transposed of `Windows`: windows, each added at its place, for an array of `shape`."""

    def __init__(
        self, window_shape: tuple[int, ...], axis: tuple[int, ...] | None, shape: tuple[int, ...]
    ) -> None:
        self.window_shape = window_shape
        self.axis = axis
        self.shape = shape

    def linear(self, x: Any) -> Any:
        return add_windows(x, self.window_shape, self.axis, self.shape)

    def transposed(self, grad: Any, shape: tuple[int, ...]) -> Any:
        return sliding_window_view(grad, self.window_shape, self.axis)


def add_windows(
    x: Any, window_shape: tuple[int, ...], axis: tuple[int, ...] | None, shape: tuple[int, ...]
) -> Any:
    """Windows, each added at its place: one addition for each position inside of a window."""
    if isinstance(x, Value):
        return AddedWindows(window_shape, axis, shape)(x)
    axes = range(len(shape)) if axis is None else normalize_axis_tuple(axis, len(shape), None, True)
    lengths = x.shape[: len(shape)]
    y = np.zeros(shape, x.dtype)
    for position in np.ndindex(window_shape):
        start = [0] * len(shape)
        for window_axis, offset in zip(axes, position, strict=True):
            start[window_axis] += offset
        y[tuple([slice(s, s + n) for s, n in zip(start, lengths)])] += x[(..., *position)]
    return y


@rule(sliding_window_view)
def windows(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    """Every window of a shape that fits into an array; the windows' own axes come last."""
    if writeable:
        raise TypeError("sliding_window_view of a node or a dual number is never writeable")
    shape = tuple(window_shape) if isinstance(window_shape, Iterable) else (window_shape,)
    axes = tuple(axis) if isinstance(axis, Iterable) else axis if axis is None else (axis,)
    return Windows(shape, axes)(x)
