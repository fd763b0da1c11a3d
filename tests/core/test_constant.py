"""Functions without a derivative: plain values on duals, vertices without a gradient on nodes."""

from typing import Any

import numpy as np
import pytest

import nnlite as nn
from nnlite.autodiff import grad, jvp, vjp
from nnlite.core.primitives.zero_derivative import SIGNATURES, UFUNCS

X = np.array([[0.5, -1.5, 2.0], [0.5, np.nan, -np.inf]])
Y = np.array([0.5, 2.0, -3.0])
MASK = np.array([True, False, True])

OF_MASKS = (np.invert, np.bitwise_and, np.bitwise_or, np.bitwise_xor)
CALLS = {
    "round": lambda x: np.round(x, 1),
    "round to tens": lambda x: np.round(x, decimals=-1),
    "around": np.around,
    "the method round": lambda x: x.round(1),
    "fix": np.fix,
    "isposinf": np.isposinf,
    "isneginf": np.isneginf,
    "isreal": np.isreal,
    "iscomplex": np.iscomplex,
    "argmax": np.argmax,
    "argmax along an axis": lambda x: np.argmax(x, axis=-1, keepdims=True),
    "argmin": lambda x: np.argmin(x, 0),
    "argmin with out=None": lambda x: np.argmin(x, 0, None),
    "nanargmax": lambda x: np.nanargmax(x, axis=1),
    "nanargmin": lambda x: np.nanargmin(x, axis=1),
    "argsort": lambda x: np.argsort(x, axis=None),
    "argsort, stable": lambda x: np.argsort(x, kind="stable"),
    "argpartition": lambda x: np.argpartition(x, 1, axis=1),
    "argwhere": lambda x: np.argwhere(x > 0),
    "flatnonzero": lambda x: np.flatnonzero(x > 0),
    "count_nonzero": lambda x: np.count_nonzero(x > 0, axis=0),
    "any": lambda x: np.any(x > 1, axis=1),
    "all": lambda x: np.all(x > 0, where=X == 0.5, keepdims=True),
    "searchsorted": lambda x: np.searchsorted(np.array([0.0, 1.0]), x, side="right"),
    "searchsorted in a value": lambda x: np.searchsorted(x[0, ::2], [1.0, 3.0]),
    "digitize": lambda x: np.digitize(x, [0.0, 1.0], right=True),
    "isclose": lambda x: np.isclose(x, Y, atol=0.1, equal_nan=True),
    "isclose of lists": lambda x: np.isclose(x, [0.5, 2.0, 2.0]),
    "allclose": lambda x: np.allclose(x, Y),
    "array_equal": lambda x: np.array_equal(x, X, equal_nan=True),
    "array_equiv": lambda x: np.array_equiv(Y, x),
    "floor_divide": lambda x: x // 0.4,
    "a mask of conditions": lambda x: ~(x > 0) | (x < 1) & (x == 2) ^ (x != 0.5),
}


def name(function):
    return function.__name__


def run_on_both(f, *xs):
    """What f gives on arrays, on duals, and on nodes; and the node."""
    vertices = []

    def recorded(*nodes):
        vertices.append(f(*nodes))
        return vertices[0]

    with np.errstate(invalid="ignore"):
        expected = f(*xs)
        dual = jvp(f, xs, xs)[0] if xs[0].dtype.kind == "f" else expected
        node = vjp(recorded, *xs)[0] if xs[0].dtype.kind == "f" else expected
    return expected, dual, node, vertices


def assert_constant(f, *xs):
    expected, dual, node, vertices = run_on_both(f, *xs)
    for found in (dual, node):
        np.testing.assert_array_equal(found, expected)
        assert np.result_type(found) == np.result_type(expected)
    for vertex in vertices:
        assert isinstance(vertex, nn.Node)
        assert not vertex.requires_grad


