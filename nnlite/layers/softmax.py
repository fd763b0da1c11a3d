"""Softmax and its logarithm, along one axis: the output has the shape and dtype of the input."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.core.arguments import WHOLE, Checked
from nnlite.core.module import Module


class _OverAxis(Module, of=__name__):
    """What works along one axis."""

    axis = Checked(WHOLE)

    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        self.axis = axis


class Softmax(_OverAxis, of="nnlite"):
    """y_i = exp(z_i) / Σ_j exp(z_j) along an axis, computed with z − max z so as not to overflow.

    Parameters
    ----------
    axis : int
        PyTorch's ``dim``; the last if left out.

    Notes
    -----
    With ḡ = ∂f/∂y: ∂f/∂z = y (ḡ − Σ ḡ y).

    Raises
    ------
    ValueError
        If z has no such axis, or nothing along it.

    Examples
    --------
    >>> Softmax()(np.array([[0.0, 0.0], [1000.0, -1000.0]]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    """

    def forward(self, z: Any) -> Any:
        z = shifted(self, z, self.axis)
        e = np.exp(z)
        y = e / np.sum(e, axis=self.axis, keepdims=True)
        self.save_for_backward(y)
        return y

    def backward(self, grad: Any) -> Any:
        """∂f/∂z = y (ḡ − Σ ḡ y), from ḡ = ∂f/∂y."""
        (y,) = self.saved
        return y * (grad - np.sum(grad * y, axis=self.axis, keepdims=True))


class LogSoftmax(_OverAxis, of="nnlite"):
    """y_i = z_i − log Σ_j exp(z_j) along an axis: the logarithm of `Softmax`, without underflow.

    Parameters
    ----------
    axis : int
        PyTorch's ``dim``; the last if left out.

    Notes
    -----
    With ḡ = ∂f/∂y: ∂f/∂z = ḡ − exp(y) Σ ḡ.

    Raises
    ------
    ValueError
        If z has no such axis, or nothing along it.

    Examples
    --------
    >>> LogSoftmax()(np.array([1000.0, -1000.0]))
    array([    0., -2000.])
    """

    def forward(self, z: Any) -> Any:
        y = log_softmax(shifted(self, z, self.axis), self.axis)
        self.save_for_backward(y)
        return y

    def backward(self, grad: Any) -> Any:
        """∂f/∂z = ḡ − exp(y) Σ ḡ, from ḡ = ∂f/∂y."""
        (y,) = self.saved
        return grad - np.exp(y) * np.sum(grad, axis=self.axis, keepdims=True)


def shifted(module: Module, z: Any, axis: int) -> Any:
    """z less its maximum along `axis`, which changes no softmax."""
    if not -z.ndim <= axis < z.ndim:
        raise ValueError(f"{module!r}: z of shape {z.shape} has no axis {axis}")
    if z.shape[axis] == 0:
        raise ValueError(f"{module!r}: z of shape {z.shape} has nothing along axis {axis}")
    return z - np.max(z, axis=axis, keepdims=True)


def log_softmax(z: Any, axis: int) -> Any:
    """z − log Σ exp(z) of an array without large entries."""
    return z - np.log(np.sum(np.exp(z), axis=axis, keepdims=True))
