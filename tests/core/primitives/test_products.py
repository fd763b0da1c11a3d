"""Products of matrices, vectors and tensors."""

import numpy as np
import pytest
from derivatives import check_derivatives
from hypothesis import given, settings, strategies as st
from matrices import check_against_autograd, full_jacobian, normal

import nnlite as nn
from nnlite.autodiff import grad, jvp, vjp

MATMUL_SHAPES = [
    ((3,), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3,)),
    ((2, 3), (3, 4)),
    ((1, 3), (3, 1)),
    ((3,), (5, 3, 2)),
    ((5, 2, 3), (3,)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((1, 2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (4, 3, 2)),
    ((4, 5, 2, 3), (1, 3, 2)),
    ((4, 5, 2, 3), (3,)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 3)),
    ((2, 3), (3, 0)),
    ((0,), (0,)),
    ((0, 2, 3), (3, 2)),
    ((0, 2, 3), (1, 3, 2)),
    ((4, 2, 0), (0, 3)),
]

DOT_SHAPES = [
    ((), ()),
    ((), (3,)),
    ((2, 3), ()),
    ((3,), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3,)),
    ((2, 3), (3, 4)),
    ((3,), (5, 3, 2)),
    ((5, 2, 3), (3,)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (2, 3, 4)),
    ((0, 3), (3, 2)),
    ((2, 0), (4, 0, 3)),
]


@pytest.mark.parametrize(("a", "b"), MATMUL_SHAPES, ids=str)
def test_matmul_has_the_right_derivatives_for_all_ranks(a, b):
    check_derivatives(np.matmul, normal(*a), normal(*b, seed=1))
    check_against_autograd(lambda m, a, b: m.matmul(a, b), normal(*a), normal(*b, seed=1))


@pytest.mark.parametrize(("a", "b"), DOT_SHAPES, ids=str)
def test_dot_has_the_right_derivatives_for_all_ranks(a, b):
    check_derivatives(np.dot, normal(*a), normal(*b, seed=1))
    check_against_autograd(lambda m, a, b: m.dot(a, b), normal(*a), normal(*b, seed=1))


sizes = st.integers(0, 3)


@st.composite
def matmul_shapes(draw):
    """Two shapes that matmul takes: vectors, matrices, and stacks that broadcast."""
    inner = draw(sizes)
    stack = draw(st.lists(sizes, max_size=2))

    def part():
        kept = stack[draw(st.integers(0, len(stack))) :]
        return [1 if draw(st.booleans()) else n for n in kept]

    a = [inner] if draw(st.booleans()) else [*part(), draw(sizes), inner]
    b = [inner] if draw(st.booleans()) else [*part(), inner, draw(sizes)]
    return tuple(a), tuple(b)


@settings(max_examples=40, deadline=None)
@given(matmul_shapes())
def test_matmul_broadcasts_stacks_of_matrices(shapes):
    a, b = shapes
    check_derivatives(np.matmul, normal(*a), normal(*b, seed=1))


def test_the_gradients_of_a_product_of_matrices_are_exactly_two_products():
    a, b, w = normal(4, 3), normal(3, 5), normal(4, 5)
    for product in (np.matmul, np.dot):
        _, pullback = vjp(product, a, b)
        da, db = pullback(w)
        np.testing.assert_array_equal(da, w @ b.T)
        np.testing.assert_array_equal(db, a.T @ w)


def test_the_gradient_of_one_matrix_for_a_whole_stack_is_one_product():
    """A (batch, time, features) @ W makes no (batch, features, units) array on its way back."""
    x, W, g = normal(6, 5, 4), normal(4, 3), normal(6, 5, 3)
    (dW,) = vjp(lambda W: x @ W, W)[1](g)
    np.testing.assert_array_equal(dW, x.reshape(30, 4).T @ g.reshape(30, 3))


