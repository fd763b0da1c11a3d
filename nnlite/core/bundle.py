"""Bundle: several tangents, or cotangents, that travel together.

Propagating n unit tangents one by one costs n passes through Python. In a bundle they are one
array with an axis more, in front, and each operation works on all of them at once. Operations for
which no such form is written down go through the members one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnlite.core.node import Node
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

    def _apply(self, module: Any, inputs: tuple[Any, ...]) -> Any:
        if not module._is_rule:
            return module._forward_at(Node._alone((True,) * len(inputs)), inputs)
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
    vertex = Node._alone((False,) * len(arrays))
    results = [
        module._forward_at(vertex, [a[k] if is_own else a for a, is_own in zip(arrays, own)])
        for k in range(count)
    ]
    return np.stack(results)
