"""What the array API standard added to ``np.linalg``, in terms of NumPy's older functions."""

from __future__ import annotations

import operator
from math import prod
from typing import Any

import numpy as np

from nnlite.core.primitives.base import refuse_given
from nnlite.core.rules import rule


@rule(np.linalg.tensordot)
def linalg_tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    """Σ over pairs of axes."""
    return np.tensordot(x1, x2, axes)


@rule(np.linalg.outer)
def linalg_outer(x1: Any, x2: Any, /) -> Any:
    """All products of an entry of one vector and one of another."""
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError("np.linalg.outer: both arguments are vectors; np.outer takes any arrays")
    return np.outer(x1, x2)


@rule(np.linalg.cross)
def linalg_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """x₁ × x₂ of vectors of three numbers."""
    return np.cross(x1, x2, axis=axis)


@rule(np.linalg.diagonal)
def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """The diagonals of the matrices in the last two axes."""
    return np.diagonal(x, offset, -2, -1)


@rule(np.linalg.trace)
def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """The traces of the matrices in the last two axes."""
    refuse_given("np.linalg.trace", {}, dtype=dtype)
    return np.trace(x, offset, -2, -1)


@rule(np.linalg.matrix_transpose)
def matrix_transpose(x: Any, /) -> Any:
    """Xᵀ of the matrices in the last two axes."""
    return x.mT


@rule(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """The norms of the matrices in the last two axes."""
    return np.linalg.norm(x, ord, (-2, -1), keepdims)


@rule(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """The norm of the numbers along one axis, several, or all, taken as one vector."""
    if axis is None:
        y = np.linalg.norm(np.ravel(x), ord, 0)
        return np.reshape(y, (1,) * x.ndim) if keepdims else y
    if isinstance(axis, int):
        return np.linalg.norm(x, ord, axis, keepdims)
    axes = [operator.index(i) % x.ndim for i in axis]
    kept = [i for i in range(x.ndim) if i not in axes]
    shape = [*[x.shape[i] for i in kept], prod([x.shape[i] for i in axes])]
    y = np.linalg.norm(np.reshape(np.transpose(x, [*kept, *axes]), shape), ord, -1)
    return np.reshape(y, [1 if i in axes else x.shape[i] for i in range(x.ndim)]) if keepdims else y
