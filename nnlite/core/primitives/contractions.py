"""Contractions: sums of products over pairs of axes, or over the labels of ``einsum``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnlite.core.primitives.base import refuse_given
from nnlite.core.primitives.linalg import Bilinear
from nnlite.core.rules import rule


@rule(np.tensordot)
class TensorDot(Bilinear):
    """Σ over pairs of axes, one of a and one of b; a's other axes remain, then b's.

    Parameters
    ----------
    axes : int or pair of ints or of sequences of ints
        As in ``np.tensordot``.
    """

    def __init__(self, axes: Any = 2) -> None:
        self.axes = axes

    def product(self, a: Any, b: Any) -> Any:
        return np.tensordot(a, b, self.axes)

    def pairs(self, a: Any, b: Any) -> tuple[Any, Any]:
        """The axes of a and those of b that are summed over."""
        if isinstance(self.axes, int | np.integer):
            return range(-self.axes, 0), range(self.axes)
        return self.axes[0], self.axes[1]

    def left(self, grad: Any, a: Any, b: Any) -> Any:
        free_a, of_a, free_b, of_b = self._split(a, b)
        found = np.tensordot(grad, b, (range(len(free_a), grad.ndim), free_b))
        return _ordered(found, [*free_a, *[i for _, i in sorted(zip(of_b, of_a))]])

    def right(self, grad: Any, a: Any, b: Any) -> Any:
        free_a, of_a, free_b, of_b = self._split(a, b)
        found = np.tensordot(a, grad, (free_a, range(len(free_a))))
        return _ordered(found, [*[j for _, j in sorted(zip(of_a, of_b))], *free_b])

    def _split(self, a: Any, b: Any) -> tuple[list[int], ...]:
        of_a, of_b = (
            [int(axis) % x.ndim for axis in np.atleast_1d(axes)]
            for x, axes in zip((a, b), self.pairs(a, b))
        )
        free_a, free_b = (
            [axis for axis in range(x.ndim) if axis not in summed]
            for x, summed in ((a, of_a), (b, of_b))
        )
        return free_a, of_a, free_b, of_b


def _ordered(found: Any, axes: Sequence[int]) -> Any:
    """Transpose so that axis i of `found` becomes axis ``axes[i]``."""
    return np.transpose(found, [axes.index(i) for i in range(len(axes))])


@rule(np.inner)
class Inner(TensorDot):
    """Σ over the last axis of both; a product where one is a number."""

    def __init__(self) -> None:
        super().__init__(((-1,), (-1,)))

    def product(self, a: Any, b: Any) -> Any:
        return np.inner(a, b)

    def pairs(self, a: Any, b: Any) -> tuple[Any, Any]:
        return ((), ()) if a.ndim == 0 or b.ndim == 0 else self.axes


class Dot(TensorDot):
    """Σ over the last axis of a and the last but one of b; a product where one is a number."""

    def __init__(self) -> None:
        super().__init__(((-1,), (-2,)))

    def product(self, a: Any, b: Any) -> Any:
        return np.dot(a, b)

    def pairs(self, a: Any, b: Any) -> tuple[Any, Any]:
        if a.ndim == 0 or b.ndim == 0:
            return (), ()
        return ((-1,), (-1,)) if b.ndim == 1 else self.axes

    def left(self, grad: Any, a: Any, b: Any) -> Any:
        if a.ndim == 2 == b.ndim:
            return grad @ b.T
        return super().left(grad, a, b)

    def right(self, grad: Any, a: Any, b: Any) -> Any:
        if a.ndim == 2 == b.ndim:
            return a.T @ grad
        return super().right(grad, a, b)


@rule(np.kron)
class Kron(Bilinear):
    """The Kronecker product: y[i₀ n₀ + j₀, …] = a[i₀, …] b[j₀, …] with b of shape (n₀, …)."""

    def product(self, a: Any, b: Any) -> Any:
        return np.kron(a, b)

    def left(self, grad: Any, a: Any, b: Any) -> Any:
        grad, _, B = _blocks(grad, a, b)
        return np.reshape(np.tensordot(grad, B, (range(1, 2 * B.ndim, 2), range(B.ndim))), a.shape)

    def right(self, grad: Any, a: Any, b: Any) -> Any:
        grad, A, _ = _blocks(grad, a, b)
        return np.reshape(np.tensordot(A, grad, (range(A.ndim), range(0, 2 * A.ndim, 2))), b.shape)


def _blocks(grad: Any, a: Any, b: Any) -> tuple[Any, Any, Any]:
    """The gradient with each axis split into one of a and one of b; a and b of equal ranks."""
    rank = max(a.ndim, b.ndim)
    A = np.reshape(a, (1,) * (rank - a.ndim) + a.shape)
    B = np.reshape(b, (1,) * (rank - b.ndim) + b.shape)
    return np.reshape(grad, [n for pair in zip(A.shape, B.shape) for n in pair]), A, B


@rule(np.dot)
def dot(a: Any, b: Any, out: Any = None) -> Any:
    """`Dot`."""
    refuse_given("np.dot", {}, out=out)
    return Dot()(a, b)


@rule(np.vdot)
class VDot(Bilinear):
    """Σ a·b over all entries, of two arrays of one size, read in C order."""

    def product(self, a: Any, b: Any) -> Any:
        return np.vdot(a, b)

    def left(self, grad: Any, a: Any, b: Any) -> Any:
        return grad * np.reshape(b, a.shape)

    def right(self, grad: Any, a: Any, b: Any) -> Any:
        return grad * np.reshape(a, b.shape)


@rule(np.outer)
def outer(a: Any, b: Any, out: Any = None) -> Any:
    """All products of an entry of a and one of b."""
    refuse_given("np.outer", {}, out=out)
    return np.multiply(np.expand_dims(np.ravel(a), 1), np.ravel(b))
