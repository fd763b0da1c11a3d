"""Activation functions, elementwise: the output has the shape and dtype of the input."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.module import Module


class Sigmoid(Module):
    """σ(z) = 1 / (1 + exp(−z)), and σ′ = σ (1 − σ).

    Computed from exp(−|z|), which neither overflows nor loses digits for large negative z.

    Examples
    --------
    >>> Sigmoid()(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """

    def forward(self, z: Any) -> Any:
        e = np.exp(-np.abs(z))
        y = np.where(z >= 0, 1, e) / (1 + e)
        self.save_for_backward(y)
        return y

    def backward(self, grad: Any) -> Any:
        (y,) = self.saved
        return grad * (y * (1 - y))
