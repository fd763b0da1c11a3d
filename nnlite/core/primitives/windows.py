"""Sliding windows, and their transposed: adding overlapping windows up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.lib.stride_tricks import sliding_window_view

from nnlite.core.primitives.base import LinearMap
from nnlite.core.rules import rule
from nnlite.core.value import Value

Sizes = tuple[int, ...]


class Window(NamedTuple):
    """What slides over an array.

    Attributes
    ----------
    shape : tuple of int
    axis : tuple of int, or None
        The axis that each axis of the window slides along; None for all of them.
    stride, dilation : tuple of int, or None
        For each axis of the window, how far apart neighbouring windows, and neighbouring entries
        of one window, are; None for 1. A stride needs an axis to itself.
    """

    shape: Sizes
    axis: Sizes | None
    stride: Sizes | None = None
    dilation: Sizes | None = None


class Windows(LinearMap):
    """Every window that fits into an array; the windows' own axes come last."""

    label = "sliding_window_view"

    def __init__(self, window: Window) -> None:
        self.window = window

    def linear(self, x: Any) -> Any:
        return windows(x, self.window)

    def transposed(self, grad: Any, shape: Sizes) -> Any:
        return add_windows(grad, self.window, shape)


class AddedWindows(LinearMap):
    """The transposed of `Windows`: windows, each added at its place, for an array of `shape`."""

    def __init__(self, window: Window, shape: Sizes) -> None:
        self.window = window
        self.shape = shape

    def linear(self, x: Any) -> Any:
        return add_windows(x, self.window, self.shape)

    def transposed(self, grad: Any, shape: Sizes) -> Any:
        return windows(grad, self.window)


def windows(x: Any, window: Window) -> Any:
    """`Windows` of an array, as a view of it."""
    if isinstance(x, Value):
        return Windows(window)(x)
    lengths, axis, stride, dilation = window
    dilation = dilation or (1,) * len(lengths)
    spans = [(n - 1) * step + 1 for n, step in zip(lengths, dilation, strict=True)]
    key = [slice(None)] * x.ndim
    for window_axis, step in zip(_axes(axis, x.ndim), stride or ()):
        key[window_axis] = slice(None, None, step)
    inside = [slice(None, None, step) for step in dilation]
    return sliding_window_view(x, spans, axis)[(*key, *inside)]


def add_windows(x: Any, window: Window, shape: Sizes) -> Any:
    """Windows, each added at its place: one addition for each position inside of a window."""
    if isinstance(x, Value):
        return AddedWindows(window, shape)(x)
    y = np.zeros(shape, x.dtype)
    for place, part in window_pairs(y, x, window):
        place += part
    return y


def window_pairs(y: Any, x: Any, window: Window) -> list[tuple[Any, Any]]:
    """For each position inside of a window, the part of y that x's entries there belong to.

    Parameters
    ----------
    y : ndarray
        What the windows slide over.
    x : ndarray
        The windows, whose own axes come last.
    window : Window
    """
    axes, lengths, ones = _axes(window.axis, y.ndim), x.shape[: y.ndim], (1,) * len(window.shape)
    pairs = []
    for position in np.ndindex(window.shape):
        start, steps = [0] * y.ndim, [1] * y.ndim
        placed = zip(axes, position, window.stride or ones, window.dilation or ones, strict=True)
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
    return Windows(Window(shape, axes))(x)
