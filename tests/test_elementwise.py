"""Elementwise functions: derivatives, their subgradients, and what they refuse."""

import autograd
import autograd.numpy as hips
import numpy as np
import pytest
from derivatives import check_derivatives
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import nnlite as nn
from nnlite.autodiff import grad, jvp, vjp
from nnlite.core.primitives.elementwise import PRODUCTS
from nnlite.core.rules import RULES

EPS = np.finfo(np.float64).eps

# Intervals in which each function is smooth, far enough from singularities for differences.
OF_ONE = {
    np.negative: (-2, 2),
    np.positive: (-2, 2),
    np.conjugate: (-2, 2),
    np.absolute: (0.5, 2),
    np.fabs: (-2, -0.5),
    np.square: (-2, 2),
    np.sqrt: (0.5, 2),
    np.cbrt: (-2, -0.5),
    np.reciprocal: (0.7, 2),
    np.exp: (-2, 2),
    np.exp2: (-2, 2),
    np.expm1: (-2, 2),
    np.log: (0.7, 2),
    np.log2: (0.7, 2),
    np.log10: (0.7, 2),
    np.log1p: (-0.3, 2),
    np.sin: (-3, 3),
    np.cos: (-3, 3),
    np.tan: (-0.8, 0.8),
    np.arcsin: (-0.6, 0.6),
    np.arccos: (-0.6, 0.6),
    np.arctan: (-2, 2),
    np.sinh: (-2, 2),
    np.cosh: (-2, 2),
    np.tanh: (-2, 2),
    np.arcsinh: (-2, 2),
    np.arccosh: (1.5, 3),
    np.arctanh: (-0.6, 0.6),
    np.deg2rad: (-90, 90),
    np.radians: (-90, 90),
    np.rad2deg: (-3, 3),
    np.degrees: (-3, 3),
    np.sinc: (-3, 3),
    np.nan_to_num: (-3, 3),
}
OF_TWO = {
    np.add: ((-2, 2), (-2, 2)),
    np.subtract: ((-2, 2), (-2, 2)),
    np.multiply: ((-2, 2), (-2, 2)),
    np.divide: ((-2, 2), (0.7, 2)),
    np.remainder: ((2.3, 2.7), (-1.05, -0.95)),
    np.fmod: ((-2.7, -2.3), (0.95, 1.05)),
    np.power: ((0.5, 2), (-2, 2)),
    np.float_power: ((0.5, 2), (-2, 2)),
    np.hypot: ((-2, 2), (0.5, 2)),
    np.arctan2: ((-2, 2), (0.5, 2)),
    np.logaddexp: ((-2, 2), (-2, 2)),
    np.logaddexp2: ((-2, 2), (-2, 2)),
    np.maximum: ((0, 1), (1.5, 2)),
    np.minimum: ((0, 1), (1.5, 2)),
    np.fmax: ((1.5, 2), (0, 1)),
    np.fmin: ((1.5, 2), (0, 1)),
    np.copysign: ((-2, -0.5), (-2, -0.5)),
    np.heaviside: ((0.5, 1), (-2, 2)),
}
OURS_ALONE = (np.positive, np.cbrt, np.float_power, np.fmod, np.copysign, np.heaviside)
SMALL = {"max_dims": 3, "min_side": 0, "max_side": 3}
few = settings(max_examples=8, deadline=None, derandomize=True)


def name(function):
    return getattr(function, "__name__", None)


def draw(interval, shape, seed=0):
    """Numbers in the interval; half a hundredth of it stays free for differences at its ends."""
    return np.random.default_rng(seed).uniform(*interval, size=shape)


def examples(f):
    if f in OF_ONE:
        return [draw(OF_ONE[f], (4, 3))]
    return [draw(OF_TWO[f][0], (4, 3)), draw(OF_TWO[f][1], (3,), seed=1)]


def derivative(f, x):
    """f′ at a number in both modes, which must agree."""
    tangent = jvp(f, (x,), (np.ones_like(x),))[1]
    np.testing.assert_array_equal(grad(f)(x), tangent)
    return tangent


def test_every_function_in_the_table_is_tested():
    rows = {*PRODUCTS, np.nan_to_num} - {np.where}  # where has tests of its own
    assert rows == {*OF_ONE, *OF_TWO}


