"""Conversion to another dtype, and questions about dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.core.primitives.base import Primitive, refuse
from nnlite.core.rules import RULES
from nnlite.core.value import Value


class AsType(Primitive):
    """x in another dtype; the gradient is converted back.

    A conversion to integers or booleans is piecewise constant and has no derivative.
    """

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)
        if self.dtype.kind not in "fiub":
            raise TypeError(f"a node or a dual number holds real numbers, not dtype {self.dtype}")
        self._is_differentiable = self.dtype.kind == "f"

    def forward(self, x: Any) -> Any:
        if isinstance(x, int | float):
            x = np.asarray(x)[()]
        if x.dtype.kind not in "fiub":
            raise TypeError(f"a conversion from dtype {x.dtype} to {self.dtype} has no derivative")
        self.save_for_backward(x.dtype)
        return self(x) if isinstance(x, Value) else x.astype(self.dtype, copy=False)

    def backward(self, grad: Any) -> Any:
        (dtype,) = self.saved
        return AsType(dtype)(grad)

    def jvp(self, tangent: Any) -> Any:
        return AsType(self.dtype)(tangent)


def astype(x: Any, dtype: Any, *, copy: bool = True, **unsupported: Any) -> Any:
    """``x.astype(dtype)``; nothing writes into an array, so that `copy` does not matter."""
    refuse("astype", unsupported)
    return AsType(dtype)(x)


RULES[np.ndarray.astype] = astype
if hasattr(np, "astype"):
    RULES[np.astype] = astype


def _dtype_or_item(item: Any) -> Any:
    return item.dtype if isinstance(item, Value) else item


RULES[np.result_type] = lambda *items: np.result_type(*map(_dtype_or_item, items))
RULES[np.can_cast] = lambda from_, to, casting="safe": np.can_cast(
    _dtype_or_item(from_), _dtype_or_item(to), casting
)
RULES[np.iscomplexobj] = lambda x: x.dtype.kind == "c"
RULES[np.isrealobj] = lambda x: x.dtype.kind != "c"
