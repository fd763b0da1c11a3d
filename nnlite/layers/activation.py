"""Activation functions, elementwise: the output has the shape and dtype of the input."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.module import Module


class Sigmoid(Module):
    """σ(z) = 1 / (1 + exp(−z)), and σ′ = σ (1 − σ).

    Computed as 1 / (1 + exp(−z)) for z ≥ 0 and exp(z) / (1 + exp(z)) for z < 0, so that nothing
    overflows and no digits are lost; both minima give their tie at z = 0 to the first branch.

    Examples
    --------
    >>> Sigmoid()(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """

    def forward(self, z: Any) -> Any:
        y = np.exp(np.minimum(0, z)) / (1 + np.exp(np.minimum(-z, z)))
        self.save_for_backward(y)
        return y

    def backward(self, grad: Any) -> Any:
        (y,) = self.saved
        return grad * (y * (1 - y))
