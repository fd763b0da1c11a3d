"""Values that are looked at wherever a graph runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnlite.core.node import Node
from nnlite.core.primitives.base import Primitive
from nnlite.core.value import Value


class Check(Primitive):
    """x itself, after a check of its values that raises an error where something is wrong.

    Parameters
    ----------
    check : callable
    below : int, optional
        Where x are indices, the check lets those pass that are from 0 to below − 1.
    """

    label = "checked"

    def __init__(self, check: Callable[[Any], None], below: int | None = None) -> None:
        self.check = check
        self.below = below

    def forward(self, x: Any) -> Any:
        return checked(self.check, x, self.below)

    def backward(self, grad: Any) -> Any:
        return grad

    jvp = backward

    def __repr__(self) -> str:
        return "checked"


def checked(check: Callable[[Any], None], x: Any, below: int | None = None) -> Any:
    """x, after `check` has seen it as an array; a graph that will run again checks in every run."""
    if isinstance(x, Node):
        return Check(check, below)(x)
    if not isinstance(x, Value):
        check(np.asarray(x))
    return x
