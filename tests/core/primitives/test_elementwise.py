"""NumPy's elementwise functions: their derivatives, and what a kink is worth."""

from typing import Any

import autograd
import autograd.numpy as hips
import numpy as np
import pytest
from derivatives import check_derivatives
from elements import name
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import nnlite as nn
from nnlite.autodiff import grad, jvp, vjp
from nnlite.core.primitives.elementwise import PRODUCTS

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
SMALL: dict[str, Any] = {"max_dims": 3, "min_side": 0, "max_side": 3}
few = settings(max_examples=8, deadline=None, derandomize=True)


def draw(interval, shape, seed=0):
    """Numbers in the interval; half a hundredth of it stays free for differences at its ends."""
    low, high = interval
    return np.random.default_rng(seed).uniform(low, high, size=shape)


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
