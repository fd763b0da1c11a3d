"""Functions that choose between arrays, element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.core.primitives.base import refuse
from nnlite.core.primitives.elementwise import elementwise
from nnlite.core.rules import rule

_where = elementwise(
    np.where,
    lambda g, y, condition, a, b: np.zeros_like(condition),
    lambda g, y, condition, a, b: np.where(condition, g, 0),
    lambda g, y, condition, a, b: np.where(condition, 0, g),
)


@rule(np.where)
def where(condition: Any, *choices: Any) -> Any:
    """``np.where``; the branch that is not chosen gets the gradient 0, whatever it holds."""
    return _where(condition, *choices) if choices else np.nonzero(condition)


_LEFT_OUT = object()


@rule(np.clip)
def clip(
    a: Any,
    a_min: Any = None,
    a_max: Any = None,
    out: None = None,
    *,
    min: Any = _LEFT_OUT,
    max: Any = _LEFT_OUT,
    **unsupported: Any,
) -> Any:
    """min(max(a, a_min), a_max); the edge counts as inside."""
    if out is not None:
        unsupported["out"] = out
    refuse("np.clip", unsupported)
    low, high = a_min if min is _LEFT_OUT else min, a_max if max is _LEFT_OUT else max
    if low is not None:
        a = np.maximum(a, low)
    return a if high is None else np.minimum(a, high)


@rule(np.nan_to_num)
def nan_to_num(
    x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    """x with numbers in place of NaN and infinities, which have the derivative 0."""
    if not copy:
        raise TypeError("np.nan_to_num(copy=False) would write into an array; leave copy out")
    limits = np.finfo(x.dtype)
    y = np.where(np.isnan(x), np.asarray(nan, x.dtype), x)
    for here, number, default in (
        (np.isposinf(x), posinf, limits.max),
        (np.isneginf(x), neginf, limits.min),
    ):
        y = np.where(here, np.asarray(default if number is None else number, x.dtype), y)
    return y


@rule(np.divmod)
def divmod(a: Any, b: Any) -> tuple[Any, Any]:
    """The quotient, which is piecewise constant, and the remainder."""
    return np.floor_divide(a, b), np.remainder(a, b)
