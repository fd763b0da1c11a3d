"""The error function, which NumPy does not have, and its complement."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from math import pi, sqrt
from typing import Any

import numpy as np

from nnlite.core.primitives.elementwise import Elementwise
from nnlite.core.value import Value


def _table(*rows: str) -> list[list[float]]:
    return [[float(number) for number in row.split()] for row in rows]


# Cody 1969, "Rational Chebyshev approximations for the error function", Mathematics of
# Computation 23, 631-637: a numerator and a denominator each, with the coefficients of his program
# CALERF, highest powers first.
_NEAR = _table(
    "1.85777706184603153e-1 3.16112374387056560 1.13864154151050156e2 3.77485237685302021e2 "
    "3.20937758913846947e3",
    "1 2.36012909523441209e1 2.44024637934444173e2 1.28261652607737228e3 2.84423683343917062e3",
)
_MIDDLE = _table(
    "2.15311535474403846e-8 5.64188496988670089e-1 8.88314979438837594 6.61191906371416295e1 "
    "2.98635138197400131e2 8.81952221241769090e2 1.71204761263407058e3 2.05107837782607147e3 "
    "1.23033935479799725e3",
    "1 1.57449261107098347e1 1.17693950891312499e2 5.37181101862009858e2 1.62138957456669019e3 "
    "3.29079923573345963e3 4.36261909014324716e3 3.43936767414372164e3 1.23033935480374942e3",
)
_FAR = _table(
    "1.63153871373020978e-2 3.05326634961232344e-1 3.60344899949804439e-1 "
    "1.25781726111229246e-1 1.60837851487422766e-2 6.58749161529837803e-4",
    "1 2.56852019228982242 1.87295284992346725 5.27905102951428412e-1 6.05183413124413191e-2 "
    "2.33520497626869185e-3",
)


class ErrorFunction(Elementwise):
    """erf or erfc, whose derivatives are ±2/√π exp(−x²)."""

    def __init__(self, function: Callable[..., Any], slope: float) -> None:
        super().__init__(function, lambda g, y, x: g * (slope * np.exp(-x * x)))
        self.slope = slope

    def __reduce__(self) -> Any:
        return ErrorFunction, (self.function, self.slope)

    def __repr__(self) -> str:
        return self.label


def erf(x: Any) -> Any:
    """2/√π ∫ exp(−s²) ds from 0 to x, of an array of floats, a node or a dual number."""
    if isinstance(x, Value):
        return ErrorFunction(erf, 2 / sqrt(pi))(x)
    a = np.abs(x)
    return np.where(a <= 0.46875, _near(x), np.copysign(1 - _tail(a), x))[()]


def erfc(x: Any) -> Any:
    """1 − erf(x), accurate where that is small too."""
    if isinstance(x, Value):
        return ErrorFunction(erfc, -2 / sqrt(pi))(x)
    a = np.abs(x)
    tail = _tail(a)
    return np.where(a <= 0.46875, 1 - _near(x), np.where(x < 0, 2 - tail, tail))[()]


def _near(x: Any) -> Any:
    """erf(x) for |x| ≤ 0.46875."""
    x = np.clip(x, -0.46875, 0.46875)
    return x * _ratio(_NEAR, x * x)


def _tail(a: Any) -> Any:
    """erfc(a) for a ≥ 0.46875."""
    a = np.clip(a, 0.46875, 30)
    small, large = np.minimum(a, 4), np.maximum(a, 4)
    z = 1 / (large * large)
    series = (1 / sqrt(pi) - z * _ratio(_FAR, z)) / large
    rounded = np.trunc(16 * a) / 16  # whose square is exact, so that its exponential is accurate
    exponential = np.exp(-rounded * rounded) * np.exp(-(a - rounded) * (a + rounded))
    return exponential * np.where(a <= 4, _ratio(_MIDDLE, small), series)


def _ratio(polynomials: list[list[float]], x: Any) -> Any:
    """The ratio of two polynomials, each by Horner's rule."""
    numerator, denominator = (reduce(lambda y, c: y * x + c, row) for row in polynomials)
    return numerator / denominator
