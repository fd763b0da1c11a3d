"""Losses: how far a prediction y is from its target t, averaged over the batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.core.arguments import POSITIVE, Checked
from nnlite.core.module import Module

__all__ = ["MAE", "MSE", "Huber"]
__dir__ = __all__.copy


class MSE(Module, of="nnlite"):
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
        """∂f/∂y = ḡ 2 (y − t)/m with m elements, and ∂f/∂t = −∂f/∂y."""
        (d,) = self.saved
        needs_y, needs_t = self.needs_input_grad
        dy = grad * (2 / d.size) * d
        return dy if needs_y else None, -dy if needs_t else None


class MAE(Module, of="nnlite"):
    """The mean of |y − t| over all elements; the derivative where y = t is 0.

    Notes
    -----
    PyTorch's ``L1Loss``. Shapes, dtypes and errors are as in `MSE`. ∂/∂y = sign(y − t)/m with m
    elements, ∂/∂t = −∂/∂y.

    Examples
    --------
    >>> float(MAE()(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    1.0
    """

    def forward(self, y: Any, t: Any) -> Any:
        check_targets(self, y, t)
        d = np.subtract(y, t, dtype=y.dtype)
        self.save_for_backward(d)
        return np.mean(np.abs(d))

    def backward(self, grad: Any) -> Any:
        """∂f/∂y = ḡ sign(y − t)/m with m elements, and ∂f/∂t = −∂f/∂y."""
        (d,) = self.saved
        needs_y, needs_t = self.needs_input_grad
        dy = grad * (1 / d.size) * np.sign(d)
        return dy if needs_y else None, -dy if needs_t else None


class Huber(Module, of="nnlite"):
    """The mean of d²/2 where |d| ≤ δ, and of δ (|d| − δ/2) elsewhere, with d = y − t.

    Parameters
    ----------
    delta : float
        δ, above 0.

    Notes
    -----
    Shapes, dtypes and errors are as in `MSE`. With c = clip(d, −δ, δ) both branches are
    c (d − c/2), and ∂/∂y = c/m with m elements, ∂/∂t = −∂/∂y. Huber 1964, "Robust estimation of a
    location parameter".

    Examples
    --------
    >>> float(Huber()(np.array([1.0, 9.0]), np.array([0.0, 0.0])))
    4.5
    """

    delta = Checked(POSITIVE)

    def __init__(self, delta: float = 1.0, *arguments: Any) -> None:
        self.delta = delta
        super().__init__(*arguments)

    def forward(self, y: Any, t: Any) -> Any:
        check_targets(self, y, t)
        d = np.subtract(y, t, dtype=y.dtype)
        c = np.clip(d, -self.delta, self.delta)
        self.save_for_backward(c)
        return np.mean(c * (d - c / 2))

    def backward(self, grad: Any) -> Any:
        """∂f/∂y = ḡ clip(y − t, −δ, δ)/m with m elements, and ∂f/∂t = −∂f/∂y."""
        (c,) = self.saved
        needs_y, needs_t = self.needs_input_grad
        dy = grad * (1 / c.size) * c
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


def as_targets(loss: Module, y: Any, t: Any) -> Any:
    """`check_targets`, and t in the dtype of y."""
    if y.dtype.kind != "f":
        raise TypeError(f"{loss!r}: y are floats, got dtype {y.dtype}; are y and t exchanged?")
    check_targets(loss, y, t)
    return t if t.dtype == y.dtype else t.astype(y.dtype)
