"""Sums and means over axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.dispatch import rule
from nnlite.primitives.base import Primitive

Axis = int | tuple[int, ...] | None


def _spread(grad: Any, shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Any:
    """The gradient of a sum: the same number for every term."""
    if axis is not None and not keepdims:
        grad = np.expand_dims(grad, axis)
    return np.broadcast_to(grad, shape)


@rule(np.sum)
class Sum(Primitive):
    """Σ x over the axes."""

    def __init__(self, axis: Axis = None, *, keepdims: bool = False) -> None:
        self.axis = axis
        self.keepdims = keepdims

    def forward(self, x: Any) -> Any:
        self.save_for_backward(np.shape(x))
        return np.sum(x, axis=self.axis, keepdims=self.keepdims)

    def backward(self, grad: Any) -> Any:
        (shape,) = self.saved
        return _spread(grad, shape, self.axis, self.keepdims)


@rule(np.mean)
class Mean(Primitive):
    """(1/m) Σ x over the axes, m being the number of terms."""

    def __init__(self, axis: Axis = None, *, keepdims: bool = False) -> None:
        self.axis = axis
        self.keepdims = keepdims

    def forward(self, x: Any) -> Any:
        y = np.mean(x, axis=self.axis, keepdims=self.keepdims)
        self.save_for_backward(np.shape(x), np.size(x) // max(np.size(y), 1))
        return y

    def backward(self, grad: Any) -> Any:
        shape, terms = self.saved
        return _spread(grad / terms, shape, self.axis, self.keepdims)
