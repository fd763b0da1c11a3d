"""Elementwise functions, from one table of partial derivatives.

An elementwise function has a diagonal Jacobian, so multiplying a row from the left and a column
from the right are the same product, and one formula serves back and forward propagation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnlite.dispatch import RULES
from nnlite.primitives.base import Primitive, unbroadcast

Product = Callable[..., Any]


class Elementwise(Primitive):
    """A ufunc with the products g · ∂y/∂x_i, each written as a function of g, y, x_1, x_2, …"""

    def __init__(self, ufunc: np.ufunc, *products: Product) -> None:
        self.ufunc = ufunc
        self.products = products

    @property
    def label(self) -> str:
        return self.ufunc.__name__

    def forward(self, *xs: Any) -> Any:
        y = self.ufunc(*xs)
        self.save_for_backward(y, *xs)
        return y

    def backward(self, grad: Any) -> Any:
        y, *xs = self.saved
        return tuple(
            unbroadcast(product(grad, y, *xs), np.shape(x)) if needed else None
            for product, x, needed in zip(self.products, xs, self.needs_input_grad)
        )

    def __repr__(self) -> str:
        return f"np.{self.ufunc.__name__}"


def _power_by_base(g: Any, y: Any, x: Any, p: Any) -> Any:
    """p·x^(p−1), which is 0 for p = 0 at x = 0 too."""
    return g * (p * x ** np.where(p == 0, 1, p - 1))


def _power_by_exponent(g: Any, y: Any, x: Any, p: Any) -> Any:
    """x^p·log x, continued by 0 to x = 0."""
    return g * (y * np.log(np.where(x == 0, 1, x)))


PRODUCTS: dict[np.ufunc, tuple[Product, ...]] = {
    np.add: (lambda g, y, a, b: g, lambda g, y, a, b: g),
    np.subtract: (lambda g, y, a, b: g, lambda g, y, a, b: -g),
    np.multiply: (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
    np.divide: (lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b),
    np.negative: (lambda g, y, x: -g,),
    np.power: (_power_by_base, _power_by_exponent),
}

for _ufunc, _products in PRODUCTS.items():
    RULES[_ufunc] = Elementwise(_ufunc, *_products)