class TestValues:
    @pytest.mark.parametrize("f", [f for f in UFUNCS if f not in OF_MASKS], ids=name)
    def test_of_ufuncs_are_numpys_and_ask_for_no_gradient(self, f):
        assert_constant(f, *[X, Y][: f.nin])
        assert_constant(f, *[Y[:0], Y[:0]][: f.nin])
        assert_constant(f, *[np.float32(1.5), np.float32(2)][: f.nin])

    @pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")  # since NumPy 2.5; still there
    @pytest.mark.parametrize("f", CALLS.values(), ids=CALLS)
    def test_of_functions_are_numpys_and_ask_for_no_gradient(self, f):
        assert_constant(f, X)

    @pytest.mark.parametrize("f", OF_MASKS, ids=name)
    def test_of_masks_are_numpys(self, f):
        assert_constant(lambda x: f(*[x > 1, MASK][: f.nin]), Y)

    def test_every_function_in_the_table_is_tested(self):
        called = {word for call in CALLS for word in call.replace(",", "").split()}
        assert {f.__name__ for f in SIGNATURES} <= called

    def test_pass_through_a_product_without_a_share_in_its_gradient(self):
        x = np.array([0.5, 1.5])
        np.testing.assert_array_equal(grad(lambda x: np.sum(np.floor(x) * x))(x), [0, 1])
        np.testing.assert_array_equal(jvp(lambda x: x * (x > 1), (x,), (x,))[1], [0, 1.5])

    def test_nested_levels_give_the_value_of_every_level(self):
        x = np.array([0.5, 1.5])

        def inner(x):
            return np.sum(np.sign(x - 1) * x**2)

        np.testing.assert_array_equal(jvp(grad(inner), (x,), (x,))[1], [-1, 3])
        np.testing.assert_array_equal(grad(lambda x: jvp(inner, (x,), (x,))[1])(x), [-2, 6])


class TestPythonValues:
    def test_shape_ndim_and_size_are_numbers(self):
        def f(x):
            assert np.shape(x) == (2, 3)
            assert np.ndim(x) == 2
            assert np.size(x) == 6
            assert np.size(x, 1) == 3
            return x

        jvp(f, (X,), (X,))
        vjp(f, X)

    def test_of_comparisons_decide_an_if(self):
        def f(x):
            assert np.allclose(x, Y)
            assert np.array_equal(x, Y)
            assert not np.any(x > 10)
            return x

        jvp(f, (Y,), (Y,))
        vjp(f, Y)

    def test_nonzero_gives_indices_an_axis(self):
        def f(x):
            rows, columns = np.nonzero(x > 1)
            again = np.where(x > 1)
            np.testing.assert_array_equal(getattr(again[1], "value", again[1]), [2])
            return x[rows, columns]

        value, tangent = jvp(f, (X,), (X,))
        np.testing.assert_array_equal(value, [2])
        np.testing.assert_array_equal(tangent, [2])
        gradient = grad(lambda x: np.sum(f(x)))(X)
        np.testing.assert_array_equal(gradient, [[0, 0, 1], [0, 0, 0]])

    def test_indices_are_found_anew_at_another_point(self):
        x = nn.Input("x", requires_grad=True)

        class Positive(nn.Module):
            def forward(self, x):
                (indices,) = np.nonzero(x > 0)
                return np.sum(x[indices] ** 2)

        derivative = nn.Graph(inputs=[x], output=Positive()(x)).gradient(np.array([1.0, -1.0]))
        np.testing.assert_array_equal(derivative(np.array([-3.0, 4.0]))[1], [0, 8])

    @pytest.mark.parametrize(
        "f",
        [
            np.shape,
            np.ndim,
            np.size,
            np.nonzero,
            np.where,
            np.result_type,
            np.isrealobj,
            np.nan_to_num,
        ],
    )
    def test_of_a_vertex_without_a_value_are_refused(self, f):
        with pytest.raises(ValueError, match="before a forward pass"):
            f(nn.Input("x"))

    def test_of_a_declared_comparison_decide_nothing(self):
        for comparison in (np.array_equal, np.allclose):
            with pytest.raises((ValueError, TypeError), match="truth value"):
                bool(comparison(nn.Input("x"), 1.0))


