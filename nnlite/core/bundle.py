"""Bundle: several tangents, or cotangents, that travel together.

Propagating n unit tangents one by one costs n passes through Python. In a bundle they are one
array with an axis more, in front, and each operation works on all of them at once. Operations for
which no such form is written down here go through the members one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnlite.core.node import Node
from nnlite.core.primitives.base import Primitive
from nnlite.core.primitives.contractions import VDot
from nnlite.core.primitives.elementwise import Elementwise
from nnlite.core.primitives.indexing import GetItem, Scatter, scatter
from nnlite.core.primitives.linalg import MatMul
from nnlite.core.primitives.reductions import Mean, Sum, reduced_axes
from nnlite.core.primitives.shape import BroadcastTo, Identity, Permute, Reshape
from nnlite.core.value import Value

Together = Callable[[Any, Sequence[Any], Sequence[bool]], Any]

TOGETHER: dict[type, Together] = {}


class NotTogetherError(TypeError):
    """Something can be done with one tangent, but not with a bundle of them."""


class Bundle(Value):
    """Arrays of one shape, side by side; the shape is that of one of them.

    Attributes
    ----------
    members : array, (count, *shape)
    level : int
        That of the derivative which the members are tangents or cotangents of.
    """

    __slots__ = ("members", "level")

    def __init__(self, members: Any, level: int) -> None:
        self.members = members
        self.level = level

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        members: tuple[int, ...] = np.shape(self.members)
        return members[1:]

    @property
    def dtype(self) -> np.dtype[Any]:  # type: ignore[override]
        return self.members.dtype  # type: ignore[no-any-return]

    def members_of(self, result: Any) -> Any:
        """The members of what was computed with this bundle; all alike if it did not matter."""
        if isinstance(result, Bundle) and result.level == self.level:
            return result.members
        return np.broadcast_to(result, (len(self.members), *np.shape(result)))

    def apply(self, module: Any, inputs: tuple[Any, ...]) -> Any:
        if not module.is_rule and not isinstance(module, Primitive):
            vertex = Node(None, ())
            vertex.needs_input_grad = (True,) * len(inputs)
            return module.evaluate(vertex, inputs)
        own = [isinstance(item, Bundle) and item.level == self.level for item in inputs]
        arrays = [item.members if is_own else item for item, is_own in zip(inputs, own)]
        for kind in type(module).__mro__:
            if kind in TOGETHER:
                return Bundle(TOGETHER[kind](module, arrays, own), self.level)
        return Bundle(one_by_one(module, arrays, own), self.level)

    def _not_together(self, *args: Any, **kwargs: Any) -> Any:
        raise NotTogetherError(f"{self!r} is several arrays, not one")

    __bool__ = __float__ = __array__ = __int__ = __index__ = _not_together

    def __repr__(self) -> str:
        return f"<Bundle of {len(self.members)}, each {self.dtype}{list(self.shape)}>"


def together(*kinds: type) -> Callable[[Together], Together]:
    """Register how modules of these kinds work on all members at once.

    The function takes the module, its inputs (with the members' axis in front where they have
    one), and for each input whether it has; it returns the members of the result.
    """

    def register(function: Together) -> Together:
        TOGETHER.update(dict.fromkeys(kinds, function))
        return function

    return register


def one_by_one(module: Any, arrays: Sequence[Any], own: Sequence[bool]) -> Any:
    count = next(len(array) for array, is_own in zip(arrays, own) if is_own)
    vertex = Node(None, ())
    vertex.needs_input_grad = (False,) * len(arrays)
    results = [
        module.evaluate(vertex, [a[k] if is_own else a for a, is_own in zip(arrays, own)])
        for k in range(count)
    ]
    return np.stack(results)


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
        order = module.linear(np.empty(tuple(range(len(shape))))).shape
        return np.transpose(members, (0, *[axis + 1 for axis in order]))
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
