"""Sums, means, products, extrema, norms: derivatives over every choice of axes, and their kinks."""

import autograd
import autograd.numpy as hips
import numpy as np
import pytest
from derivatives import EPS, check_derivatives
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import array_shapes

import nnlite as nn
from nnlite.autodiff import grad, hvp, jvp, vjp

quick = settings(max_examples=25, deadline=None)
REDUCTIONS = (np.sum, np.mean, np.prod, np.var, np.std, np.max, np.min, np.ptp, np.linalg.norm)


def sample(*shape, rng=0):
    """Numbers that lie further apart than the steps of `central_difference`, none near zero."""
    rng = np.random.default_rng(rng)
    size = int(np.prod(shape))
    grid = (1 + np.arange(size)) * 0.2
    return (rng.permutation(grid) * rng.choice([-1, 1], size)).reshape(shape) / max(1, size) ** 0.25


def scaled(f):
    """f times a smooth function, so that its second derivative is not zero."""
    return lambda x: f(x) * np.exp(np.mean(np.sin(x)))


@st.composite
def shape_and_axis(draw, min_dims=1):
    shape = draw(array_shapes(min_dims=min_dims, max_dims=3, max_side=4))
    ndim = len(shape)
    axes = draw(st.permutations(range(ndim)))[: draw(st.integers(1, ndim))]
    signed = tuple(axis - ndim * draw(st.booleans()) for axis in axes)
    kind = draw(st.sampled_from(["none", "int", "tuple"]))
    return shape, {"none": None, "int": signed[0], "tuple": signed}[kind]


class TestDerivativesAreRight:
    @pytest.mark.parametrize("f", REDUCTIONS, ids=lambda f: f.__name__)
    @quick
    @given(chosen=shape_and_axis(), keepdims=st.booleans())
    def test_over_any_axes(self, f, chosen, keepdims):
        shape, axis = chosen
        if f is np.linalg.norm and isinstance(axis, tuple):
            axis = axis[:2]
        x = sample(*shape)
        terms = x.size // max(1, np.size(np.sum(x, axis=axis)))
        if f is np.std and terms == 1:
            return  # |x − x|, which has a kink everywhere
        check_derivatives(scaled(lambda x: f(x, axis=axis, keepdims=keepdims)), x)

    @pytest.mark.parametrize("f", [np.var, np.std], ids=lambda f: f.__name__)
    @quick
    @given(chosen=shape_and_axis(), ddof=st.sampled_from([0, 1, 0.5]))
    def test_of_variances_with_fewer_degrees_of_freedom(self, f, chosen, ddof):
        shape, axis = chosen
        x = sample(*shape)
        if x.size // max(1, np.size(np.sum(x, axis=axis))) > 1:
            check_derivatives(scaled(lambda x: f(x, axis=axis, ddof=ddof)), x)

    @pytest.mark.parametrize("f", [np.cumsum, np.cumprod], ids=lambda f: f.__name__)
    @quick
    @given(chosen=shape_and_axis())
    def test_of_cumulative_functions(self, f, chosen):
        shape, axis = chosen
        axis = axis[0] if isinstance(axis, tuple) else axis
        check_derivatives(scaled(lambda x: f(x, axis=axis)), sample(*shape))

    @pytest.mark.parametrize("ord", [1, 2, np.inf, -np.inf])
    @quick
    @given(chosen=shape_and_axis(), keepdims=st.booleans())
    def test_of_the_norms_of_vectors(self, ord, chosen, keepdims):
        shape, axis = chosen
        axis = axis[0] if isinstance(axis, tuple) else -1 if axis is None else axis
        f = scaled(lambda x: np.linalg.norm(x, ord, axis, keepdims=keepdims))
        check_derivatives(f, sample(*shape))

    @pytest.mark.parametrize(
        "f",
        [
            lambda x: np.linalg.norm(x, "fro"),
            lambda x: np.linalg.norm(x, "fro", (1, 0), True),
            lambda x: np.linalg.norm(x[0], np.inf),
            lambda x: np.linalg.norm(x[0], 1),
            lambda x: np.add.reduce(x),
            lambda x: np.add.reduce(x, (0, 1)),
            lambda x: np.multiply.reduce(x, -1, keepdims=True),
            lambda x: np.maximum.reduce(x, None),
            lambda x: np.minimum.reduce(x),
            lambda x: np.add.accumulate(x),
            lambda x: np.multiply.accumulate(x, axis=1),
            lambda x: np.amax(x, 1),
            lambda x: np.amin(x, 0),
            lambda x: np.average(x),
            lambda x: np.average(x, 0, keepdims=True),
            lambda x: np.average(x, weights=x * x),
            lambda x: np.average(x, 1, weights=np.exp(x[0])),
            lambda x: np.average(x, (1, 0), weights=np.exp(x.T)),
            lambda x: np.average(np.ones((3, 4)), 1, weights=x[0] ** 2),
            lambda x: x.sum(0) * x.mean(0) + x.prod(0) - x.var(0, ddof=1) * x.std(0),
            lambda x: x.max(1, keepdims=True) - x.min(),
            lambda x: x.cumsum(1) + x.cumprod(0) + x.cumsum().reshape(3, 4),
        ],
    )
    def test_in_other_forms(self, f):
        check_derivatives(scaled(f), sample(3, 4))

    @pytest.mark.parametrize("f", REDUCTIONS[:-2], ids=lambda f: f.__name__)
    @pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
    def test_as_an_independent_system_has_them(self, f, axis):
        x = sample(3, 4)
        theirs = getattr(hips, f.__name__)
        expected = autograd.grad(lambda x: hips.sum(hips.sin(theirs(x, axis=axis))))(x)
        found = grad(lambda x: np.sum(np.sin(f(x, axis=axis))))(x)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)

    def test_of_logsumexp_as_it_is_written_without_overflow(self):
        def logsumexp(x):
            top = np.max(x, axis=-1, keepdims=True)
            return np.log(np.sum(np.exp(x - top), axis=-1)) + np.squeeze(top, -1)

        x = sample(2, 5)
        check_derivatives(logsumexp, x)
        huge = np.array([1000.0, 1000.0, -1000.0])
        np.testing.assert_allclose(grad(logsumexp)(huge), [0.5, 0.5, 0], atol=EPS)
        v = np.array([1.0, -1.0, 5.0])
        np.testing.assert_allclose(hvp(logsumexp, huge, v), [0.5, -0.5, 0], atol=4 * EPS)