class TestDerivatives:
    @pytest.mark.parametrize("f", OF_ONE, ids=name)
    @pytest.mark.parametrize("shape", [(), (3,), (2, 0), (2, 1, 2)], ids=str)
    def test_of_functions_of_one_array_are_right_to_second_order(self, f, shape):
        check_derivatives(f, draw(OF_ONE[f], shape))

    @pytest.mark.parametrize("f", OF_TWO, ids=name)
    @few
    @given(shapes=mutually_broadcastable_shapes(num_shapes=2, **SMALL))
    def test_of_functions_of_two_arrays_are_right_under_every_broadcast(self, f, shapes):
        first, second = OF_TWO[f]
        a, b = shapes.input_shapes
        check_derivatives(f, draw(first, a), draw(second, b, seed=1))

    @pytest.mark.parametrize("f", OF_TWO, ids=name)
    def test_are_right_where_only_one_of_two_arrays_is_differentiated(self, f):
        first, second = OF_TWO[f]
        a, b = draw(first, (2, 3)), draw(second, (3,), seed=1)
        check_derivatives(lambda x: f(x, b), a)
        check_derivatives(lambda x: f(a, x), b)
        check_derivatives(lambda x: f(x, b.tolist()), a)
        check_derivatives(lambda x: f(float(a[0, 0]), x), b)

    @few
    @given(shapes=mutually_broadcastable_shapes(num_shapes=3, **SMALL), seed=st.integers(0, 99))
    def test_of_where_and_clip_are_right_under_every_broadcast(self, shapes, seed):
        rng = np.random.default_rng(seed)
        c, a, b = (rng.normal(size=shape) for shape in shapes.input_shapes)
        mask = c > 0
        check_derivatives(lambda a, b: np.where(mask, a * a, b), a, b)
        low = 0.3 * (rng.random(c.shape) - 3)
        high = 0.3 * (rng.random(b.shape) + 2)
        inside = rng.uniform(-0.5, 0.5, size=a.shape)
        outside = np.where(rng.random(a.shape) > 0.5, 3.0, -3.0)
        check_derivatives(np.clip, inside, low, high)
        check_derivatives(np.clip, outside, low, high)

    @pytest.mark.parametrize("f", [f for f in (*OF_ONE, *OF_TWO) if f not in OURS_ALONE], ids=name)
    def test_agree_with_an_independent_system(self, f):
        reference = getattr(hips, f.__name__)
        xs = examples(f)
        argnums = tuple(range(len(xs)))
        expected = autograd.grad(lambda *args: hips.sum(reference(*args)), argnums)(*xs)
        found = grad(lambda *args: np.sum(f(*args)), argnums)(*xs)
        for left, right in zip(found, expected, strict=True):
            np.testing.assert_allclose(left, right, rtol=1e-13, atol=1e-14)

    @pytest.mark.parametrize("f", [*OF_ONE, *OF_TWO], ids=name)
    def test_of_float32_are_float32_and_as_exact_as_that_allows(self, f):
        xs = examples(f)
        rounded = [x.astype(np.float32) for x in xs]
        ones = [np.ones_like(x) for x in rounded]
        kept = np.float64 if f is np.float_power else np.float32
        value, tangent = jvp(f, rounded, ones)
        assert value.dtype == tangent.dtype == kept
        _, pullback = vjp(f, *rounded)
        for gradient in pullback(np.ones(value.shape, kept)):
            assert gradient.dtype == np.float32
        exact = jvp(f, [x.astype(np.float64) for x in rounded], [x.astype(float) for x in ones])[1]
        np.testing.assert_allclose(tangent, exact, rtol=2e-5, atol=2e-6)

    @pytest.mark.parametrize("f", OF_TWO, ids=name)
    @pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, bool], ids=name)
    def test_take_integers_for_the_numbers_that_they_are(self, f, dtype):
        x = np.array([0.5, 1.25, 2.5])
        whole = np.array([1, 0, 1] if dtype is bool else [100, 3, 120]).astype(dtype)
        if f in (np.divide, np.remainder, np.fmod, np.power, np.float_power):
            whole = whole | np.array(1, dtype)
        for function in (lambda x, n: f(x, n), lambda x, n: f(n, x)):
            gradient = grad(lambda x, n, function=function: np.sum(function(x, n)))
            found, expected = gradient(x, whole), gradient(x, whole.astype(np.float64))
            np.testing.assert_allclose(found, expected, rtol=1e-14)

    def test_are_of_the_masks_of_the_point_at_which_a_derivative_graph_is_evaluated(self):
        x = nn.Input("x", requires_grad=True)
        formula = np.maximum(x, 0) + np.clip(x, -1, 1) + np.abs(x) + np.where(x > 0, x**2, x)
        derivatives = nn.Graph(inputs=[x], output=np.sum(formula)).gradient(np.full(3, 0.5))
        _, gradient = derivatives(np.array([-3.0, -0.5, 2.0]))
        np.testing.assert_array_equal(gradient, [0 + 0 - 1 + 1, 0 + 1 - 1 + 1, 1 + 0 + 1 + 4])


