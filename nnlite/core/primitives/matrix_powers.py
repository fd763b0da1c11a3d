"""Powers of a matrix, and products of many."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from nnlite.core.primitives.base import refuse_given
from nnlite.core.rules import rule
from nnlite.core.value import as_array


@rule(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Any:
    """Aⁿ by repeated squaring, of the inverse where n is negative."""
    n = operator.index(n)
    if n == 0:
        return np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape)
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n == 3:
        return a @ a @ a
    result, square = None, a
    while True:
        n, bit = divmod(n, 2)
        if bit:
            result = square if result is None else result @ square
        if n == 0:
            return result
        square = square @ square


@rule(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[Any], *, out: Any = None) -> Any:
    """The product of matrices, in the order that takes the fewest multiplications.

    The first may be a row vector and the last a column vector (Cormen et al., "Introduction to
    Algorithms", chapter on dynamic programming: matrix-chain multiplication).
    """
    refuse_given("np.linalg.multi_dot", {}, out=out)
    factors = [as_array(a) for a in arrays]
    if len(factors) < 2:
        raise ValueError("np.linalg.multi_dot: expected at least two arrays")
    row, column = factors[0].ndim == 1, factors[-1].ndim == 1
    if row:
        factors[0] = np.expand_dims(factors[0], 0)
    if column:
        factors[-1] = np.expand_dims(factors[-1], 1)
    sizes = [factors[0].shape[0], *[a.shape[-1] for a in factors]]

    @cache
    def cheapest(i: int, j: int) -> tuple[int, int]:
        """The number of multiplications for factors i to j, and the last of the first group."""
        if i == j:
            return 0, i
        return min(
            (cheapest(i, k)[0] + cheapest(k + 1, j)[0] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
            for k in range(i, j)
        )

    def product(i: int, j: int) -> Any:
        k = cheapest(i, j)[1]
        return factors[i] if i == j else np.dot(product(i, k), product(k + 1, j))

    y = product(0, len(factors) - 1)
    return np.squeeze(y, (0,) * row + (-1,) * column) if row or column else y
