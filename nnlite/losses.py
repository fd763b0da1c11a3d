"""Losses: how far a prediction y is from its target t, averaged over the batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.module import Module


class MSE(Module):
    """The mean of (y − t)² over all elements.

    Notes
    -----
    Shapes: y and t alike, of any shape; the result is a scalar of y's dtype. t may be of integers
    or booleans, which are taken as numbers. ∂/∂y = 2 (y − t)/m with m elements, ∂/∂t = −∂/∂y.

    Raises
    ------
    ValueError
        If the shapes differ (they are never broadcast), or if there are no elements.
    TypeError
        If y and t are of different floating dtypes.

    Examples
    --------
    >>> float(MSE()(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    2.0
    """

    def forward(self, y: Any, t: Any) -> Any:
        check_targets(self, y, t)
        d = np.subtract(y, t, dtype=y.dtype)
        self.save_for_backward(d)
        return np.vdot(d, d) / d.size

    def backward(self, grad: Any) -> Any:
        (d,) = self.saved
        needs_y, needs_t = self.needs_input_grad
        dy = grad * (2 / d.size) * d
        return dy if needs_y else None, -dy if needs_t else None


def check_targets(loss: Module, y: Any, t: Any) -> None:
    """Refuse targets that would be broadcast against the prediction, or change its dtype."""
    if np.shape(y) != np.shape(t):
        message = f"{loss!r}: y has shape {np.shape(y)} and t {np.shape(t)}; they must be the same"
        if np.size(y) == np.size(t):
            message += f", as after t.reshape({np.shape(y)})"
        raise ValueError(message)
    if np.size(y) == 0:
        raise ValueError(f"{loss!r}: the batch is empty, y and t have shape {np.shape(y)}")
    if t.dtype.kind == "f" and t.dtype != y.dtype:
        raise TypeError(
            f"{loss!r}: y has dtype {y.dtype} and t {t.dtype}; convert one of them, for instance "
            f"t.astype(np.{y.dtype})"
        )
