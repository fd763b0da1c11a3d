"""Linear systems, inverses, determinants and the Cholesky factor, to second order."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from derivatives import EPS, check_derivatives
from hypothesis import given, settings, strategies as st
from matrices import check_against_autograd, full_jacobian, normal
from numpy.linalg import LinAlgError

import nnlite as nn
from nnlite.autodiff import grad, jvp, vjp


def regular(*shape, seed=0):
    """Matrices whose singular values are between 1 and 3: inverses of moderate derivatives."""
    u, _, vt = np.linalg.svd(normal(*shape, seed=seed), full_matrices=False)
    return u * np.linspace(1, 3, u.shape[-1]) @ vt


def symmetric(m, x):
    """A positive definite matrix that depends on x."""
    return m.matmul(x, m.swapaxes(x, -1, -2)) + 3 * np.eye(x.shape[-2])


SOLVE_SHAPES = [
    ((3, 3), (3,)),
    ((1, 1), (1,)),
    ((3, 3), (3, 2)),
    ((3, 3), (3, 0)),
    ((0, 0), (0,)),
    ((0, 0), (0, 2)),
    ((4, 3, 3), (3,)),
    ((4, 3, 3), (3, 2)),
    ((3, 3), (4, 3, 2)),
    ((4, 3, 3), (4, 3, 2)),
    ((4, 1, 3, 3), (2, 3, 1)),
    ((1, 3, 3), (2, 3, 3)),
    ((0, 3, 3), (3,)),
    ((0, 3, 3), (1, 3, 2)),
]


@pytest.mark.parametrize(("a", "b"), SOLVE_SHAPES, ids=str)
def test_solve_has_the_right_derivatives(a, b):
    check_derivatives(np.linalg.solve, regular(*a), normal(*b, seed=1))
    A = regular(*a)
    check_derivatives(lambda b: np.linalg.solve(A, b), normal(*b))
    b = normal(*b)
    check_derivatives(lambda a: np.linalg.solve(a, b), A)


@pytest.mark.parametrize(("a", "b"), [((3, 3), (3,)), ((3, 3), (3, 2)), ((2, 3, 3), (2, 3, 2))])
def test_solve_agrees_with_autograd(a, b):
    check_against_autograd(lambda m, a, b: m.linalg.solve(a, b), regular(*a), normal(*b))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 2), max_size=2), st.data())
def test_solve_broadcasts_stacks(stack, data):
    n = data.draw(st.integers(0, 3))

    def part():
        kept = stack[data.draw(st.integers(0, len(stack))) :]
        return [1 if data.draw(st.booleans()) else length for length in kept]

    b = [n] if data.draw(st.booleans()) else [*part(), n, data.draw(st.integers(0, 2))]
    check_derivatives(np.linalg.solve, regular(*part(), n, n), normal(*b))


def test_solve_takes_lists():
    check_derivatives(lambda b: np.linalg.solve([[2.0, 1.0], [0.0, 3.0]], b), normal(2))
    check_derivatives(lambda a: np.linalg.solve(a, [1, 2]), regular(2, 2))


ONE_MATRIX = {
    "inv": lambda m, x: m.linalg.inv(x),
    "det": lambda m, x: m.linalg.det(x),
    "slogdet": lambda m, x: m.linalg.slogdet(x)[1],
    "pinv": lambda m, x: m.linalg.pinv(x),
    "cholesky": lambda m, x: m.linalg.cholesky(symmetric(m, x)),
}


@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 3), (2, 1, 2, 2), (1, 1), (0, 0), (0, 2, 2)])
@pytest.mark.parametrize("f", ONE_MATRIX.values(), ids=ONE_MATRIX)
def test_functions_of_a_square_matrix_have_the_right_derivatives(f, shape):
    check_derivatives(lambda x: f(np, x), regular(*shape), rtol=1e-9)


@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 3)])
@pytest.mark.parametrize("name", ONE_MATRIX)
def test_functions_of_a_square_matrix_agree_with_autograd(name, shape):
    check_against_autograd(ONE_MATRIX[name], regular(*shape))


@pytest.mark.parametrize("shape", [(4, 2), (2, 4), (3, 3, 2), (3, 2, 3), (3, 0), (0, 3)])
def test_pinv_of_a_rectangular_matrix_of_full_rank_has_the_right_derivatives(shape):
    check_derivatives(np.linalg.pinv, regular(*shape), rtol=1e-9)


def test_the_jacobian_of_the_inverse_is_minus_a_kronecker_product():
    """∂Y/∂A = −Y ⊗ Yᵀ for rows stacked."""
    A = regular(3, 3)
    Y: Any = np.linalg.inv(A)
    for mode in ("forward", "reverse"):
        found = full_jacobian(np.linalg.inv, A, mode).reshape(9, 9)
        np.testing.assert_allclose(found, -np.kron(Y, Y.T), rtol=1e-13, atol=1e-14)


def test_a_negative_determinant_has_a_logarithm_of_its_absolute_value():
    A = regular(3, 3)
    A[0] *= -np.sign(np.linalg.det(A))
    assert np.linalg.slogdet(A).sign == -1
    check_derivatives(lambda a: np.linalg.slogdet(a).logabsdet, A)
    check_derivatives(np.linalg.det, A)


def test_slogdet_gives_a_pair_of_nodes_and_a_sign_without_derivative():
    A = regular(2, 3, 3)

    def determinant(a):
        result = np.linalg.slogdet(a)
        sign, logabsdet = result
        assert result.sign is sign
        assert result.logabsdet is logabsdet
        return sign * np.exp(logabsdet)

    check_derivatives(determinant, A)
    sign, tangent = jvp(lambda a: np.linalg.slogdet(a).sign, (A,), (A,))
    np.testing.assert_array_equal(sign, np.linalg.slogdet(A).sign)
    np.testing.assert_array_equal(tangent, np.zeros(2))


def cofactors(A):
    """By deleting a row and a column."""
    n = len(A)
    minor = [
        [np.linalg.det(np.delete(np.delete(A, i, 0), j, 1)) for j in range(n)] for i in range(n)
    ]
    return np.array(minor) * (-1.0) ** np.add.outer(np.arange(n), np.arange(n))


SINGULAR = {
    "zero": np.zeros((3, 3)),
    "a number": np.zeros((1, 1)),
    "rank 1": np.outer([1.0, 2.0, 3.0], [1.0, -1.0, 2.0]),
    "rank 2": np.arange(9.0).reshape(3, 3),
    "rank 3": normal(4, 3) @ normal(3, 4, seed=1),
    "a row of zeros": normal(3, 3) * np.array([[1.0], [0.0], [1.0]]),
    "not quite": np.arange(9.0).reshape(3, 3) + 1e-14 * np.eye(3),
}


@pytest.mark.parametrize("A", SINGULAR.values(), ids=SINGULAR)
def test_det_of_a_singular_matrix_has_the_right_derivatives(A):
    np.testing.assert_allclose(grad(np.linalg.det)(A), cofactors(A), rtol=1e-12, atol=1e-12)
    check_derivatives(np.linalg.det, A)
    check_derivatives(np.linalg.det, np.stack([A, A + np.eye(len(A))]))


@pytest.mark.parametrize("smallest", [1.0, 1e-5, 1e-10, 1e-15, 0.0])
def test_the_second_derivative_of_det_loses_nothing_at_an_ill_conditioned_matrix(smallest):
    """det(A + tX) = det A + t ⟨cof A, X⟩ + t² ⟨cof X, A⟩ + t³ det X for 3×3 matrices."""
    u, _, vt = np.linalg.svd(normal(3, 3))
    A, X = u * [2.0, 1.0, smallest] @ vt, normal(3, 3, seed=1)
    expected = 2 * np.sum(cofactors(X) * A)
    found = derivative_along(X, derivative_along(X, np.linalg.det))(A)
    assert abs(found - expected) <= 100 * EPS * np.abs(cofactors(X)).max() * 2


def test_the_gradient_of_det_does_not_overflow_before_det_does():
    A = np.diag([1e200, 1e200, 1e-200, 1e-200])
    np.testing.assert_allclose(
        np.diagonal(grad(np.linalg.det)(A)), [1e-200, 1e-200, 1e200, 1e200], rtol=4000 * EPS
    )


def derivative_along(v, f):
    return lambda a: jvp(f, (a,), (v,))[1]


def test_the_third_derivative_of_det_is_right():
    A, X = regular(3, 3), normal(3, 3, seed=1)
    f = np.linalg.det
    for _ in range(3):
        f = derivative_along(X, f)
    np.testing.assert_allclose(f(A), 6 * np.linalg.det(X), rtol=1e-12)
    second = derivative_along(X, derivative_along(X, np.linalg.det))
    np.testing.assert_allclose(grad(second)(A), 2 * cofactors(X), rtol=1e-12)
    check_derivatives(grad(np.linalg.det), A)
    check_derivatives(grad(np.linalg.det), regular(2, 4, 4)[1])


@pytest.mark.parametrize("A", SINGULAR.values(), ids=SINGULAR)
def test_the_third_derivative_of_det_at_a_singular_matrix_is_refused(A):
    second = derivative_along(A + 1, derivative_along(A - 1, np.linalg.det))
    for run in (lambda: grad(second)(A), lambda: derivative_along(A, second)(A)):
        with pytest.raises(LinAlgError, match="third and higher derivatives are not available"):
            run()


def test_functions_that_need_an_inverse_raise_at_a_singular_matrix():
    A = np.ones((2, 2))
    for f in (np.linalg.inv, lambda a: np.linalg.solve(a, np.ones(2))):
        with pytest.raises(LinAlgError, match="Singular"):
            vjp(f, A)
    with pytest.raises(LinAlgError, match="Singular"):
        grad(lambda a: np.linalg.slogdet(a)[1])(A)


@pytest.mark.parametrize(
    "A", [np.ones((3, 2)), np.zeros((2, 3)), np.stack([np.eye(2), np.ones((2, 2))])]
)
def test_pinv_of_a_matrix_without_full_rank_is_refused(A):
    with pytest.raises(LinAlgError, match="not full rank"):
        vjp(np.linalg.pinv, A)
    with pytest.raises(LinAlgError, match="not full rank"):
        jvp(np.linalg.pinv, (A,), (A,))


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 4)])
def test_cholesky_gives_either_triangle(upper, shape):
    check_derivatives(
        lambda x: np.linalg.cholesky(symmetric(np, x), upper=upper), regular(*shape), rtol=1e-9
    )


def test_the_gradient_of_cholesky_is_symmetric():
    A, w = symmetric(np, normal(3, 3)), normal(3, 3, seed=1)
    G = grad(lambda a: np.sum(w * np.linalg.cholesky(a)))(A)
    np.testing.assert_array_equal(G, G.T)
    value, tangent = jvp(np.linalg.cholesky, (A,), (w,))
    _, again = jvp(np.linalg.cholesky, (A,), (w.T,))
    np.testing.assert_array_equal(tangent, again)
    assert abs(np.sum(w * tangent) - np.sum(G * w)) < 1e-14
    np.testing.assert_allclose(tangent @ value.T + value @ tangent.T, (w + w.T) / 2, atol=1e-14)


def test_cholesky_of_an_asymmetric_matrix_is_refused():
    A = np.array([[2.0, 0.0], [1.0, 2.0]])
    for run in (lambda: vjp(np.linalg.cholesky, A), lambda: jvp(np.linalg.cholesky, (A,), (A,))):
        with pytest.raises(LinAlgError, match=r"pass \(A \+ A\.T\) / 2"):
            run()


def test_cholesky_forgives_rounding():
    A = symmetric(np, normal(3, 3))
    A[0, 1] = np.nextafter(A[0, 1], 9)
    vjp(np.linalg.cholesky, A)


def test_the_logarithm_of_a_gaussian_has_the_same_gradient_through_cholesky_and_slogdet():
    def by_cholesky(x):
        return 2 * np.sum(np.log(np.diagonal(np.linalg.cholesky(symmetric(np, x)))))

    def by_slogdet(x):
        return np.linalg.slogdet(symmetric(np, x)).logabsdet

    x = normal(3, 3)
    np.testing.assert_allclose(grad(by_cholesky)(x), grad(by_slogdet)(x), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", ["inv", "det", "slogdet", "pinv", "cholesky"])
def test_float32_stays_float32(name):
    x = regular(3, 3).astype(np.float32)

    def f(x):
        if name == "cholesky":
            return np.linalg.cholesky(x @ x.T + 3 * np.eye(3, dtype=np.float32))
        return ONE_MATRIX[name](np, x)

    value, tangent = jvp(f, (x,), (x,))
    assert value.dtype == tangent.dtype == np.float32
    gradient = grad(lambda x: np.sum(f(x)))
    assert gradient(x).dtype == np.float32
    assert jvp(gradient, (x,), (x,))[1].dtype == np.float32


def test_solve_keeps_float32():
    a, b = regular(3, 3).astype(np.float32), normal(3).astype(np.float32)
    value, tangent = jvp(np.linalg.solve, (a, b), (a, b))
    assert value.dtype == tangent.dtype == np.float32
    assert [g.dtype for g in vjp(np.linalg.solve, a, b)[1](value)] == [np.float32] * 2


REFUSED = {
    "svd": np.linalg.svd,
    "eigh": np.linalg.eigh,
    "qr": np.linalg.qr,
    "lstsq": lambda a: np.linalg.lstsq(a, np.ones(2)),
    "pinv rcond=": lambda a: np.linalg.pinv(a, rcond=1e-3),
    "pinv positional rcond": lambda a: np.linalg.pinv(a, 1e-3),
    "pinv hermitian=": lambda a: np.linalg.pinv(a, hermitian=True),
    "pinv rtol=": lambda a: np.linalg.pinv(a, rtol=1e-3),
    "complex solve": lambda a: np.linalg.solve(a, 1j * np.ones(2)),
}


@pytest.mark.parametrize("f", REFUSED.values(), ids=REFUSED)
def test_what_has_no_rule_is_refused(f):
    with pytest.raises((NotImplementedError, TypeError), match=r"has no derivative rule|support"):
        vjp(f, np.eye(2))


def test_the_rank_carries_no_derivative():
    assert vjp(lambda a: a * np.linalg.matrix_rank(a), np.eye(3))[0][0, 0] == 3
    check_derivatives(lambda a: a * np.linalg.matrix_rank(a, tol=1e-3), regular(3, 3))


def test_solvers_stand_in_declared_graphs():
    x = nn.Input("x", requires_grad=True)
    b = normal(3)
    functions: dict[str, Callable[[Any], Any]] = {
        "solve": lambda x: np.linalg.solve(x, b),
        "inv": np.linalg.inv,
        "det": np.linalg.det,
        "slogdet": lambda x: np.linalg.slogdet(x).logabsdet,
        "pinv": np.linalg.pinv,
        "cholesky": lambda x: np.linalg.cholesky(x @ x.T),
    }
    A = regular(3, 3)
    for name, f in functions.items():
        graph = nn.Graph([x], np.sum(f(x)))
        graph(A)
        graph.backward()
        expected = grad(lambda a, f=f: np.sum(f(a)))(A)
        np.testing.assert_array_equal(x.grad, expected, err_msg=name)