PRODUCTS = {
    "inner of vectors": (lambda m, a, b: m.inner(a, b), (3,), (3,)),
    "inner of stacks": (lambda m, a, b: m.inner(a, b), (2, 4, 3), (5, 3)),
    "inner with a number": (lambda m, a, b: m.inner(a, b), (), (2, 3)),
    "inner of empty arrays": (lambda m, a, b: m.inner(a, b), (2, 0), (3, 0)),
    "outer": (lambda m, a, b: m.outer(a, b), (3,), (2,)),
    "tensordot over 2 axes": (lambda m, a, b: m.tensordot(a, b), (4, 2, 3), (2, 3, 5)),
    "tensordot over 1 axis": (lambda m, a, b: m.tensordot(a, b, 1), (2, 3), (3, 4, 2)),
    "tensordot over no axis": (lambda m, a, b: m.tensordot(a, b, axes=0), (2, 3), (4,)),
    "tensordot over one pair": (lambda m, a, b: m.tensordot(a, b, axes=(0, 2)), (3, 2), (4, 2, 3)),
    "tensordot over pairs": (
        lambda m, a, b: m.tensordot(a, b, axes=([2, 0], [0, 1])),
        (2, 5, 3),
        (3, 2, 4),
    ),
    "tensordot over negative axes": (
        lambda m, a, b: m.tensordot(a, b, axes=([-1, 0], [-3, -2])),
        (2, 5, 3),
        (3, 2, 4),
    ),
    "tensordot over all axes": (
        lambda m, a, b: m.tensordot(a, b, axes=([1, 2, 0], [2, 0, 1])),
        (2, 3, 4),
        (4, 2, 3),
    ),
    "tensordot of empty arrays": (lambda m, a, b: m.tensordot(a, b, 1), (2, 0), (0, 3)),
    "kron of vectors": (lambda m, a, b: m.kron(a, b), (3,), (2,)),
    "kron of matrices": (lambda m, a, b: m.kron(a, b), (2, 3), (3, 2)),
    "operator": (lambda m, a, b: a @ b, (2, 3), (3, 2)),
}


@pytest.mark.parametrize(("f", "a", "b"), PRODUCTS.values(), ids=PRODUCTS)
def test_products_have_the_right_derivatives(f, a, b):
    a, b = normal(*a), normal(*b, seed=1)
    check_derivatives(lambda a, b: f(np, a, b), a, b)
    check_against_autograd(f, a, b)


UNKNOWN_TO_AUTOGRAD = {
    "method dot": (lambda a, b: a.dot(b) if isinstance(a, nn.Value) else a @ b, (2, 3), (3, 2)),
    "outer flattens": (np.outer, (3, 2), (2, 2)),
    "outer of a number": (np.outer, (), (2,)),
    "vdot": (np.vdot, (2, 3), (2, 3)),
    "vdot of other shapes": (np.vdot, (2, 3), (3, 2)),
    "vecdot": (np.vecdot, (4, 3), (4, 3)),
    "vecdot that broadcasts": (np.vecdot, (4, 1, 3), (2, 3)),
    "vecdot along an axis": (
        lambda a, b: np.vecdot(a, b, axis=0),  # type: ignore[call-overload]
        (3, 1),
        (3, 4),
    ),
    "linalg.vecdot": (
        lambda a, b: np.linalg.vecdot(a, b, axis=-2),  # type: ignore[call-overload]
        (3, 1),
        (3, 4),
    ),
    "kron of other ranks": (np.kron, (2,), (3, 1, 2)),
    "kron of a matrix and a vector": (np.kron, (2, 3), (2,)),
    "kron of a number": (np.kron, (), (2, 3)),
    "kron of empty arrays": (np.kron, (2, 0), (1, 3)),
    "cross": (np.cross, (3,), (3,)),
    "cross that broadcasts": (np.cross, (4, 1, 3), (2, 3)),
    "cross of a vector and a stack": (np.cross, (3,), (2, 3)),
    "cross along an axis": (lambda a, b: np.cross(a, b, axis=0), (3, 2), (3, 2)),
    "cross along three axes": (
        lambda a, b: np.cross(a, b, axisa=0, axisb=1, axisc=1),
        (3, 2, 4),
        (2, 3, 4),
    ),
    "linalg.cross": (lambda a, b: np.linalg.cross(a, b, axis=0), (3, 2), (3, 2)),
    "linalg.matmul": (np.linalg.matmul, (2, 3), (3, 2)),
    "linalg.outer": (np.linalg.outer, (2,), (3,)),
    "linalg.tensordot": (lambda a, b: np.linalg.tensordot(a, b, axes=1), (2, 3), (3, 2)),
}

