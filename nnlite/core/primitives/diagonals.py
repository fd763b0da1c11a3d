"""Diagonals and triangles of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.core.primitives.base import refuse_given, sum_to_shape
from nnlite.core.primitives.indexing import scatter
from nnlite.core.primitives.shape import transposed
from nnlite.core.rules import rule

Shape = tuple[int, ...]


@transposed(np.diagonal)
def _diagonal(grad: Any, shape: Shape, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    plane = [axis % len(shape) for axis in (axis1, axis2)]
    others = [n for axis, n in enumerate(shape) if axis not in plane]
    i = np.arange(np.shape(grad)[-1])
    key = (..., i + max(-offset, 0), i + max(offset, 0))
    placed = scatter(grad, key, (*others, *[shape[axis] for axis in plane]))
    return np.moveaxis(placed, (-2, -1), plane)


@rule(np.trace)
def trace(
    a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: None = None, out: None = None
) -> Any:
    """The sum of a diagonal."""
    refuse_given("np.trace", {}, dtype=dtype, out=out)
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1)


@transposed(np.diag)
def _diag(grad: Any, shape: Shape, k: int = 0) -> Any:
    return _diagonal(grad, shape, k) if len(shape) == 2 else np.diag(grad, k)


@rule(np.diagflat)
def diagflat(v: Any, k: int = 0) -> Any:
    """The matrix with the entries of an array on its diagonal."""
    return np.diag(np.ravel(v), k)


@transposed(np.tril)
def _tril(grad: Any, shape: Shape, k: int = 0) -> Any:
    return sum_to_shape(np.tril(grad, k), shape)


@transposed(np.triu)
def _triu(grad: Any, shape: Shape, k: int = 0) -> Any:
    return sum_to_shape(np.triu(grad, k), shape)
