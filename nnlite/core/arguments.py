"""What the constructors of modules accept; anything else is an error that says what they want."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nnlite.core.text import shape_and_dtype
from nnlite.core.value import Value


def real(
    module: Any,
    name: str,
    value: Any,
    expected: str = "a finite number",
    low: float = -math.inf,
    high: float = math.inf,
    above: float = -math.inf,
) -> float:
    """`value` as a float, if it is a finite one in [low, high] and greater than `above`."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(_unexpected(module, name, value, expected))
    if not (math.isfinite(value) and low <= value <= high and value > above):
        raise ValueError(_unexpected(module, name, value, expected))
    return float(value)


def whole(
    module: Any, name: str, value: Any, expected: str = "a whole number", low: float = -math.inf
) -> int:
    """`value` as an int, if it is a whole number of at least `low`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(_unexpected(module, name, value, expected))
    if value < low:
        raise ValueError(_unexpected(module, name, value, expected))
    return int(value)


def size(module: Any, name: str, value: Any) -> int:
    """`value` as an int, if it is the length of something."""
    return whole(module, name, value, "a whole number of at least 1", low=1)


def one_of(module: Any, name: str, value: Any, choices: tuple[str, ...]) -> str:
    """`value`, if it is one of `choices`."""
    expected = " or ".join(map(repr, choices))
    if not isinstance(value, str):
        raise TypeError(_unexpected(module, name, value, expected))
    if value not in choices:
        raise ValueError(_unexpected(module, name, value, expected))
    return value


def floating(module: Any, dtype: DTypeLike) -> np.dtype[Any]:
    """`dtype`, if it is one of floats."""
    if np.dtype(dtype).kind != "f":
        raise TypeError(
            f"{type(module).__name__}: dtype is a floating dtype, got {np.dtype(dtype)}"
        )
    return np.dtype(dtype)


def _unexpected(module: Any, name: str, value: Any, expected: str) -> str:
    kind = type(module).__name__
    if isinstance(value, Value):
        got, forgotten = repr(value), True
    else:
        forgotten = isinstance(value, np.ndarray) and value.size != 1
        got = shape_and_dtype(value) if isinstance(value, np.ndarray) else repr(value)
    message = f"{kind}: {name} is {expected}, got {got}"
    if forgotten:
        message += f"; was a second set of parentheses forgotten, as in {kind}(...)(x)?"
    return message