if hasattr(np, "matvec"):  # NumPy 2.2
    UNKNOWN_TO_AUTOGRAD |= {
        "matvec": (np.matvec, (4, 2, 3), (3,)),
        "matvec that broadcasts": (np.matvec, (2, 3), (5, 1, 3)),
        "vecmat": (np.vecmat, (5, 3), (5, 3, 2)),
        "vecmat that broadcasts": (np.vecmat, (3,), (5, 3, 2)),
    }


@pytest.mark.parametrize(("f", "a", "b"), UNKNOWN_TO_AUTOGRAD.values(), ids=UNKNOWN_TO_AUTOGRAD)
def test_products_that_autograd_lacks_have_the_right_derivatives(f, a, b):
    check_derivatives(f, normal(*a), normal(*b, seed=1))


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_tensordot_takes_any_pairs_of_axes(data):
    a = data.draw(st.lists(st.integers(1, 3), max_size=3))
    summed = data.draw(st.permutations(range(len(a))))[: data.draw(st.integers(0, len(a)))]
    free = data.draw(st.lists(st.integers(1, 3), max_size=2))
    order = data.draw(st.permutations(range(len(summed) + len(free))))
    sizes_b = [*[a[axis] for axis in summed], *free]
    b = [sizes_b[i] for i in order]
    axes_a = [axis - len(a) * data.draw(st.booleans()) for axis in summed]
    axes_b = [order.index(i) - len(b) * data.draw(st.booleans()) for i in range(len(summed))]
    check_derivatives(
        lambda x, y: np.tensordot(x, y, (axes_a, axes_b)), normal(*a), normal(*b, seed=1)
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "f",
    [
        np.matmul,
        np.dot,
        np.inner,
        np.outer,
        np.kron,
        np.vecdot,
        np.cross,
        lambda a, b: np.einsum("ii,jk", a, b),
        lambda a, b: np.einsum("ij,kl->ik", a, b),
    ],
)
def test_products_keep_the_dtype(f, dtype):
    a, b = normal(3, 3).astype(dtype), normal(3, 3, seed=1).astype(dtype)
    value, tangent = jvp(f, (a, b), (a, b))
    assert value.dtype == tangent.dtype == dtype
    _, pullback = vjp(f, a, b)
    assert [g.dtype for g in pullback(value)] == [dtype, dtype]


def test_products_take_lists_and_arrays_of_integers():
    x = normal(2, 2)
    for constant in ([[1, 2], [3, 4]], [[1.0, 2.0], [3.0, 4.0]], np.array([[1, 2], [3, 4]])):
        for f in (np.matmul, np.dot, np.inner, np.tensordot, np.kron, np.vecdot, np.outer):
            check_derivatives(lambda x, f=f, c=constant: f(x, c) + f(c, x), x)
        check_derivatives(lambda x, c=constant: np.einsum("ij,jk", c, x), x)


COMPLEX = {
    "matmul": lambda x: x @ (1j * np.eye(2)),
    "dot": lambda x: np.dot(1j * np.eye(2), x),
    "einsum": lambda x: np.einsum("ij,jk", x, 1j * np.eye(2)),
}


@pytest.mark.parametrize("f", COMPLEX.values(), ids=COMPLEX)
def test_complex_products_are_refused(f):
    with pytest.raises(TypeError, match="complex numbers are not supported"):
        jvp(f, (normal(2, 2),), (normal(2, 2),))
    with pytest.raises(TypeError, match="complex numbers are not supported"):
        vjp(f, normal(2, 2))