KINKS = {
    "|x| at 0": (np.abs, 0.0, 0),
    "fabs at 0": (np.fabs, 0.0, 0),
    "|x| at -0": (np.abs, -0.0, 0),
    "max(x, 0) at 0 gives to the first": (lambda x: np.maximum(x, 0), 0.0, 1),
    "max(0, x) at 0 gives to the first": (lambda x: np.maximum(0, x), 0.0, 0),
    "max(x, x)": (lambda x: np.maximum(x, x), 2.0, 1),
    "min(x, 0) at 0": (lambda x: np.minimum(x, 0), 0.0, 1),
    "min(0, x) at 0": (lambda x: np.minimum(0, x), 0.0, 0),
    "fmax(x, 0) at 0": (lambda x: np.fmax(x, 0), 0.0, 1),
    "fmin(0, x) at 0": (lambda x: np.fmin(0, x), 0.0, 0),
    "fmax(x, nan)": (lambda x: np.fmax(x, np.nan), 0.0, 1),
    "fmin(nan, x)": (lambda x: np.fmin(np.nan, x), 0.0, 1),
    "clip at the lower edge": (lambda x: np.clip(x, -1, 1), -1.0, 1),
    "clip at the upper edge": (lambda x: np.clip(x, -1, 1), 1.0, 1),
    "clip outside": (lambda x: np.clip(x, -1, 1), 1.5, 0),
    "clip from below only": (lambda x: np.clip(x, 0, None), -1.0, 0),
    "clip from above only": (lambda x: np.clip(x, None, 0), -1.0, 1),
    "clip with crossed edges": (lambda x: np.clip(x, 2, 1), 1.5, 0),
    "x**2 at 0": (lambda x: x**2, 0.0, 0),
    "x**2 at -3": (lambda x: x**2, -3.0, -6),
    "x**3 at -2": (lambda x: np.power(x, 3), -2.0, 12),
    "x**1 at 0": (lambda x: x**1, 0.0, 1),
    "x**0 at 0": (lambda x: x**0, 0.0, 0),
    "x**0. at 0": (lambda x: x**0.0, 0.0, 0),
    "x**array(0) at 0": (lambda x: np.power(x, np.zeros(())), 0.0, 0),
    "x**0 at infinity": (lambda x: x**0, np.inf, 0),
    "x**1.5 at 0": (lambda x: x**1.5, 0.0, 0),
    "0**x at 2": (lambda x: 0**x, 2.0, 0),
    "0.**x at 1/2": (lambda x: 0.0**x, 0.5, 0),
    "hypot at the origin": (lambda x: np.hypot(x, 0), 0.0, 0),
    "sinc at 0": (np.sinc, 0.0, 0),
    "where of an infinite constant": (lambda x: np.where(x > 0, x, np.inf), 2.0, 1),
    "logaddexp(x, -inf)": (lambda x: np.logaddexp(x, -np.inf), 1.0, 1),
    "logaddexp(-inf, x)": (lambda x: np.logaddexp(-np.inf, x), 1.0, 1),
    "logaddexp(x, 1) at -inf": (lambda x: np.logaddexp(x, 1), -np.inf, 0),
    "logaddexp(x, 1) at inf": (lambda x: np.logaddexp(x, 1), np.inf, 1),
    "logaddexp of equal infinities": (lambda x: np.logaddexp(x, -np.inf), -np.inf, 0.5),
    "logaddexp2 of equal infinities": (lambda x: np.logaddexp2(np.inf, x), np.inf, 0.5),
    "logaddexp at 1000": (lambda x: np.logaddexp(x, 0), 1000.0, 1),
    "logaddexp at -1000": (lambda x: np.logaddexp(x, 0), -1000.0, 0),
    "heaviside": (lambda x: np.heaviside(x, 0.5), 0.0, 0),
    "heaviside by the value at 0": (lambda h: np.heaviside(0, h), 0.5, 1),
    "copysign at 0": (lambda x: np.copysign(x, -1), 0.0, 0),
    "copysign by the sign": (lambda s: np.copysign(3.0, s), -1.0, 0),
    "nan_to_num at NaN": (np.nan_to_num, np.nan, 0),
    "nan_to_num at infinity": (np.nan_to_num, np.inf, 0),
    "where by its condition": (lambda x: np.where(x, x, 2.0), 0.0, 0),
    "where by its condition alone": (lambda x: np.where(x, 1.0, 2.0), 3.0, 0),
}


