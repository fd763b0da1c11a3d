"""Sliding windows, and their transposed: adding overlapping windows up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.lib.stride_tricks import sliding_window_view

from nnlite.core.primitives.base import LinearMap
from nnlite.core.rules import rule
from nnlite.core.value import Value

Sizes = tuple[int, ...]


class Sliding(LinearMap):
    """What `Windows` and its transposed share.

    Parameters
    ----------
    window_shape : tuple of int
    axis : tuple of int, or None
        The axis that each axis of the window slides along; None for all of them.
    stride, dilation : tuple of int, or None
        For each axis of the window, how far apart neighbouring windows, and neighbouring entries
        of one window, are; None for 1. A stride needs an axis to itself.
    """

    def __init__(
        self,
        window_shape: Sizes,
        axis: Sizes | None,
        stride: Sizes | None = None,
        dilation: Sizes | None = None,
    ) -> None:
        self.window_shape, self.axis = window_shape, axis
        self.stride, self.dilation = stride, dilation

    def cut(self, x: Any) -> Any:
        return windows(x, self.window_shape, self.axis, self.stride, self.dilation)

    def add(self, x: Any, shape: Sizes) -> Any:
        return add_windows(x, self.window_shape, self.axis, shape, self.stride, self.dilation)


class Windows(Sliding):
    """Every window of a shape that fits into an array; the windows' own axes come last."""

    label = "sliding_window_view"
    linear, transposed = Sliding.cut, Sliding.add


class AddedWindows(Sliding):
    """The transposed of `Windows`: windows, each added at its place, for an array of `shape`."""

    def __init__(self, window_shape: Sizes, axis: Sizes | None, shape: Sizes, *steps: Any) -> None:
        super().__init__(window_shape, axis, *steps)
        self.shape = shape

    def linear(self, x: Any) -> Any:
        return self.add(x, self.shape)

    def transposed(self, grad: Any, shape: Sizes) -> Any:
        return self.cut(grad)


def windows(
    x: Any,
    window_shape: Sizes,
    axis: Sizes | None,
    stride: Sizes | None = None,
    dilation: Sizes | None = None,
) -> Any:
    """`Windows` of an array, as a view of it."""
    if isinstance(x, Value):
        return Windows(window_shape, axis, stride, dilation)(x)
    dilation = dilation or (1,) * len(window_shape)
    spans = [(n - 1) * step + 1 for n, step in zip(window_shape, dilation, strict=True)]
    key = [slice(None)] * x.ndim
    for window_axis, step in zip(_axes(axis, x.ndim), stride or ()):
        key[window_axis] = slice(None, None, step)
    inside = [slice(None, None, step) for step in dilation]
    return sliding_window_view(x, spans, axis)[(*key, *inside)]


def add_windows(
    x: Any,
    window_shape: Sizes,
    axis: Sizes | None,
    shape: Sizes,
    stride: Sizes | None = None,
    dilation: Sizes | None = None,
) -> Any:
    """Windows, each added at its place: one addition for each position inside of a window."""
    if isinstance(x, Value):
        return AddedWindows(window_shape, axis, shape, stride, dilation)(x)
    y = np.zeros(shape, x.dtype)
    for place, window in window_pairs(y, x, axis, stride, dilation):
        place += window
    return y


def window_pairs(
    y: Any, x: Any, axis: Sizes | None, stride: Sizes | None = None, dilation: Sizes | None = None
) -> list[tuple[Any, Any]]:
    """For each position inside of a window, the part of y that x's entries there belong to.

    Parameters
    ----------
    y : ndarray
        What the windows slide over.
    x : ndarray
        The windows, whose own axes come last.
    """
    axes, lengths, window_shape = _axes(axis, y.ndim), x.shape[: y.ndim], x.shape[y.ndim :]
    ones = (1,) * len(window_shape)
    pairs = []
    for position in np.ndindex(window_shape):
        start, steps = [0] * y.ndim, [1] * y.ndim
        placed = zip(axes, position, stride or ones, dilation or ones, strict=True)
        for window_axis, offset, step, spacing in placed:
            start[window_axis] += offset * spacing
            steps[window_axis] = step
        key = [slice(s, s + (n - 1) * d + 1, d) for s, n, d in zip(start, lengths, steps)]
        pairs.append((y[tuple(key)], x[(..., *position)]))
    return pairs


def _axes(axis: Sizes | None, rank: int) -> Sizes:
    return tuple(range(rank)) if axis is None else normalize_axis_tuple(axis, rank, None, True)


@rule(sliding_window_view)
def sliding_windows(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    """Every window of a shape that fits into an array; the windows' own axes come last."""
    if writeable:
        raise TypeError("sliding_window_view of a node or a dual number is never writeable")
    shape = tuple(window_shape) if isinstance(window_shape, Iterable) else (window_shape,)
    axes = tuple(axis) if isinstance(axis, Iterable) else axis if axis is None else (axis,)
    return Windows(shape, axes)(x)
