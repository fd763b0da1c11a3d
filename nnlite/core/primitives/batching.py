"""Each primitive on a `Bundle`: how it works on all members at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnlite.core.bundle import one_by_one, together
from nnlite.core.primitives.contractions import VDot
from nnlite.core.primitives.elementwise import Elementwise
from nnlite.core.primitives.indexing import GetItem, Scatter, scatter
from nnlite.core.primitives.linalg import MatMul
from nnlite.core.primitives.reductions import Mean, Sum, reduced_axes
from nnlite.core.primitives.shape import BroadcastTo, Identity, Permute, Reshape


@together(Elementwise)
def _elementwise(module: Any, arrays: Sequence[Any], own: Sequence[bool]) -> Any:
    """Axes of length 1 behind the members' axis make all inputs broadcast as they would alone."""
    rank = max([np.ndim(array) - is_own for array, is_own in zip(arrays, own)])
    return module.function(*[_aligned(array, is_own, rank) for array, is_own in zip(arrays, own)])


def _aligned(array: Any, is_own: bool, rank: int) -> Any:
    missing = rank + 1 - np.ndim(array)
    if not is_own or missing == 0:
        return array
    return np.reshape(array, (len(array), *(1,) * missing, *np.shape(array)[1:]))


@together(Sum, Mean)
def _sum(module: Any, arrays: Sequence[Any], own: Sequence[bool]) -> Any:
    (members,) = arrays
    axes = tuple([axis + 1 for axis in reduced_axes(module.axis, np.ndim(members) - 1)])
    function = np.mean if isinstance(module, Mean) else np.sum
    return function(members, axis=axes, keepdims=module.keepdims)


@together(Reshape, Permute, BroadcastTo, Identity)
def _rearranged(module: Any, arrays: Sequence[Any], own: Sequence[bool]) -> Any:
    """What happens to the axes of one member is read off from an empty one."""
    (members,) = arrays
    shape = np.shape(members)[1:]
    if isinstance(module, Permute):
        return np.transpose(members, (0, *[axis + 1 for axis in module.order(len(shape))]))
    new = module.linear(np.broadcast_to(0.0, shape)).shape
    if isinstance(module, BroadcastTo):
        return np.broadcast_to(_aligned(members, True, len(new)), (len(members), *new))
    return np.reshape(members, (len(members), *new))


@together(GetItem, Scatter)
def _indexed(module: Any, arrays: Sequence[Any], own: Sequence[bool]) -> Any:
    """One more slice in front of the key, which is right where the key has no arrays."""
    members, *indices = arrays
    if indices or any(isinstance(part, np.ndarray | bool | np.bool_) for part in module.key):
        return one_by_one(module, arrays, own)
    key = (slice(None), *module.key)
    if isinstance(module, GetItem):
        return members[key]
    return scatter(members, key, (len(members), *module.shape))


@together(MatMul)
def _matmul(module: Any, arrays: Sequence[Any], own: Sequence[bool]) -> Any:
    """Vectors become matrices of one row or column, and the batch axes are aligned."""
    a, b = arrays
    row, column = np.ndim(a) - own[0] == 1, np.ndim(b) - own[1] == 1
    a = np.expand_dims(a, -2) if row else a
    b = np.expand_dims(b, -1) if column else b
    rank = max(np.ndim(a) - own[0], np.ndim(b) - own[1])
    product = np.matmul(_aligned(a, own[0], rank), _aligned(b, own[1], rank))
    return np.squeeze(product, (-2,) * row + (-1,) * column)


@together(VDot)
def _vdot(module: Any, arrays: Sequence[Any], own: Sequence[bool]) -> Any:
    rows = [
        np.reshape(array, (len(array) if is_own else 1, -1)) for array, is_own in zip(arrays, own)
    ]
    return np.vecdot(*rows)
