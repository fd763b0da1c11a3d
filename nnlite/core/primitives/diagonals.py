"""Diagonals and triangles of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.core.primitives.base import LinearMap, refuse_given, sum_to_shape
from nnlite.core.primitives.indexing import scatter
from nnlite.core.rules import rule


@rule(np.diagonal)
class Diagonal(LinearMap):
    """The entries x_{i, i+offset} in the plane of two axes; their axis comes last."""

    def __init__(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> None:
        self.offset = offset
        self.axis1 = axis1
        self.axis2 = axis2

    def linear(self, x: Any) -> Any:
        return np.diagonal(x, self.offset, self.axis1, self.axis2)

    def transposed(self, grad: Any, shape: tuple[int, ...]) -> Any:
        plane = [axis % len(shape) for axis in (self.axis1, self.axis2)]
        others = [n for axis, n in enumerate(shape) if axis not in plane]
        i = np.arange(np.shape(grad)[-1])
        key = (..., i + max(-self.offset, 0), i + max(self.offset, 0))
        placed = scatter(grad, key, (*others, *[shape[axis] for axis in plane]))
        return np.moveaxis(placed, (-2, -1), plane)


@rule(np.trace)
def trace(
    a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: None = None, out: None = None
) -> Any:
    """The sum of a diagonal."""
    refuse_given("np.trace", {}, dtype=dtype, out=out)
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1)


@rule(np.diag)
class Diag(LinearMap):
    """The diagonal of a matrix, or the matrix with a vector on its diagonal."""

    def __init__(self, k: int = 0) -> None:
        self.k = k

    def linear(self, x: Any) -> Any:
        return np.diag(x, self.k)

    def transposed(self, grad: Any, shape: tuple[int, ...]) -> Any:
        return (
            Diagonal(self.k).transposed(grad, shape) if len(shape) == 2 else np.diag(grad, self.k)
        )


@rule(np.diagflat)
def diagflat(v: Any, k: int = 0) -> Any:
    """The matrix with the entries of an array on its diagonal."""
    return np.diag(np.ravel(v), k)


@rule(np.tril)
class Tril(LinearMap):
    """The entries on and below diagonal k of the last two axes, the others being zero."""

    def __init__(self, k: int = 0) -> None:
        self.k = k

    def linear(self, x: Any) -> Any:
        return np.tril(x, self.k)

    def transposed(self, grad: Any, shape: tuple[int, ...]) -> Any:
        return sum_to_shape(self.linear(grad), shape)


@rule(np.triu)
class Triu(Tril):
    """The entries on and above diagonal k of the last two axes, the others being zero."""

    def linear(self, x: Any) -> Any:
        return np.triu(x, self.k)