UNUSED = {
    "1/x": (lambda x: np.where(x > 0, 1 / x, x), 0.0, 1),
    "log x": (lambda x: np.where(x > 0, np.log(x), 3 * x), 0.0, 3),
    "x log x": (lambda x: np.where(x > 0, x * np.log(x), 0), 0.0, 0),
    "sin(x)/x": (lambda x: np.where(x == 0, 1.0, np.sin(x) / x), 0.0, 0),
    "1/sqrt(x)": (lambda x: np.where(x > 0, x**-0.5, x), 0.0, 1),
    "sqrt(x) of negative x": (lambda x: np.where(x > 0, np.sqrt(x), x), -1.0, 1),
    "exp(x) - 1": (lambda x: np.where(x > 0, x, np.exp(x) - 1), 1000.0, 1),
    "x exp(x)": (lambda x: np.where(x > 0, x, x * np.exp(x)), 1000.0, 1),
    "min(exp x, 2)": (lambda x: np.minimum(np.exp(x), 2), 1000.0, 0),
    "clip(1/x)": (lambda x: np.clip(1 / x, -1, 1), 0.0, 0),
}


class TestSubgradients:
    @pytest.mark.parametrize(("f", "x", "expected"), KINKS.values(), ids=KINKS)
    def test_follow_the_table(self, f, x, expected):
        assert derivative(f, x) == expected
        assert derivative(f, np.float32(x)) == expected

    @pytest.mark.parametrize(
        "f",
        [np.abs, lambda x: np.hypot(x, 0), lambda x: x**0, lambda x: np.maximum(x, 0)],
        ids=["abs", "hypot", "x**0", "maximum"],
    )
    def test_have_themselves_the_derivative_0(self, f):
        for inner in (grad(f), lambda x: jvp(f, (x,), (1.0,))[1]):
            assert derivative(inner, 0.0) == 0
            assert derivative(grad(inner), 0.0) == 0

    def test_of_tied_arrays_go_to_the_first_of_them(self):
        a = np.array([1.0, 2.0, 2.0])
        for f in (np.maximum, np.minimum, np.fmax, np.fmin):
            left, right = grad(lambda a, b, f=f: np.sum(f(a, b)), (0, 1))(a, a.copy())
            np.testing.assert_array_equal(left, 1)
            np.testing.assert_array_equal(right, 0)

    @pytest.mark.parametrize(("f", "x", "expected"), UNUSED.values(), ids=UNUSED)
    def test_are_not_spoilt_by_infinities_that_are_not_used(self, f, x, expected):
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            assert derivative(f, x) == expected
            second = [
                grad(grad(f))(x),
                jvp(grad(f), (x,), (1.0,))[1],
                grad(lambda x: jvp(f, (x,), (1.0,))[1])(x),
                jvp(lambda x: jvp(f, (x,), (1.0,))[1], (x,), (1.0,))[1],
            ]
        assert second == [0, 0, 0, 0]

    @pytest.mark.parametrize(
        "f", [np.sqrt, np.cbrt, lambda x: x**0.5], ids=["sqrt", "cbrt", "x**½"]
    )
    def test_are_infinite_where_the_slope_is_and_numpy_warns(self, f):
        for g in (grad(f), lambda x: jvp(f, (x,), (1.0,))[1]):
            with pytest.warns(RuntimeWarning, match="divide by zero"):
                assert g(0.0) == np.inf


