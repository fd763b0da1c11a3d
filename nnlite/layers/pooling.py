"""Pooling: each window of a picture becomes one pixel."""

from __future__ import annotations

from functools import reduce
from math import prod
from typing import Any

import numpy as np

from nnlite.core.arguments import FLAG, Checked
from nnlite.core.module import Module
from nnlite.layers.sliding import Pair, SlidingWindow, pair


class _Pool2d(Module, of=__name__):
    """What the two kinds of pooling share: their windows."""

    def __init__(self, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0) -> None:
        super().__init__()
        size = pair(self, "kernel_size", kernel_size)
        steps = size if stride is None else pair(self, "stride", stride)
        around = pair(self, "padding", padding, low=0)
        if any(2 * n > k for n, k in zip(around, size)):
            raise ValueError(
                f"{type(self).__name__}: padding is at most half of kernel_size={kernel_size!r}, "
                f"got {padding!r}"
            )
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.window = SlidingWindow(size, steps, ((around[0],) * 2, (around[1],) * 2))

    def _parts(self, x: Any) -> list[Any]:
        """For each position in a window, the entries there of all windows of `padded` pictures."""
        pixels = self.window.windows(x)
        return [pixels[..., i, j] for i, j in np.ndindex(self.window.size)]


class MaxPool2d(_Pool2d, of="nnlite"):
    """y = max x over each window; of entries that are tied, the first has the gradient.

    Parameters
    ----------
    kernel_size, stride : int or pair of int
        (vertical, horizontal); stride=None takes the kernel size.
    padding : int or pair of int
        Pixels of −∞ on either side of each axis, at most half of the kernel size.

    Notes
    -----
    Shapes: x (batch, channels, height, width), y (batch, channels, rows, columns) with
    rows = ⌊(height + 2 · padding − kernel_size) / stride⌋ + 1, likewise columns; y has the dtype
    of x. As in PyTorch, but x always has a batch axis, and there is no ``ceil_mode``, dilation
    or ``return_indices``.

    Raises
    ------
    ValueError
        If x is not such a batch, or the window covers more than a padded picture.

    Examples
    --------
    >>> MaxPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4))
    array([[[[ 5.,  7.],
             [13., 15.]]]])
    """

    def forward(self, x: Any) -> Any:
        self.window.check(self, x)
        pictures = self.window.padded(x, fill=-np.inf)
        y = reduce(np.maximum, self._parts(pictures))  # a tie is its first argument's
        self.save_for_backward(pictures, y, x.shape)
        return np.transpose(y, (3, 0, 1, 2))

    def backward(self, grad: Any) -> Any:
        """∂f/∂x: ḡ of each window, at the first of its largest entries."""
        pictures, y, shape = self.saved
        grad = np.transpose(grad, (1, 2, 3, 0))
        free: Any = True
        grads = []
        for part in self._parts(pictures):
            largest = np.logical_and(free, np.equal(part, y))
            free = np.logical_and(free, np.logical_not(largest))
            grads.append(np.where(largest, grad, 0))
        stacked = np.reshape(np.stack(grads), (*self.window.size, *y.shape))
        return self.window.add(np.transpose(stacked, (2, 3, 4, 5, 0, 1)), shape)


class AvgPool2d(_Pool2d, of="nnlite"):
    """y = the mean of x over each window.

    Parameters
    ----------
    kernel_size, stride : int or pair of int
        (vertical, horizontal); stride=None takes the kernel size.
    padding : int or pair of int
        Zeros on either side of each axis, at most half of the kernel size.
    count_include_pad : bool
        Whether the padding counts in the mean.

    Notes
    -----
    Shapes: x (batch, channels, height, width), y (batch, channels, rows, columns) with
    rows = ⌊(height + 2 · padding − kernel_size) / stride⌋ + 1, likewise columns; y has the dtype
    of x. As in PyTorch, but x always has a batch axis, and there is no ``ceil_mode`` or
    ``divisor_override``.

    Raises
    ------
    ValueError
        If x is not such a batch, or the window covers more than a padded picture.

    Examples
    --------
    >>> AvgPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4))
    array([[[[ 2.5,  4.5],
             [10.5, 12.5]]]])
    """

    count_include_pad = Checked(FLAG)

    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = 0,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding)
        self.count_include_pad = count_include_pad

    def forward(self, x: Any) -> Any:
        self.window.check(self, x)
        self.save_for_backward(x.shape)
        total = reduce(np.add, self._parts(self.window.padded(x)))
        return np.transpose(total / self._count(x.shape, x.dtype), (3, 0, 1, 2))

    def backward(self, grad: Any) -> Any:
        """∂f/∂x: ḡ of each window, in equal shares at all of its entries."""
        (shape,) = self.saved
        grad = np.transpose(grad, (1, 2, 3, 0))
        shares = np.expand_dims(grad / self._count(shape, grad.dtype), (4, 5))
        return self.window.add(np.broadcast_to(shares, (*grad.shape, *self.window.size)), shape)

    def _count(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """How many pixels each mean is of: a number, or one for each window."""
        if self.count_include_pad:
            return prod(self.window.size)
        rows, columns = self.window.counts(shape)
        return np.multiply.outer(rows, columns)[..., np.newaxis].astype(dtype)
