"""What the array API standard added to ``np.linalg``, in terms of NumPy's older functions."""

from __future__ import annotations

import operator
from math import prod
from typing import Any

import numpy as np

from nnlite.core.primitives.base import refuse_given
from nnlite.core.rules import RULES, rule

RULES[np.linalg.tensordot] = lambda x1, x2, /, *, axes=2: np.tensordot(x1, x2, axes)
RULES[np.linalg.cross] = lambda x1, x2, /, *, axis=-1: np.cross(x1, x2, axis=axis)
RULES[np.linalg.diagonal] = lambda x, /, *, offset=0: np.diagonal(x, offset, -2, -1)
RULES[np.linalg.matrix_transpose] = lambda x, /: x.mT
RULES[np.linalg.matrix_norm] = lambda x, /, *, keepdims=False, ord="fro": np.linalg.norm(
    x, ord, (-2, -1), keepdims
)


@rule(np.linalg.outer)
def linalg_outer(x1: Any, x2: Any, /) -> Any:
    """All products of an entry of one vector and one of another."""
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError("np.linalg.outer: both arguments are vectors; np.outer takes any arrays")
    return np.outer(x1, x2)


@rule(np.linalg.trace)
def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """The traces of the matrices in the last two axes."""
    refuse_given("np.linalg.trace", {}, dtype=dtype)
    return np.trace(x, offset, -2, -1)


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