class TestPrecision:
    @pytest.mark.parametrize("order", [1, 2, 3, 4])
    def test_of_the_derivatives_of_sinc_is_kept_near_0(self, order):
        f = np.sinc
        for _ in range(order):
            f = grad(lambda x, f=f: np.sum(f(x)))
        x = np.concatenate([np.geomspace(1e-12, 4, 60), [0.0], -np.geomspace(1e-3, 2, 10)])
        nodes, weights = np.polynomial.legendre.leggauss(40)
        t = np.pi * (nodes + 1) / 2  # sinc(x) is the mean of cos(x t) over t in [0, π]
        terms = t**order * np.cos(np.multiply.outer(x, t) + order * np.pi / 2)
        np.testing.assert_allclose(
            f(x), terms @ weights / 2, rtol=1e-13, atol=30 * EPS * np.pi**order
        )
        assert f(1e-12) == pytest.approx(terms[0] @ weights / 2, rel=1e-12)

    def test_is_kept_where_the_squares_of_the_inputs_overflow(self):
        with np.errstate(all="raise", under="ignore"):
            assert grad(np.arcsinh)(np.float32(1e25)) == np.float32(1e-25)
            assert grad(np.arccosh)(1e200) == pytest.approx(1e-200, rel=4 * EPS)
            assert grad(np.arctan2)(3e-200, 4e-200) == pytest.approx(4e200 / 25, rel=8 * EPS)
            assert grad(np.hypot)(3e200, 4e200) == pytest.approx(0.6, rel=4 * EPS)

    def test_of_logaddexp_does_not_suffer_from_large_inputs(self):
        assert grad(np.logaddexp)(1e20, 1e20) == pytest.approx(0.5, rel=EPS)
        assert grad(np.logaddexp)(-1000.0, -300.0) == np.exp(-700.0)

    def test_of_expm1_is_kept_far_below_0(self):
        assert grad(np.expm1)(-50.0) == np.exp(-50.0)

    def test_of_arcsin_is_kept_near_1(self):
        x = 1 - 2.0**-50
        assert grad(np.arcsin)(x) == pytest.approx((2.0**-49 - 2.0**-100) ** -0.5, rel=4 * EPS)


class TestPower:
    x, p = np.array([0.0, 0.0, 0.0, 1.5, -2.0]), np.array([2.0, 1.5, 3.0, 0.0, 2.0])

    def test_has_all_derivatives_at_base_0_that_exist(self):
        x, p = np.zeros(3), np.array([2.0, 2.5, 3.0])

        def by_exponent(x, p):
            return grad(lambda p: np.sum(np.power(x, p)))(p)

        np.testing.assert_array_equal(by_exponent(x, p), 0)
        np.testing.assert_array_equal(grad(lambda x: np.sum(by_exponent(x, p)))(x), 0)
        np.testing.assert_array_equal(grad(lambda p: np.sum(by_exponent(x, p)))(p), 0)

    def test_has_its_mixed_derivative_at_exponent_0_too(self):
        mixed = grad(lambda p: grad(np.power)(2.0, p))
        assert mixed(0.0) == 0.5

    def test_tells_by_a_warning_and_an_infinity_that_a_mixed_derivative_does_not_exist(self):
        mixed = grad(lambda x: grad(np.power, 1)(x, 1.0))
        with pytest.warns(RuntimeWarning, match="divide by zero"):
            assert mixed(0.0) == -np.inf

    def test_does_not_take_the_logarithm_of_a_negative_base_for_a_constant_exponent(self):
        check_derivatives(lambda x: x**3, np.array([-2.0, -1.0, 0.5]))


class TestClip:
    x = np.array([-2.0, 0.25, 2.0])

    @pytest.mark.parametrize(
        "f",
        [
            lambda x: np.clip(x, -1, 1),
            lambda x: np.clip(x, a_min=-1, a_max=1),
            lambda x: np.clip(x, -1, a_max=np.ones(3)),
            lambda x: x.clip(-1, 1),
            lambda x: np.clip(x, [-1, -1, -1], [1, 1, 1]),
        ],
    )
    def test_knows_its_arguments_under_every_name(self, f):
        np.testing.assert_array_equal(f(self.x), [-1, 0.25, 1])
        np.testing.assert_array_equal(grad(lambda x: np.sum(f(x)))(self.x), [0, 1, 0])

    def test_knows_the_names_of_newer_numpy(self):
        clip = RULES[np.clip]
        gradient = grad(lambda x: np.sum(clip(x, min=-1, max=1)))(self.x)
        np.testing.assert_array_equal(gradient, [0, 1, 0])

    def test_propagates_to_its_edges(self):
        gradients = grad(lambda *args: np.sum(np.clip(*args)), (0, 1, 2))(self.x, -1.0, 1.0)
        np.testing.assert_array_equal(
            np.concatenate([np.atleast_1d(g) for g in gradients]), [0, 1, 0, 1, 1]
        )