class TestProductsWithZeros:
    @pytest.mark.parametrize("zeros", [[0], [1, 4], [0, 2, 3], range(5)])
    @pytest.mark.parametrize("f", [np.prod, np.cumprod], ids=lambda f: f.__name__)
    def test_have_right_first_and_second_derivatives(self, f, zeros):
        x = sample(5)
        x[list(zeros)] = 0
        check_derivatives(f, x)

    def test_have_the_other_factors_as_gradient(self):
        np.testing.assert_array_equal(grad(np.prod)(np.array([2.0, 0.0, 3.0])), [0, 6, 0])
        np.testing.assert_array_equal(grad(np.prod)(np.array([2.0, 0.0, 0.0])), [0, 0, 0])

    def test_have_the_third_derivative_of_three_factors(self):
        f = grad(lambda x: grad(lambda x: grad(np.prod)(x)[0])(x)[1])
        np.testing.assert_array_equal(f(np.zeros(3)), [0, 0, 1])

    @pytest.mark.parametrize("n", range(9))
    def test_of_every_small_length(self, n):
        x = np.arange(2.0, n + 2)
        np.testing.assert_allclose(grad(np.prod)(x), np.prod(x) / x, rtol=4 * EPS)
        expected = [np.sum(np.cumprod(x)[k:]) / x[k] for k in range(n)]
        np.testing.assert_allclose(grad(lambda x: np.cumprod(x).sum())(x), expected, rtol=8 * EPS)


