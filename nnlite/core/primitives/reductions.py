"""Reductions over axes: sums, means and variances."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from nnlite.core.primitives.base import LinearMap, Primitive, inverse_or_zero, refuse_given
from nnlite.core.rules import RULES, rule

Function = Callable[..., Any]
Axis = int | tuple[int, ...] | None


def reduced_axes(axis: Axis, ndim: int) -> tuple[int, ...]:
    """The axes that a reduction runs over, counted from the front."""
    if axis is None:
        return tuple(range(ndim))
    return normalize_axis_tuple(axis, ndim) if ndim else ()


class Reduction(Primitive):
    """A function of the entries along some axes; each of them disappears or keeps length 1."""

    def __init__(
        self,
        axis: Axis = None,
        dtype: None = None,
        out: None = None,
        keepdims: bool = False,
        **unsupported: Any,
    ) -> None:
        refuse_given(f"np.{self.label}", unsupported, dtype=dtype, out=out)
        self.axis = axis
        self.keepdims = keepdims

    def stretchable(self, grad: Any, shape: tuple[int, ...]) -> Any:
        """`grad` with length 1 on the axes reduced, so that it broadcasts with the input."""
        axes = reduced_axes(self.axis, len(shape))
        return np.reshape(grad, [1 if i in axes else n for i, n in enumerate(shape)])

    def rows(self, x: Any) -> Any:
        """x with the axes to reduce as one, at the end."""
        axes = reduced_axes(self.axis, np.ndim(x))
        others = [i for i in range(np.ndim(x)) if i not in axes]
        moved = np.transpose(x, (*others, *axes))
        kept, terms = moved.shape[: len(others)], moved.shape[len(others) :]
        return np.reshape(moved, (*kept, math.prod(terms)))

    def from_rows(self, rows: Any, shape: tuple[int, ...]) -> Any:
        """`rows` undone, for an x of `shape`."""
        axes = reduced_axes(self.axis, len(shape))
        order = [*(i for i in range(len(shape)) if i not in axes), *axes]
        moved = np.reshape(rows, [shape[i] for i in order])
        return np.transpose(moved, sorted(range(len(order)), key=order.__getitem__))


class Sloped(Reduction):
    """A reduction y = f(x) with a formula for ∂y/∂x, of the shape of x.

    A subclass defines ``value(x)`` and ``slope(x, y)``.
    """

    value: Function
    slope: Function

    def forward(self, x: Any) -> Any:
        y = self.value(x)
        self.save_for_backward(x, y)
        return y

    def backward(self, grad: Any) -> Any:
        slope = self.slope(*self.saved)
        return self.stretchable(grad, np.shape(slope)) * slope

    def jvp(self, tangent: Any) -> Any:
        return np.sum(self.slope(*self.saved) * tangent, axis=self.axis, keepdims=self.keepdims)


@rule(np.sum)
class Sum(LinearMap, Reduction):
    """Σ x over the axes."""

    def linear(self, x: Any) -> Any:
        return np.sum(x, axis=self.axis, keepdims=self.keepdims)

    def transposed(self, grad: Any, shape: tuple[int, ...]) -> Any:
        return np.broadcast_to(self.stretchable(grad, shape), shape)


@rule(np.mean)
class Mean(Sum):
    """(1/m) Σ x over the axes, m being the number of terms."""

    def linear(self, x: Any) -> Any:
        return np.mean(x, axis=self.axis, keepdims=self.keepdims)

    def transposed(self, grad: Any, shape: tuple[int, ...]) -> Any:
        terms = math.prod([shape[i] for i in reduced_axes(self.axis, len(shape))])
        return super().transposed(grad / max(terms, 1), shape)


@rule(np.var)
class Var(Sloped):
    """σ² = Σ d²/(m − ddof) over the axes, d = x − mean(x)."""

    spread: Function = staticmethod(np.var)

    def __init__(
        self,
        axis: Axis = None,
        dtype: None = None,
        out: None = None,
        ddof: float = 0,
        keepdims: bool = False,
        **unsupported: Any,
    ) -> None:
        super().__init__(axis, dtype, out, keepdims, **unsupported)
        self.ddof = ddof

    def value(self, x: Any) -> Any:
        m = self.freedom(x) + self.ddof
        if m <= self.ddof:
            raise ValueError(
                f"np.{self.label}: {m} values less ddof={self.ddof} leave no degree of freedom"
            )
        return self.spread(x, axis=self.axis, ddof=self.ddof, keepdims=self.keepdims)

    def freedom(self, x: Any) -> Any:
        """m − ddof."""
        axes = reduced_axes(self.axis, np.ndim(x))
        return math.prod([np.shape(x)[i] for i in axes]) - self.ddof

    def centred(self, x: Any) -> Any:
        """d."""
        return x - np.mean(x, axis=self.axis, keepdims=True)

    def slope(self, x: Any, y: Any) -> Any:
        """∂σ²/∂x = 2d/(m − ddof)."""
        return self.centred(x) * (2 / self.freedom(x))


@rule(np.std)
class Std(Var):
    """σ; a multiple of ‖d‖, so that its gradient is 0 where d = 0."""

    spread: Function = staticmethod(np.std)

    def slope(self, x: Any, y: Any) -> Any:
        """∂σ/∂x = d/((m − ddof)σ)."""
        return self.centred(x) * (
            inverse_or_zero(self.stretchable(y, np.shape(x))) / self.freedom(x)
        )


@rule(np.average)
def average(
    a: Any,
    axis: Axis = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    """Σ w x / Σ w over the axes."""
    if returned:
        raise TypeError("np.average of a node or a dual number does not support returned=True")
    if weights is None:
        return np.mean(a, axis=axis, keepdims=keepdims)
    shape, weights_shape = np.shape(a), np.shape(weights)
    if weights_shape != shape:
        if axis is None:
            raise TypeError(
                f"np.average: a has shape {shape} and weights {weights_shape}; give the axis"
            )
        axes = reduced_axes(axis, len(shape))
        if weights_shape != tuple([shape[i] for i in axes]):
            raise ValueError(
                f"np.average: weights of shape {weights_shape} do not fit the axes {axes} of an "
                f"array of shape {shape}"
            )
        ordered = np.transpose(weights, sorted(range(len(axes)), key=axes.__getitem__))
        weights = np.reshape(ordered, [n if i in axes else 1 for i, n in enumerate(shape)])
        weights = np.broadcast_to(weights, shape)
    total = np.sum(weights, axis=axis, keepdims=keepdims)
    return np.sum(np.multiply(a, weights), axis=axis, keepdims=keepdims) / total


def over_first_axis(function: Function) -> Function:
    """``ufunc.reduce`` or ``ufunc.accumulate``, whose axis is the first if none is given."""

    def call(array: Any, axis: Axis = 0, **kwargs: Any) -> Any:
        return function(array, axis=axis, **kwargs)

    return call


RULES[np.add.reduce] = over_first_axis(np.sum)