REFUSALS = {
    "matmul axes=": (lambda x: np.matmul(x, x, axes=[(0, 1), (0, 1), (0, 1)]), "axes="),
    "matmul dtype=": (lambda x: np.matmul(x, x, dtype=np.float32), "dtype="),
    "vecdot keepdims=": (
        lambda x: np.vecdot(x, x, keepdims=True),  # type: ignore[call-overload]
        "keepdims=",
    ),
    "dot out=": (lambda x: np.dot(x, x, out=np.zeros((2, 2))), "out"),
    "outer out=": (lambda x: np.outer(x, x, out=np.zeros((4, 4))), "out"),
    "multi_dot out=": (lambda x: np.linalg.multi_dot([x, x], out=np.zeros((2, 2))), "out="),
    "einsum out=": (lambda x: np.einsum("ij->j", x, out=np.zeros(2)), "out="),
    "einsum dtype=": (lambda x: np.einsum("ij->j", x, dtype=np.float32), "dtype="),
    "linalg.trace dtype=": (lambda x: np.linalg.trace(x, dtype=np.float32), "dtype="),
}


@pytest.mark.parametrize(("f", "words"), REFUSALS.values(), ids=REFUSALS)
def test_unsupported_arguments_are_named(f, words):
    for run in (lambda: jvp(f, (np.eye(2),), (np.eye(2),)), lambda: vjp(f, np.eye(2))):
        with pytest.raises((TypeError, NotImplementedError), match=words):
            run()


def test_arguments_that_are_none_are_not_refused():
    check_derivatives(lambda x: np.dot(x, x, out=None) + np.dot(x, x, None), normal(2, 2))
    check_derivatives(lambda x: np.outer(x, x, out=None), normal(2))
    check_derivatives(lambda x: np.einsum("ij,jk", x, x, out=None), normal(2, 2))
    check_derivatives(lambda x: np.linalg.multi_dot([x, x], out=None), normal(2, 2))


def test_cross_of_vectors_of_two_numbers_is_refused():
    with pytest.raises(ValueError, match="vectors of three numbers, got shapes"):
        vjp(np.cross, np.ones(2), np.ones(3))


def test_linalg_outer_takes_vectors_only():
    with pytest.raises(ValueError, match=r"np\.outer takes any arrays"):
        vjp(np.linalg.outer, np.ones((2, 2)), np.ones(3))


def test_products_stand_in_declared_graphs():
    x, y = nn.Input("x", requires_grad=True), nn.Input("y", requires_grad=True)
    a, b = normal(3, 3), normal(3, 3, seed=1)
    for f in (np.matmul, np.dot, np.inner, np.tensordot, np.outer, np.kron, np.vdot, np.cross):
        graph = nn.Graph([x, y], np.sum(np.sin(f(x, y))))
        graph(a, b)
        graph.backward()
        expected = grad(lambda a, b, f=f: np.sum(np.sin(f(a, b))), (0, 1))(a, b)
        np.testing.assert_array_equal(x.grad, expected[0])
        np.testing.assert_array_equal(y.grad, expected[1])


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_the_jacobian_of_sin_AX_is_cos_AX_times_A(mode):
    """∂ sin(AX)_ij / ∂X_kl = cos(AX)_ij A_ik δ_jl."""
    A, X = normal(4, 3), normal(3, 2, seed=1)
    expected = np.einsum("ij,ik,jl->ijkl", np.cos(A @ X), A, np.eye(2))
    found = full_jacobian(lambda X: np.sin(A @ X), X, mode)
    assert found.shape == (4, 2, 3, 2)
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_the_jacobian_of_a_square_is_a_sum_of_two_kronecker_products(mode):
    """vec(X²)′ = I ⊗ X + Xᵀ ⊗ I for columns stacked, here for rows: X ⊗ I + I ⊗ Xᵀ."""
    X = normal(3, 3)
    found = full_jacobian(lambda X: X @ X, X, mode).reshape(9, 9)
    expected = np.kron(X, np.eye(3)) + np.kron(np.eye(3), X.T)
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15)
