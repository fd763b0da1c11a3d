"""Elementwise functions, from one table of partial derivatives.

An elementwise function has a diagonal Jacobian, so multiplying a row from the left and a column
from the right are the same product, and one formula serves back and forward propagation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nnlite.core.node import Node
from nnlite.core.primitives.base import Primitive, refuse, total, unbroadcast
from nnlite.core.primitives.dtypes import AsType
from nnlite.core.rules import RULES
from nnlite.core.value import Value

Product = Callable[..., Any]


class Elementwise(Primitive):
    """A function with the products g · ∂y/∂x_i, each written as a function of g, y, x_1, x_2, …"""

    def __init__(self, function: Callable[..., Any], *products: Product) -> None:
        self.function = function
        self.products = products

    @property
    def label(self) -> str:
        return self.function.__name__

    def __call__(self, *xs: Any, **options: Any) -> Any:
        """The value; ``dtype=`` converts the inputs first, as it does in a ufunc."""
        if options:
            dtype = options.pop("dtype", None)
            if options.pop("where", True) is not True:
                options["where"] = None
            refuse(repr(self), options)
            if dtype is not None:
                if np.dtype(dtype).kind != "f":
                    raise TypeError(f"{self!r} of a node or a dual number: dtype= is a float type")
                xs = tuple([in_dtype(x, np.dtype(dtype)) for x in xs])
        return super().__call__(*xs)

    def forward(self, *xs: Any) -> Any:
        y = self.function(*xs)
        dtype = y.dtype
        if dtype.kind == "f":
            xs = tuple(
                [x if getattr(x, "dtype", None) is dtype else in_dtype(x, dtype) for x in xs]
            )
        elif dtype.kind not in "iub":
            raise TypeError(f"{self!r}: derivatives are of real numbers, not of dtype {dtype}")
        self.save_for_backward(y, *xs)
        return y

    def backward(self, grad: Any) -> Any:
        y, *xs = self.saved
        if self.function in NEVER_INFINITE or (
            self.function in (np.multiply, np.divide) and type(xs[1]) in (int, float)
        ):
            return self._products(grad, y, xs)
        with np.errstate(invalid="ignore"):
            return self._products(grad, y, xs, self._used)

    def _products(self, grad: Any, y: Any, xs: list[Any], used: Product | None = None) -> Any:
        found: list[Any] = []
        for product, x, needed in zip(self.products, xs, self.needs_input_grad):
            if needed:
                contribution = product(grad, y, *xs)
                found.append(unbroadcast(used(grad, contribution) if used else contribution, x))
            else:
                found.append(None)
        return tuple(found)

    def _used(self, grad: Any, product: Any) -> Any:
        """The product g·∂y/∂x, and 0 where g is 0, also if ∂y/∂x is infinite or NaN there.

        exp(x) may overflow, and √x have no derivative, in a branch that `where` does not take:
        what has no influence passes on 0, and not 0·∞.
        """
        if _is_certainly_finite(product):
            return product
        return np.where((grad == 0) & ~np.isfinite(product), 0, product)

    def jvp(self, *tangents: Any) -> Any:
        y, *xs = self.saved
        with np.errstate(invalid="ignore"):
            tangent = total(
                [
                    self._used(t, product(t, y, *xs))
                    for product, t in zip(self.products, tangents)
                    if t is not None
                ]
            )
        if tangent.dtype != y.dtype:
            tangent = AsType(y.dtype)(tangent)
        return tangent if tangent.shape == y.shape else np.broadcast_to(tangent, y.shape)

    def __reduce__(self) -> Any:
        """Pickled as the function, whose products the table has."""
        return (
            (_of_function, (self.function,)) if type(self) is Elementwise else super().__reduce__()
        )

    def __repr__(self) -> str:
        return f"np.{self.label}"


def _of_function(function: Callable[..., Any]) -> Elementwise:
    return Elementwise(function, *PRODUCTS[function])


def _is_certainly_finite(product: Any) -> bool:
    """Whether all entries are finite, here and, in a graph that will run again, at other points."""
    while isinstance(product, Value):
        if isinstance(product, Node) and product._runs_again:
            return False
        product = next(
            getattr(product, name)
            for name in ("value", "primal", "members")
            if hasattr(product, name)
        )
    return math.isfinite(np.vdot(product, product))


def in_dtype(x: Any, dtype: np.dtype[Any]) -> Any:
    """An input as the function itself sees it: converted, but for Python numbers and masks.

    In the formulas of the products an int8 would overflow, and the logarithm of a uint8 be a
    float16.
    """
    if isinstance(x, int | float):
        return x
    if not hasattr(x, "dtype"):
        x = np.asarray(x)
    return x if x.dtype == dtype or x.dtype.kind == "b" else AsType(dtype)(x)


def _hypot(g: Any, y: Any, a: Any, b: Any) -> Any:
    """a/y, and 0 at the origin, of any order."""
    origin = y == 0
    return g * (np.where(origin, 0, a) / np.where(origin, 1, y))


def _arctan2(g: Any, a: Any, b: Any) -> Any:
    """a/(a² + b²) without overflow of the squares."""
    h = np.hypot(a, b)
    return g * (a / h / h)


def _difference(a: Any, b: Any) -> Any:
    """a − b, and 0 where both are the same infinity."""
    same = np.isinf(a) & (a == b)
    return np.where(same, 0, a) - np.where(same, 0, b)


def _logaddexp(g: Any, a: Any, b: Any) -> Any:
    """σ(a − b), with neither overflow nor cancellation."""
    return g * np.exp(-np.logaddexp(0, _difference(b, a)))


def _logaddexp2(g: Any, a: Any, b: Any) -> Any:
    return g * np.exp2(-np.logaddexp2(0, _difference(b, a)))


_LN2, _LN10, _DEGREE = math.log(2), math.log(10), math.pi / 180
_CHOICE: tuple[Product, Product] = (  # of a where a = b
    lambda g, y, a, b: np.where(a == y, g, 0),
    lambda g, y, a, b: np.where(a == y, 0, g),
)

PRODUCTS: dict[Callable[..., Any], tuple[Product, ...]] = {
    np.add: (lambda g, y, a, b: g, lambda g, y, a, b: g),
    np.subtract: (lambda g, y, a, b: g, lambda g, y, a, b: -g),
    np.multiply: (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
    np.divide: (lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b),
    np.remainder: (lambda g, y, a, b: g, lambda g, y, a, b: -g * np.floor_divide(a, b)),
    np.fmod: (lambda g, y, a, b: g, lambda g, y, a, b: -g * np.rint((a - y) / b)),
    np.hypot: (_hypot, lambda g, y, a, b: _hypot(g, y, b, a)),
    np.arctan2: (lambda g, y, a, b: _arctan2(g, b, a), lambda g, y, a, b: _arctan2(-g, a, b)),
    np.logaddexp: (lambda g, y, a, b: _logaddexp(g, a, b), lambda g, y, a, b: _logaddexp(g, b, a)),
    np.logaddexp2: (
        lambda g, y, a, b: _logaddexp2(g, a, b),
        lambda g, y, a, b: _logaddexp2(g, b, a),
    ),
    np.maximum: _CHOICE,
    np.minimum: _CHOICE,
    np.fmax: _CHOICE,
    np.fmin: _CHOICE,
    np.copysign: (
        lambda g, y, a, b: np.where(np.signbit(b), -g, g) * np.sign(a),
        lambda g, y, a, b: np.zeros_like(b),
    ),
    np.heaviside: (
        lambda g, y, x, h: np.zeros_like(x),
        lambda g, y, x, h: np.where(x == 0, g, 0),
    ),
    np.negative: (lambda g, y, x: -g,),
    np.positive: (lambda g, y, x: g,),
    np.conjugate: (lambda g, y, x: g,),
    np.absolute: (lambda g, y, x: g * np.sign(x),),
    np.fabs: (lambda g, y, x: g * np.sign(x),),
    np.square: (lambda g, y, x: g * (2 * x),),
    np.sqrt: (lambda g, y, x: g / (2 * y),),
    np.cbrt: (lambda g, y, x: g / (3 * y * y),),
    np.reciprocal: (lambda g, y, x: -g * y * y,),
    np.exp: (lambda g, y, x: g * y,),
    np.exp2: (lambda g, y, x: g * y * _LN2,),
    np.expm1: (lambda g, y, x: g * np.exp(x),),
    np.log: (lambda g, y, x: g / x,),
    np.log2: (lambda g, y, x: g / (x * _LN2),),
    np.log10: (lambda g, y, x: g / (x * _LN10),),
    np.log1p: (lambda g, y, x: g / (1 + x),),
    np.sin: (lambda g, y, x: g * np.cos(x),),
    np.cos: (lambda g, y, x: -g * np.sin(x),),
    np.tan: (lambda g, y, x: g * (1 + y * y),),
    np.arcsin: (lambda g, y, x: g / np.sqrt((1 - x) * (1 + x)),),
    np.arccos: (lambda g, y, x: -g / np.sqrt((1 - x) * (1 + x)),),
    np.arctan: (lambda g, y, x: g / (1 + x * x),),
    np.sinh: (lambda g, y, x: g * np.cosh(x),),
    np.cosh: (lambda g, y, x: g * np.sinh(x),),
    np.tanh: (lambda g, y, x: g * (1 - y * y),),
    np.arcsinh: (lambda g, y, x: g / np.hypot(1, x),),
    np.arccosh: (lambda g, y, x: g / (np.sqrt(x - 1) * np.sqrt(x + 1)),),
    np.arctanh: (lambda g, y, x: g / ((1 - x) * (1 + x)),),
    np.deg2rad: (lambda g, y, x: g * _DEGREE,),
    np.radians: (lambda g, y, x: g * _DEGREE,),
    np.rad2deg: (lambda g, y, x: g / _DEGREE,),
    np.degrees: (lambda g, y, x: g / _DEGREE,),
}

NEVER_INFINITE = (np.add, np.subtract, np.negative, np.positive, np.where)


def elementwise(function: Callable[..., Any], *products: Product) -> Callable[..., Any]:
    """The rule that applies an `Elementwise` of its own at each vertex."""
    PRODUCTS[function] = products

    def apply(*xs: Any, **options: Any) -> Any:
        return Elementwise(function, *products)(*xs, **options)

    return apply


for _function, _products in tuple(PRODUCTS.items()):
    RULES[_function] = elementwise(_function, *_products)
