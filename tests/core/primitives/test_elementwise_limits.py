"""NumPy's elementwise functions: precision, dtypes, and what is refused."""

import numpy as np
import pytest
from derivatives import check_derivatives
from elements import name

import nnlite as nn
from nnlite.autodiff import grad, jvp, vjp
from nnlite.core.rules import RULES

EPS = np.finfo(np.float64).eps


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
