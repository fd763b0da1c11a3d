"""Determinants: Giles 2008 (section 2.2.4), and a formula that needs no inverse."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nnlite.core.primitives.base import Constantlike, Primitive, total
from nnlite.core.primitives.reductions import Sloped
from nnlite.core.primitives.solvers import Inv
from nnlite.core.rules import RULES, rule
from nnlite.core.value import Value


class OfMatrix(Sloped):
    """A number for each matrix in the last two axes."""

    def __init__(self) -> None:
        super().__init__((-2, -1))


class Det(OfMatrix):
    """det A, whose gradient is the matrix of cofactors: also where A is singular."""

    def value(self, a: Any) -> Any:
        return np.linalg.det(a)

    def slope(self, a: Any, y: Any) -> Any:
        return cofactors(a)


def cofactors(a: Any) -> Any:
    """The matrix of cofactors C, which is det(A) A⁻ᵀ for a regular A.

    With A = U diag(s) Vᵀ it is det(U) det(V) U diag(p) Vᵀ, where p_i is the product of all s but
    s_i: nothing is divided by, so that a singular matrix is as good as any other.
    """
    if isinstance(a, Value):
        return Cofactors()(a)
    u, s, vt = np.linalg.svd(a)
    return (u * (_sign(u, vt) * _products_without(s))[..., np.newaxis, :]) @ vt


def cofactors_along(a: Any, x: Any) -> Any:
    """The derivative of the cofactors along X, H(A) X, where H is the symmetric Hessian of det.

    The second derivative of det at diag(s) along X and Z is Σ p_ij (X_ii Z_jj − X_ij Z_ji) over
    i ≠ j, where p_ij is the product of all s but s_i and s_j; again nothing is divided by.
    """
    if isinstance(a, Value) or isinstance(x, Value):
        return CofactorsAlong()(a, x)
    u, s, vt = np.linalg.svd(a)
    same = np.eye(s.shape[-1], dtype=bool)
    p = ~same * _products_without(np.where(same, s.dtype.type(1), s[..., np.newaxis, :]))
    x = u.mT @ x @ vt.mT
    diagonal = (p @ np.diagonal(x, 0, -2, -1)[..., np.newaxis]) * same
    return _sign(u, vt)[..., np.newaxis] * (u @ (diagonal - (p * x).mT) @ vt)


def _sign(u: Any, vt: Any) -> Any:
    return np.rint(np.linalg.det(u) * np.linalg.det(vt))[..., np.newaxis]


def _products_without(s: Any) -> Any:
    """For each entry along the last axis, the product of all others.

    It is a sum of logarithms, since parts of the product may overflow where the whole does not.
    """
    with np.errstate(divide="ignore"):
        logs = np.log(s)
    zero = np.zeros_like(s[..., :1])
    before = np.concatenate([zero, logs[..., :-1]], axis=-1)
    after = np.concatenate([zero, logs[..., :0:-1]], axis=-1)
    return np.exp(np.cumsum(before, axis=-1) + np.cumsum(after, axis=-1)[..., ::-1])


class Cofactors(Primitive):
    """`cofactors`; its derivative is symmetric, so that one formula serves both modes."""

    def forward(self, a: Any) -> Any:
        self.save_for_backward(a)
        return cofactors(a)

    def backward(self, grad: Any) -> Any:
        (a,) = self.saved
        return cofactors_along(a, grad)

    jvp = backward


class CofactorsAlong(Primitive):
    """`cofactors_along`: H(A) X, which is tr(A⁻¹X) C − C Xᵀ A⁻ᵀ of a regular matrix."""

    def forward(self, a: Any, x: Any) -> Any:
        self.save_for_backward(a, x)
        return cofactors_along(a, x)

    def backward(self, grad: Any) -> Any:
        a, x = self.saved
        needs_a, needs_x = self.needs_input_grad
        return (
            self._third(a, x, grad) if needs_a else None,
            cofactors_along(a, grad) if needs_x else None,
        )

    def jvp(self, da: Any, dx: Any) -> Any:
        a, x = self.saved
        return total(
            [
                None if da is None else self._third(a, x, da),
                None if dx is None else cofactors_along(a, dx),
            ]
        )

    def _third(self, a: Any, x: Any, v: Any) -> Any:
        """The derivative of H(A) X along V, symmetric in X, V and what it is multiplied by."""
        y = _regular_inverse(a)
        c, dc = cofactors(a), cofactors_along(a, v)
        yx = y @ x
        trace = np.sum(y.mT * x, axis=(-2, -1), keepdims=True)
        change = np.sum((y @ v).mT * yx, axis=(-2, -1), keepdims=True)
        return trace * dc - change * c - dc @ yx.mT + c @ (y @ v @ yx).mT


class RegularInv(Inv):
    """The inverse in a derivative that also exists where the inverse does not."""

    def inverse(self, a: Any) -> Any:
        return _regular_inverse(a)


def _regular_inverse(a: Any) -> Any:
    """A⁻¹, unless so much would cancel in the third derivative that little was left of it."""
    if isinstance(a, Value):
        return RegularInv()(a)
    s = np.linalg.svd(a, compute_uv=False)
    if not (s[..., -1:] >= s[..., :1] * np.finfo(s.dtype).eps ** 0.25).all() or not s.all():
        raise np.linalg.LinAlgError(
            "np.linalg.det: the third and higher derivatives are not available at a singular or "
            "ill-conditioned matrix; write the determinant out as a sum of products of the entries"
        )
    return np.linalg.inv(a)


class LogAbsDet(OfMatrix):
    """log |det A|, whose gradient is A⁻ᵀ."""

    def value(self, a: Any) -> Any:
        return np.linalg.slogdet(a)[1]

    def slope(self, a: Any, y: Any) -> Any:
        return np.linalg.inv(a).mT


class SlogdetResult(NamedTuple):
    """As in NumPy: the determinant's sign, which has no derivative, and log |det A|."""

    sign: Any
    logabsdet: Any


def sign_of_det(a: Any) -> Any:
    return np.linalg.slogdet(a)[0]


RULES[np.linalg.det] = lambda a: Det()(a)


@rule(np.linalg.slogdet)
def slogdet(a: Any) -> SlogdetResult:
    """The sign and the logarithm of the absolute value of the determinant."""
    return SlogdetResult(Constantlike(sign_of_det)(a), LogAbsDet()(a))
