"""Norms of vectors, whose gradient is 0 where they are 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.core.primitives.base import inverse_or_zero
from nnlite.core.primitives.reductions import Axis, Sloped
from nnlite.core.rules import rule


class Norm(Sloped):
    """‖x‖ = √Σx² over the axes: of vectors, and of matrices the Frobenius norm."""

    def __init__(self, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> None:
        super().__init__(axis, keepdims=keepdims)
        self.ord = ord

    def value(self, x: Any) -> Any:
        return np.linalg.norm(x, self.ord, self.axis, self.keepdims)

    def slope(self, x: Any, y: Any) -> Any:
        """∂‖x‖/∂x = x/‖x‖."""
        return x * inverse_or_zero(self.stretchable(y, np.shape(x)))


@rule(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Any:
    """‖x‖ of all entries, or ‖x‖₁, ‖x‖₂, ‖x‖_∞ of vectors, or the Frobenius norm of matrices."""
    if ord is None:
        return Norm(None, axis, keepdims)(x)
    axes = axis if isinstance(axis, tuple) else (axis,) if axis is not None else range(np.ndim(x))
    if (len(axes) == 2 and ord == "fro") or (len(axes) == 1 and ord == 2):
        return Norm(ord, axis, keepdims)(x)
    if len(axes) == 1 and ord in (1, np.inf, -np.inf):
        function: Any = {1: np.sum, np.inf: np.max, -np.inf: np.min}[ord]
        return function(np.abs(x), axis=axis, keepdims=keepdims)
    raise NotImplementedError(
        f"np.linalg.norm with ord={ord!r} over {len(axes)} axes has no derivative rule; over one "
        "axis 1, 2, np.inf and -np.inf have one, over two 'fro', and over all None"
    )