class TestArraysLikeAnother:
    @pytest.mark.parametrize("like", [np.zeros_like, np.ones_like, np.empty_like], ids=name)
    def test_are_plain_arrays_where_the_shape_is_known(self, like):
        def f(x):
            for options in ({}, {"dtype": np.float32}, {"shape": (4, 1)}, {"dtype": int}):
                found, expected = like(x, **options), like(X, **options)
                assert type(found) is np.ndarray
                assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
                if like is not np.empty_like:
                    np.testing.assert_array_equal(found, expected)
            return x

        jvp(f, (X,), (X,))
        vjp(f, X)

    def test_filled_with_a_number(self):
        def f(x):
            np.testing.assert_array_equal(np.full_like(x, 3), np.full_like(X, 3))
            assert np.full_like(x, 3.5, int).dtype == int
            assert np.full_like(x, 3, shape=2).shape == (2,)
            return x

        jvp(f, (X,), (X,))
        vjp(f, X)

    def test_filled_with_a_value_have_its_derivative(self):
        assert grad(lambda c: np.sum(np.full_like(c, c, shape=(2, 3))))(2.0) == 6

        def f(x):
            return np.full_like(x, x[0], dtype=np.float32, shape=(2, 2))

        value, tangent = jvp(f, (Y,), (Y,))
        np.testing.assert_array_equal(tangent, np.full((2, 2), 0.5))
        assert value.dtype == tangent.dtype == np.float32

    @pytest.mark.parametrize(
        "f", [np.zeros_like, np.ones_like, lambda x: np.full_like(x, 2, dtype=np.float32)]
    )
    def test_of_a_declared_vertex_are_vertices(self, f):
        x = nn.Input("x")
        graph = nn.Graph(inputs=[x], output=np.sum(f(x) + x))
        assert graph(Y) == np.sum(f(Y) + Y)
        assert graph(Y[:1]) == np.sum(f(Y[:1]) + Y[:1])


class TestGraphs:
    def test_a_comparison_is_a_vertex_that_every_pass_computes_anew(self):
        x = nn.Input("x", requires_grad=True)
        mask: Any = np.less(x, 1)
        graph = nn.Graph(inputs=[x], output=np.sum(np.where(mask, x, 0)))
        for point in (Y, -Y):
            graph(point)
            np.testing.assert_array_equal(mask.value, point < 1)
            graph.backward()
            np.testing.assert_array_equal(x.grad, point < 1)
        assert mask.grad is None


class TestRefusals:
    @pytest.mark.parametrize(
        ("f", "text"),
        [
            (lambda x: np.less(x, 1, dtype=bool), "np.less.*dtype="),
            (lambda x: np.isnan(x, where=MASK), "np.isnan.*where="),
            (lambda x: np.argmax(x, out=np.zeros((), int)), "np.argmax.*out="),
            (lambda x: np.argmax(x, 0, np.zeros((), int)), "np.argmax.*out="),
            (lambda x: np.round(x, out=np.zeros(3)), "np.round.*out="),
            (lambda x: np.zeros_like(x, order="F"), "np.zeros_like.*order="),
            (lambda x: np.floor(x, out=np.zeros(3)), "write a"),
        ],
    )
    def test_name_the_argument_that_is_not_supported(self, f, text):
        with pytest.raises(TypeError, match=text):
            jvp(f, (Y,), (Y,))
        with pytest.raises(TypeError, match=text):
            vjp(f, Y)

    def test_a_vertex_is_no_option(self):
        with pytest.raises(TypeError, match=r"np.any.*where="):
            vjp(lambda x: np.any(x > 0, where=x > 1), Y)
