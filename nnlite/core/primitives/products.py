"""Products of entries, and cumulative sums and products.

None of them divides, so that zeros among the entries are no matter to any derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.core.primitives.base import Primitive, refuse_given
from nnlite.core.primitives.reductions import Sloped, over_first_axis
from nnlite.core.primitives.shape import Transposable
from nnlite.core.rules import RULES, rule


@rule(np.prod)
class Prod(Sloped):
    """Π x over the axes."""

    def value(self, x: Any) -> Any:
        return np.prod(x, axis=self.axis, keepdims=self.keepdims)

    def slope(self, x: Any, y: Any) -> Any:
        """∂y/∂x_i = Π x_j over j ≠ i."""
        return self.from_rows(product_of_others(self.rows(x)), np.shape(x))


def product_of_others(x: Any) -> Any:
    """Π_{j≠i} x_j for each i along the last axis, by multiplication alone: zeros are no matter.

    The others of an entry are its partner in a pair, and what is outside of the pair.
    """
    n = x.shape[-1]
    if n < 2:
        return np.ones(x.shape, x.dtype)
    even, odd = x[..., : n - n % 2 : 2], x[..., 1::2]
    pairs = even * odd
    if n % 2 == 0:
        outside = product_of_others(pairs)
        both = np.stack([outside * odd, outside * even], axis=-1)
        return np.reshape(both, x.shape)
    outside = product_of_others(np.concatenate([pairs, x[..., -1:]], axis=-1))
    inner = outside[..., :-1]
    both = np.reshape(np.stack([inner * odd, inner * even], axis=-1), (*x.shape[:-1], n - 1))
    return np.concatenate([both, outside[..., -1:]], axis=-1)


@rule(np.cumsum)
def cumsum(a: Any, axis: int | None = None, dtype: None = None, out: None = None) -> Any:
    """y_k = Σ x_i over i ≤ k along an axis, or of the flattened array."""
    refuse_given("np.cumsum", {}, dtype=dtype, out=out)
    return Transposable(np.cumsum, _cumsum, axis)(a)


def _cumsum(grad: Any, shape: tuple[int, ...], axis: int | None) -> Any:
    axis = axis or 0
    return np.reshape(np.flip(np.cumsum(np.flip(grad, axis), axis), axis), shape)


class CumProd(Primitive):
    """y_k = Π x_i over i ≤ k along the last axis.

    Its tangent follows from y_k = x_k y_{k−1}: ẏ_k = x_k ẏ_{k−1} + ẋ_k y_{k−1}.
    """

    def forward(self, x: Any) -> Any:
        y = np.cumprod(x, axis=-1)
        self.save_for_backward(x, y)
        return y

    def before(self) -> Any:
        """y_{k−1}."""
        x, y = self.saved
        one = np.ones((*np.shape(x)[:-1], 1), x.dtype)
        return np.concatenate([one, y[..., :-1]], axis=-1)[..., : np.shape(x)[-1]]

    def backward(self, grad: Any) -> Any:
        x, _ = self.saved
        following = np.concatenate([x[..., 1:], np.zeros_like(x[..., :1])], axis=-1)
        reached = np.flip(recurrence(np.flip(following, -1), np.flip(grad, -1)), -1)
        return self.before() * reached

    def jvp(self, tangent: Any) -> Any:
        x, _ = self.saved
        return recurrence(x, tangent * self.before())


def recurrence(a: Any, b: Any) -> Any:
    """s_k = a_k s_{k−1} + b_k along the last axis, from s_{−1} = 0.

    By doubling: after each pass, (a_k, b_k) composes twice as many steps as before.
    """
    n, step = np.shape(a)[-1], 1
    while step < n:
        b = np.concatenate([b[..., :step], a[..., step:] * b[..., :-step] + b[..., step:]], axis=-1)
        a = np.concatenate([a[..., :step], a[..., step:] * a[..., :-step]], axis=-1)
        step *= 2
    return b


@rule(np.cumprod)
def cumprod(a: Any, axis: int | None = None, dtype: None = None, out: None = None) -> Any:
    """y_k = Π x_i over i ≤ k along an axis, or of the flattened array."""
    refuse_given("np.cumprod", {}, dtype=dtype, out=out)
    if axis is None:
        return CumProd()(np.ravel(a))
    return np.swapaxes(CumProd()(np.swapaxes(a, axis, -1)), axis, -1)


RULES[np.multiply.reduce] = over_first_axis(np.prod)
RULES[np.add.accumulate] = over_first_axis(np.cumsum)
RULES[np.multiply.accumulate] = over_first_axis(np.cumprod)