class TestDtypes:
    def test_the_gradient_of_a_conversion_is_converted_back(self):
        x = np.array([0.1, 0.2], np.float32)
        value, pullback = vjp(lambda x: x.astype(np.float64) * 2, x)
        assert value.dtype == np.float64
        (gradient,) = pullback(np.ones(2))
        assert gradient.dtype == np.float32
        value, tangent = jvp(lambda x: x.astype("f8"), (x,), (np.ones(2, "f4"),))
        assert value.dtype == tangent.dtype == np.float64

    def test_a_conversion_has_second_derivatives(self):
        check_derivatives(lambda x: (x * x).astype(np.longdouble).astype(np.float64), np.ones(2))

    def test_a_conversion_to_integers_has_no_derivative(self):
        x = np.array([1.5, 2.5])
        np.testing.assert_array_equal(grad(lambda x: np.sum(x.astype(int) * x))(x), [1, 2])
        assert jvp(lambda x: x.astype(np.int64), (x,), (x,))[0].dtype == np.int64

    def test_a_ufunc_takes_a_dtype_and_converts_first(self):
        x = np.array([1.0, 2.0], np.float32)
        value, tangent = jvp(
            lambda x: np.subtract(x, np.array([3, 4]), dtype=np.float64), (x,), (np.ones(2, "f4"),)
        )
        assert value.dtype == tangent.dtype == np.float64
        np.testing.assert_array_equal(value, -2)
        value, _ = jvp(lambda x: np.multiply(x, np.array([3, 4]), dtype="f4"), (x,), (x,))
        assert value.dtype == np.float32

    def test_questions_about_dtypes_are_answered_without_computing(self):
        def f(x):
            assert np.result_type(x, np.float32(1)) == np.float64
            assert np.can_cast(x, np.float32) is False
            assert np.can_cast(x, np.float32, "same_kind") is True
            assert np.isrealobj(x)
            assert not np.iscomplexobj(x)
            assert np.min_scalar_type(x) == np.float64
            return np.sum(x)

        grad(f)(np.ones(2))
        jvp(f, (np.ones(2),), (np.ones(2),))


class TestRefusals:
    x = np.array([1.0, 2.0])

    @pytest.mark.parametrize(
        ("f", "error", "text"),
        [
            (lambda x: np.sin(x, where=[True, False]), TypeError, "np.sin.*where="),
            (lambda x: np.add(x, 1, casting="no"), TypeError, "np.add.*casting="),
            (lambda x: np.add(x, 1, dtype=int), TypeError, "np.add.*dtype= is a float type"),
            (lambda x: np.sin(x, out=np.zeros(2)), TypeError, "write a"),
            (lambda x: np.clip(x, 0, 1, np.zeros(2)), TypeError, "np.clip.*out="),
            (lambda x: np.clip(x, 0, 1, dtype=float), TypeError, "np.clip.*dtype="),
            (lambda x: np.nan_to_num(x, copy=False), TypeError, "np.nan_to_num.*copy"),
            (lambda x: x * 1j, TypeError, "np.multiply.*real numbers, not of dtype complex128"),
            (lambda x: np.power(x, np.ones(2) * 1j), TypeError, "real numbers"),
            (lambda x: np.where(x > 1, x, 1j), TypeError, "real numbers"),
            (lambda x: x.astype(complex), TypeError, "real numbers, not dtype complex128"),
            (lambda x: x.astype(float, order="F"), TypeError, "order="),
            (np.frexp, NotImplementedError, "np.frexp has no derivative rule"),
            (lambda x: np.ldexp(x, 2), NotImplementedError, "np.ldexp has no derivative rule"),
            (lambda x: np.less(x, 1, dtype=bool), TypeError, "np.less.*dtype="),
            (lambda x: np.argmax(x, out=np.zeros(2, int)), TypeError, "np.argmax.*out="),
            (lambda x: np.argmax(x, 0, np.zeros(2, int)), TypeError, "np.argmax.*out="),
            (lambda x: np.zeros_like(x, order="F"), TypeError, "np.zeros_like.*order="),
            (lambda x: np.min_scalar_type(x[0]), NotImplementedError, "depends on its value"),
        ],
    )
    def test_say_what_is_not_supported(self, f, error, text):
        with pytest.raises(error, match=text):
            jvp(f, (self.x,), (self.x,))
        with pytest.raises(error, match=text):
            vjp(f, self.x)

    @pytest.mark.parametrize("f", [np.abs, np.sin, np.conjugate], ids=name)
    def test_complex_arrays_in_a_graph_are_refused(self, f):
        x = nn.Input("x")
        with pytest.raises(TypeError, match="complex"):
            nn.Graph(inputs=[x], output=f(x))(np.array([1j]))
