"""Products of matrices and vectors.

Each is linear in either factor, so that the product rule gives its tangent from the function
itself, ẏ = ȧ·b + a·ḃ, and each gradient is a product again. For matrices and the gradient ḡ of
A B: Ā = ḡ Bᵀ and B̄ = Aᵀ ḡ (Giles 2008, "Collected matrix derivative results for forward and
reverse mode algorithmic differentiation", section 2.2.2).
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from nnlite.core.primitives.base import Primitive, refuse, total, unbroadcast
from nnlite.core.rules import RULES, rule
from nnlite.core.value import as_array


class Bilinear(Primitive):
    """A function that is linear in each of two arrays.

    A subclass defines ``product(a, b)``, the function, and the gradients ``left(grad, a, b)`` and
    ``right(grad, a, b)`` with respect to a and b.
    """

    product: Callable[..., Any]
    left: Callable[..., Any]
    right: Callable[..., Any]

    def forward(self, a: Any, b: Any) -> Any:
        a, b = as_array(a), as_array(b)
        self.save_for_backward(a, b)
        y = self.product(a, b)
        refuse_complex(self, y)
        return y

    def backward(self, grad: Any) -> Any:
        a, b = self.saved
        needs_a, needs_b = self.needs_input_grad
        return (
            self.left(grad, a, b) if needs_a else None,
            self.right(grad, a, b) if needs_b else None,
        )

    def jvp(self, da: Any, db: Any) -> Any:
        a, b = self.saved
        return total(
            [
                None if da is None else self.product(da, b),
                None if db is None else self.product(a, db),
            ]
        )


def refuse_complex(module: Primitive, y: Any) -> None:
    if y.dtype.kind == "c":
        raise TypeError(f"np.{module.label}: complex numbers are not supported")


class MatMul(Bilinear):
    """A B: matrices in the last two axes, broadcast over the others; vectors count as NumPy's."""

    def product(self, a: Any, b: Any) -> Any:
        return np.matmul(a, b)

    def left(self, grad: Any, a: Any, b: Any) -> Any:
        if a.ndim == 2 == b.ndim:
            return grad @ b.T
        grad, A, B = _matrices(grad, a, b)
        return np.reshape(unbroadcast(grad @ B.mT, A), a.shape)

    def right(self, grad: Any, a: Any, b: Any) -> Any:
        if a.ndim == 2 == b.ndim:
            return a.T @ grad
        grad, A, B = _matrices(grad, a, b)
        if B.ndim == 2:  # one product of two long matrices, in place of a sum of many products
            A, grad = _rows(A), _rows(grad)
        return np.reshape(unbroadcast(A.mT @ grad, B), b.shape)


def _matrices(grad: Any, a: Any, b: Any) -> tuple[Any, Any, Any]:
    """The three with vectors made into a row a and a column b."""
    if b.ndim == 1:
        b, grad = np.expand_dims(b, 1), np.expand_dims(grad, -1)
    if a.ndim == 1:
        a, grad = np.expand_dims(a, 0), np.expand_dims(grad, -2)
    return grad, a, b


def _rows(x: Any) -> Any:
    return np.reshape(x, (prod(x.shape[:-1]), x.shape[-1]))


class VecDot(Bilinear):
    """Σ a·b over the last axis, broadcast over the others."""

    def product(self, a: Any, b: Any) -> Any:
        return np.vecdot(a, b)

    def left(self, grad: Any, a: Any, b: Any) -> Any:
        return unbroadcast(np.expand_dims(grad, -1) * b, a)

    def right(self, grad: Any, a: Any, b: Any) -> Any:
        return unbroadcast(np.expand_dims(grad, -1) * a, b)


class Cross(Bilinear):
    """a × b of vectors of three numbers; the gradients are b × ḡ and ḡ × a."""

    def __init__(self, axisa: int, axisb: int, axisc: int) -> None:
        self.axes = (axisa, axisb, axisc)

    def product(self, a: Any, b: Any) -> Any:
        axisa, axisb, axisc = self.axes
        if a.shape[axisa] != 3 or b.shape[axisb] != 3:
            raise ValueError(
                f"np.cross: the derivative is for vectors of three numbers, got shapes {a.shape} "
                f"and {b.shape} with vectors along axes {axisa} and {axisb}"
            )
        return np.cross(a, b, axisa, axisb, axisc)

    def left(self, grad: Any, a: Any, b: Any) -> Any:
        axisa, axisb, axisc = self.axes
        found = unbroadcast(np.cross(b, grad, axisb, axisc, -1), np.moveaxis(a, axisa, -1))
        return np.moveaxis(found, -1, axisa)

    def right(self, grad: Any, a: Any, b: Any) -> Any:
        axisa, axisb, axisc = self.axes
        found = unbroadcast(np.cross(grad, a, axisc, axisa, -1), np.moveaxis(b, axisb, -1))
        return np.moveaxis(found, -1, axisb)


@rule(np.matmul, np.linalg.matmul)
def matmul(a: Any, b: Any, /, **unsupported: Any) -> Any:
    """`MatMul`."""
    refuse("np.matmul", unsupported)
    return MatMul()(a, b)


@rule(np.vecdot, np.linalg.vecdot)
def vecdot(a: Any, b: Any, /, *, axis: int = -1, **unsupported: Any) -> Any:
    """`VecDot` along any axis."""
    refuse("np.vecdot", unsupported)
    if axis != -1:
        a, b = np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1)
    return VecDot()(a, b)


def matvec(a: Any, b: Any, /, **unsupported: Any) -> Any:
    """A b, of matrices and vectors in the last axes."""
    refuse("np.matvec", unsupported)
    return np.squeeze(np.matmul(a, np.expand_dims(b, -1)), -1)


def vecmat(a: Any, b: Any, /, **unsupported: Any) -> Any:
    """aᵀ B, of vectors and matrices in the last axes."""
    refuse("np.vecmat", unsupported)
    return np.squeeze(np.matmul(np.expand_dims(a, -2), b), -2)


if hasattr(np, "matvec"):  # NumPy 2.2
    RULES[np.matvec] = matvec
    RULES[np.vecmat] = vecmat


@rule(np.cross)
def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """`Cross`, with NumPy's arguments."""
    return Cross(axisa, axisb, axisc)(a, b) if axis is None else Cross(axis, axis, axis)(a, b)
