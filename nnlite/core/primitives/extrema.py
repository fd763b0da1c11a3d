"""The largest and the smallest entries over axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.core.primitives.base import refuse_given
from nnlite.core.primitives.reductions import Axis, Function, Reduction, over_first_axis
from nnlite.core.primitives.taking import put_along_axis
from nnlite.core.rules import RULES, rule


@rule(np.max, np.amax)
class Max(Reduction):
    """The largest entry; of those tied, the first has the whole gradient."""

    extremum: Function = staticmethod(np.max)
    position: Function = staticmethod(np.argmax)

    def __init__(
        self, axis: Axis = None, out: None = None, keepdims: bool = False, **unsupported: Any
    ) -> None:
        super().__init__(axis, None, out, keepdims, **unsupported)

    def forward(self, x: Any) -> Any:
        y = self.extremum(x, axis=self.axis, keepdims=self.keepdims)
        self.save_for_backward(x, np.shape(y))
        return y

    def backward(self, grad: Any) -> Any:
        x, _ = self.saved
        rows = self.rows(x)
        first = self.position(rows, axis=-1, keepdims=True)
        picked = put_along_axis(np.reshape(grad, first.shape), first, rows.shape, axis=-1)
        return self.from_rows(picked, np.shape(x))

    def jvp(self, tangent: Any) -> Any:
        x, shape = self.saved
        first = self.position(self.rows(x), axis=-1, keepdims=True)
        return np.reshape(np.take_along_axis(self.rows(tangent), first, axis=-1), shape)


@rule(np.min, np.amin)
class Min(Max):
    """The smallest entry; of those tied, the first has the whole gradient."""

    extremum: Function = staticmethod(np.min)
    position: Function = staticmethod(np.argmin)


@rule(np.ptp)
def ptp(a: Any, axis: Axis = None, out: None = None, keepdims: bool = False) -> Any:
    """The largest entry less the smallest."""
    refuse_given("np.ptp", {}, out=out)
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


RULES[np.maximum.reduce] = over_first_axis(np.max)
RULES[np.minimum.reduce] = over_first_axis(np.min)
