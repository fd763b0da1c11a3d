"""Powers and sinc: functions whose derivatives are not functions that NumPy has."""

from __future__ import annotations

from math import factorial, pi
from typing import Any

import numpy as np

from nnlite.core.primitives.elementwise import Elementwise, Product, elementwise
from nnlite.core.rules import RULES
from nnlite.core.value import Value


class Special(Elementwise):
    """A member of a family of elementwise functions that is closed under differentiation.

    A subclass defines ``compute``, on arrays.
    """

    def __init__(self, order: int, *products: Product) -> None:
        super().__init__(self._function, *products)
        self.order = order

    def compute(self, *xs: Any) -> Any:
        raise NotImplementedError

    def _function(self, *xs: Any) -> Any:
        return self(*xs) if any(isinstance(x, Value) for x in xs) else self.compute(*xs)

    def __reduce__(self) -> Any:
        return type(self), (self.order,)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.order})"


class PowerLog(Special):
    """x^p·(log x)^n, the n-th derivative of x^p by p; it is 0 at x = 0 for positive p."""

    def __init__(self, order: int) -> None:
        super().__init__(
            order,
            lambda g, y, x, p: (
                g * (p * power_log(order, x, p - 1) + order * power_log(order - 1, x, p - 1))
            ),
            lambda g, y, x, p: g * power_log(order + 1, x, p),
        )

    def compute(self, x: Any, p: Any) -> Any:
        y = np.power(x, p)
        logarithm = np.log(np.where((x == 0) & (p > 0), 1, x), dtype=y.dtype)
        return y * logarithm**self.order


def power_log(n: int, x: Any, p: Any) -> Any:
    """x^p·(log x)^n."""
    return PowerLog(n)(x, p) if n else np.power(x, p)


def _power_by_base(g: Any, y: Any, x: Any, p: Any) -> Any:
    """p·x^(p−1), which is 0 for p = 0 at x = 0 too."""
    if not isinstance(p, int | float) or p == 0:
        # Any base but 0 will do. With the tiniest the derivative by p, which is 1/x, overflows.
        base = np.finfo(y.dtype).tiny if isinstance(p, Value) else 1
        x = np.where((x == 0) & (p == 0), base, x)
    return g * (p * x ** (p - 1))


class SincDerivative(Special):
    """The n-th derivative of sinc(x) = sin(πx)/(πx).

    With u = πx, f = sin(u)/u has the derivatives f⁽ⁿ⁾ = (sin⁽ⁿ⁾(u) − n f⁽ⁿ⁻¹⁾)/u, by Leibniz'
    rule for u·f = sin u. Near 0, where that cancels, Σ_j (−1)^((n+j)/2) u^j / ((n+j+1) j!) is
    summed, over the j for which n + j is even.
    """

    def __init__(self, order: int) -> None:
        super().__init__(order, lambda g, y, x: g * SincDerivative(order + 1)(x))

    def compute(self, x: Any) -> Any:
        n = self.order
        u = pi * x
        near = np.abs(u) < n + 1
        small, large = np.where(near, u, 0), np.where(near, n + 1, u)
        series: Any = 0
        for j in reversed(range(n % 2, 32 + 2 * n, 2)):
            series = series * small**2 + (-1) ** ((n + j) // 2) / ((n + j + 1) * factorial(j))
        far = np.sin(large) / large
        for k in range(1, n + 1):
            far = (np.sin(large + k * pi / 2) - k * far) / large
        return pi**n * np.where(near, series * small ** (n % 2), far)


_PRODUCTS: tuple[Product, Product] = (_power_by_base, lambda g, y, x, p: g * power_log(1, x, p))
RULES[np.power] = elementwise(np.power, *_PRODUCTS)
RULES[np.float_power] = elementwise(np.float_power, *_PRODUCTS)
RULES[np.sinc] = elementwise(np.sinc, lambda g, y, x: g * SincDerivative(1)(x))
