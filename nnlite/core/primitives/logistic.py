"""The logistic function σ, which NumPy does not have."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnlite.core.primitives.elementwise import Elementwise
from nnlite.core.value import Value


class Logistic(Elementwise):
    """σ, with σ′ = σ (1 − σ), which is finite everywhere."""

    def __init__(self) -> None:
        super().__init__(sigmoid, lambda g, y, x: g * (y * (1 - y)))

    def _used(self, grad: Any, product: Any) -> Any:
        return product

    def __reduce__(self) -> Any:
        return Logistic, ()

    def __repr__(self) -> str:
        return "sigmoid"


def sigmoid(z: Any) -> Any:
    """σ(z) = exp(z) / (1 + exp(z)), of an array of floats, a node or a dual number.

    Nothing overflows, and no digits are lost far below 0: from `saturation` on σ is 1 to rounding.
    """
    if isinstance(z, Value):
        return Logistic()(z)
    e = np.exp(np.minimum(z, saturation(np.result_type(z))))
    return e / (1 + e)


def saturation(dtype: np.dtype[Any]) -> float:
    """A z of that dtype beyond which 1 + exp(z) is exp(z)."""
    return math.ceil(math.log(4 / np.finfo(dtype).eps)) if dtype.kind == "f" else 38.0
