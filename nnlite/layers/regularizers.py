"""Regularisers: how large the parameters are."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.core.module import Module

__all__ = ["L1", "L2"]
__dir__ = __all__.copy


class L2(Module, of="nnlite"):
    """½‖w‖², half the sum of the squares; its gradient is w.

    Notes
    -----
    Shapes: w of any shape; the result is a scalar of w's dtype.

    Examples
    --------
    >>> float(L2()(np.array([3.0, 4.0])))
    12.5
    """

    def forward(self, w: Any) -> Any:
        self.save_for_backward(w)
        return np.vdot(w, w) / 2

    def backward(self, grad: Any) -> Any:
        """∂f/∂w = ḡ w, for a scalar ḡ."""
        (w,) = self.saved
        return grad * w


class L1(Module, of="nnlite"):
    """‖w‖₁, the sum of the absolute values; its gradient is sign(w), and 0 where w = 0.

    Notes
    -----
    Shapes: w of any shape; the result is a scalar of w's dtype.

    Examples
    --------
    >>> float(L1()(np.array([3.0, -4.0])))
    7.0
    """

    def forward(self, w: Any) -> Any:
        self.save_for_backward(w)
        return np.sum(np.abs(w))

    def backward(self, grad: Any) -> Any:
        """∂f/∂w = ḡ sign(w), for a scalar ḡ."""
        (w,) = self.saved
        return grad * np.sign(w)