class TestTheFirstOfThoseTied:
    @pytest.mark.parametrize("f", [np.max, np.min, np.maximum.reduce, np.minimum.reduce])
    @pytest.mark.parametrize(
        ("axis", "expected"),
        [
            (None, [[1, 0], [0, 0]]),
            (0, [[1, 1], [0, 0]]),
            (-1, [[1, 0], [1, 0]]),
            ((1, 0), [[1, 0], [0, 0]]),
        ],
    )
    def test_has_the_whole_gradient_and_the_whole_tangent(self, f, axis, expected):
        x = np.ones((2, 2))
        np.testing.assert_array_equal(grad(lambda x: f(x, axis=axis).sum())(x), expected)
        v = np.array([[1.0, 2.0], [3.0, 4.0]])
        _, tangent = jvp(lambda x: f(x, axis=axis).sum(), (x,), (v,))
        assert tangent == np.sum(v * expected)

    def test_has_a_norm_of_the_largest_entry(self):
        f = grad(lambda x: np.linalg.norm(x, np.inf))
        np.testing.assert_array_equal(f(np.array([-2.0, 2.0, 1.0])), [-1, 0, 0])

    def test_and_an_infinite_gradient_reaches_no_other_entry(self):
        _, pullback = vjp(np.max, np.array([1.0, 3.0]))
        np.testing.assert_array_equal(pullback(np.float64(np.inf))[0], [0, np.inf])


class TestAtZero:
    ZERO = np.zeros((2, 3))

    @pytest.mark.parametrize(
        "f",
        [
            np.linalg.norm,
            lambda x: np.linalg.norm(x, axis=-1).sum(),
            lambda x: np.linalg.norm(x, 1, axis=-1).sum(),
            lambda x: np.linalg.norm(x, "fro"),
            np.std,
            lambda x: np.std(x, axis=0).sum(),
        ],
    )
    def test_a_norm_has_the_gradient_0_of_first_and_second_order(self, f):
        v = np.ones((2, 3))
        np.testing.assert_array_equal(grad(f)(self.ZERO), self.ZERO)
        assert jvp(f, (self.ZERO,), (v,))[1] == 0
        for derivative in (
            hvp(f, self.ZERO, v),
            grad(lambda x: np.sum(grad(f)(x) * v))(self.ZERO),
            grad(lambda x: jvp(f, (x,), (v,))[1])(self.ZERO),
            jvp(lambda x: jvp(f, (x,), (v,))[1], (self.ZERO,), (v,))[1],
        ):
            np.testing.assert_array_equal(derivative, np.zeros_like(derivative))

    def test_a_row_of_zeros_does_not_disturb_the_others(self):
        x = np.array([[0.0, 0.0], [3.0, 4.0]])
        found = grad(lambda x: np.linalg.norm(x, axis=1).sum())(x)
        np.testing.assert_allclose(found, [[0.0, 0.0], [0.6, 0.8]], rtol=2 * EPS)


class TestTheResultIsNumPys:
    @pytest.mark.parametrize("f", REDUCTIONS, ids=lambda f: f.__name__)
    def test_in_a_declared_graph_whose_shapes_are_not_known(self, f):
        x = nn.Input("x", requires_grad=True)
        graph = nn.Graph([x], f(x, axis=1))
        value = sample(3, 4)
        np.testing.assert_array_equal(graph(value), f(value, axis=1))
        graph.backward(np.ones(3))
        np.testing.assert_array_equal(x.grad, grad(lambda x: np.sum(f(x, axis=1)))(value))

    @pytest.mark.parametrize("f", [*REDUCTIONS, np.cumsum, np.cumprod], ids=lambda f: f.__name__)
    @pytest.mark.parametrize("dtype", [np.float32, np.float16])
    def test_in_the_dtype_of_the_input_and_so_are_tangents_and_gradients(self, f, dtype):
        x = sample(2, 3).astype(dtype)
        value, tangent = jvp(lambda x: f(x, axis=1), (x,), (x,))
        again, pullback = vjp(lambda x: f(x, axis=1), x)
        if f(x, axis=1).dtype == dtype:  # a norm of float16 is of float32 in some NumPys
            assert value.dtype == again.dtype == tangent.dtype == dtype
        assert pullback(np.ones_like(again))[0].dtype == dtype

    @pytest.mark.parametrize("f", REDUCTIONS[:-1], ids=lambda f: f.__name__)
    def test_for_numbers_without_axes(self, f):
        x = np.float64(3.0)
        value, tangent = jvp(f, (x,), (np.float64(2.0),))
        assert value == f(x)
        constant = f in (np.var, np.std, np.ptp)
        assert tangent == (0 if constant else 2)
        assert grad(f)(x) == (0 if constant else 1)
        if f in (np.sum, np.prod, np.max, np.min):  # which NumPy lets run over an axis of a number
            assert grad(lambda x: f(x, axis=0))(x) == 1

    @pytest.mark.parametrize("f", [np.sum, np.prod, np.linalg.norm])
    def test_for_empty_arrays(self, f):
        x = np.ones((0, 3))
        value, tangent = jvp(lambda x: f(x, axis=0), (x,), (x,))
        np.testing.assert_array_equal(value, f(x, axis=0))
        np.testing.assert_array_equal(tangent, np.zeros(3))
        assert vjp(lambda x: f(x, axis=0), x)[1](np.ones(3))[0].shape == (0, 3)
        assert vjp(lambda x: f(x, axis=1), x)[1](np.ones(0))[0].shape == (0, 3)

    @pytest.mark.parametrize("f", [np.max, np.min, np.mean, np.var])
    def test_for_empty_results(self, f):
        _, pullback = vjp(lambda x: f(x, axis=1), np.ones((0, 3)))
        assert pullback(np.ones(0))[0].shape == (0, 3)

    def test_of_cumulative_functions_of_empty_arrays(self):
        for f in (np.cumsum, np.cumprod):
            check_derivatives(f, np.ones(0))


