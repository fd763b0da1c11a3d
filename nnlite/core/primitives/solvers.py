"""Linear systems, inverses and the Cholesky factor.

The formulas are those of Giles 2008, "Collected matrix derivative results for forward and reverse
mode algorithmic differentiation" (section 2.2), unless a class names another source.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.core.primitives.base import Constantlike, Primitive, refuse_given, total, unbroadcast
from nnlite.core.primitives.linalg import refuse_complex
from nnlite.core.rules import RULES, rule
from nnlite.core.value import Value, as_array


class Solve(Primitive):
    """x with A x = b: ẋ = A⁻¹(ḃ − Ȧ x); b̄ = A⁻ᵀ x̄ and Ā = −b̄ xᵀ.

    As in NumPy 2, b is a vector where it has one axis and else a stack of matrices; the axes
    before the last two broadcast.
    """

    def forward(self, a: Any, b: Any) -> Any:
        a, b = as_array(a), as_array(b)
        x = np.linalg.solve(a, b)
        refuse_complex(self, x)
        self.save_for_backward(a, b, x)
        return x

    def backward(self, grad: Any) -> Any:
        a, b, x = self.saved
        needs_a, needs_b = self.needs_input_grad
        column = b.ndim == 1
        db = np.linalg.solve(a.mT, np.expand_dims(grad, -1) if column else grad)
        X = np.expand_dims(x, -1) if column else x
        return (
            unbroadcast(-db @ X.mT, a) if needs_a else None,
            unbroadcast(np.squeeze(db, -1) if column else db, b) if needs_b else None,
        )

    def jvp(self, da: Any, db: Any) -> Any:
        a, b, x = self.saved
        column = b.ndim == 1
        X = np.expand_dims(x, -1) if column else x
        right = total(
            [
                None if db is None else np.expand_dims(db, -1) if column else db,
                None if da is None else -da @ X,
            ]
        )
        dx = np.linalg.solve(a, right)
        return np.squeeze(dx, -1) if column else dx


class Inv(Primitive):
    """Y = A⁻¹: Ẏ = −Y Ȧ Y and Ā = −Yᵀ Ȳ Yᵀ."""

    def inverse(self, a: Any) -> Any:
        return np.linalg.inv(a)

    def forward(self, a: Any) -> Any:
        y = self.inverse(a)
        self.save_for_backward(y)
        return y

    def backward(self, grad: Any) -> Any:
        (y,) = self.saved
        return -y.mT @ grad @ y.mT

    def jvp(self, da: Any) -> Any:
        (y,) = self.saved
        return -y @ da @ y


class Pinv(Primitive):
    """P = A⁺ of a matrix of full rank, where

    Ṗ = −P Ȧ P + P Pᵀ Ȧᵀ (I − A P) + (I − P A) Ȧᵀ Pᵀ P

    (Golub and Pereyra 1973, "The differentiation of pseudo-inverses and nonlinear least squares
    problems whose variables separate", equation 4.12). Elsewhere A⁺ is not continuous.
    """

    def forward(self, a: Any) -> Any:
        if not isinstance(a, Value) and not _has_full_rank(a):
            raise np.linalg.LinAlgError(
                "np.linalg.pinv: the matrix has not full rank, so its pseudo-inverse jumps there "
                "and has no derivative"
            )
        p = np.linalg.pinv(a)
        self.save_for_backward(a, p)
        return p

    def backward(self, grad: Any) -> Any:
        a, p = self.saved
        rows, columns = self._complements(a, p)
        first = p.mT @ grad @ p.mT
        return rows @ grad.mT @ p @ p.mT + p.mT @ p @ grad.mT @ columns - first

    def jvp(self, da: Any) -> Any:
        a, p = self.saved
        rows, columns = self._complements(a, p)
        return p @ p.mT @ da.mT @ rows + columns @ da.mT @ p.mT @ p - p @ da @ p

    def _complements(self, a: Any, p: Any) -> tuple[Any, Any]:
        """I − A P and I − P A."""
        m, n = a.shape[-2:]
        return np.eye(m, dtype=a.dtype) - a @ p, np.eye(n, dtype=a.dtype) - p @ a


def _has_full_rank(a: Any) -> bool:
    s = np.linalg.svd(a, compute_uv=False)
    if s.size == 0:
        return True
    return bool((s[..., -1] > s[..., 0] * max(a.shape[-2:]) * np.finfo(s.dtype).eps).all())


@rule(np.linalg.cholesky)
class Cholesky(Primitive):
    """The lower triangular L with L Lᵀ = A, or the upper triangular Lᵀ.

    A is taken as symmetric: tangents are symmetrised, and so is the gradient. With Φ, which takes
    the lower triangle and half the diagonal,

    L̇ = L Φ(L⁻¹ Ȧ L⁻ᵀ) and Ā = sym(L⁻ᵀ Φ(Lᵀ L̄) L⁻¹)

    (Murray 2016, "Differentiation of the Cholesky decomposition", equations 8 and 10).
    """

    def __init__(self, upper: bool = False) -> None:
        self.upper = upper

    def forward(self, a: Any) -> Any:
        if not isinstance(a, Value):
            _check_symmetry(a)
        y = np.linalg.cholesky(a, upper=self.upper)
        self.save_for_backward(y)
        return y

    def backward(self, grad: Any) -> Any:
        lower = self._lower()
        if self.upper:
            grad = grad.mT
        inner = _half_triangle(lower.mT @ grad)
        left = np.linalg.solve(lower.mT, inner)
        found = np.linalg.solve(lower.mT, left.mT).mT
        return (found + found.mT) / 2

    def jvp(self, da: Any) -> Any:
        lower = self._lower()
        left = np.linalg.solve(lower, (da + da.mT) / 2)
        tangent = lower @ _half_triangle(np.linalg.solve(lower, left.mT))
        return tangent.mT if self.upper else tangent

    def _lower(self) -> Any:
        (y,) = self.saved
        return y.mT if self.upper else y


def _half_triangle(x: Any) -> Any:
    n = x.shape[-1]
    ones = np.ones((n, n), x.dtype)
    return x * (np.tril(ones) + np.tril(ones, -1)) / 2


def _check_symmetry(a: Any) -> None:
    """Refuse a matrix of which NumPy would read one triangle and the derivative both."""
    size = np.abs(a).max(initial=0)
    if not np.abs(a - a.mT).max(initial=0) <= size * np.finfo(a.dtype).eps ** 0.5:
        raise np.linalg.LinAlgError(
            "np.linalg.cholesky: the derivative is for symmetric matrices, and this one is not; "
            "pass (A + A.T) / 2"
        )


RULES[np.linalg.solve] = lambda a, b: Solve()(a, b)
RULES[np.linalg.inv] = lambda a: Inv()(a)
RULES[np.linalg.matrix_rank] = lambda A, tol=None, hermitian=False, **kwargs: Constantlike(
    np.linalg.matrix_rank, tol=tol, hermitian=hermitian, **kwargs
)(A)


@rule(np.linalg.pinv)
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, **unsupported: Any) -> Any:
    """`Pinv`."""
    refuse_given("np.linalg.pinv", unsupported, rcond=rcond, hermitian=hermitian or None)
    return Pinv()(a)