class TestRefused:
    @pytest.mark.parametrize(
        ("f", "match"),
        [
            (lambda x: np.sum(x, dtype=np.float32), r"np\.sum .*dtype="),
            (lambda x: np.sum(x, 0, np.float32), r"np\.sum .*dtype="),
            (lambda x: np.sum(x, initial=1.0), r"np\.sum .*initial="),
            (lambda x: np.sum(x, where=[True, False]), r"np\.sum .*where="),
            (lambda x: np.sum(x, out=np.ones(())), r"np\.sum .*out="),
            (lambda x: np.mean(x, where=[True, False]), r"np\.mean .*where="),
            (lambda x: np.var(x, mean=np.ones(1)), r"np\.var .*mean="),
            (lambda x: np.std(x, correction=1), r"np\.std .*correction="),
            (lambda x: np.prod(x, initial=2.0), r"np\.prod .*initial="),
            (lambda x: np.max(x, initial=2.0), r"np\.max .*initial="),
            (lambda x: np.min(x, out=np.ones(())), r"np\.min .*out="),
            (lambda x: np.ptp(x, out=np.ones(())), r"np\.ptp .*out="),
            (lambda x: np.cumsum(x, dtype=np.float32), r"np\.cumsum .*dtype="),
            (lambda x: np.cumprod(x, out=np.ones(2)), r"np\.cumprod .*out="),
            (lambda x: np.average(x, returned=True), "returned=True"),
            (lambda x: np.average(x, weights=np.ones(3)), "give the axis"),
            (lambda x: np.add.reduce(x, initial=1.0), "initial="),
            (lambda x: np.add.reduce(x, out=np.ones(())), "lose its derivative"),
        ],
    )
    def test_arguments_that_the_rule_does_not_have(self, f, match):
        with pytest.raises(TypeError, match=match):
            grad(f)(np.ones(2))

    @pytest.mark.parametrize(
        "f",
        [
            *(np.nansum, np.nanmean, np.nanmax, np.nanprod, np.nanstd, np.median),
            *(np.logaddexp.reduce, np.hypot.reduce, np.logaddexp.accumulate),
        ],
    )
    def test_functions_without_a_rule(self, f):
        with pytest.raises(NotImplementedError, match=r"has no derivative rule"):
            grad(f)(np.ones(2))

    @pytest.mark.parametrize(
        ("ord", "axis"), [(3, 0), (0, 0), (1, None), (2, (0, 1)), ("nuc", None), ("fro", 0)]
    )
    def test_other_norms(self, ord, axis):
        with pytest.raises(NotImplementedError, match=r"np\.linalg\.norm with ord=.* axes has no"):
            grad(lambda x: np.sum(np.linalg.norm(x, ord, axis)))(np.ones((2, 2)))

    @pytest.mark.parametrize("f", [np.var, np.std])
    def test_variances_without_a_degree_of_freedom(self, f):
        with pytest.raises(ValueError, match="1 values less ddof=1 leave no degree of freedom"):
            grad(lambda x: f(x, ddof=1))(np.ones(1))

    def test_weights_that_do_not_fit(self):
        with pytest.raises(ValueError, match=r"weights of shape \(3,\) do not fit the axes \(0,\)"):
            grad(lambda x: np.average(x, 0, np.ones(3)).sum())(np.ones((2, 3)))
