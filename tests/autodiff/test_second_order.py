"""Derivatives of derivatives."""

from typing import Any

import numpy as np
import pytest
from functions import MODES, derivative

import nnlite as nn


class TestNesting:
    @pytest.mark.parametrize("outer", MODES)
    @pytest.mark.parametrize("inner", MODES)
    def test_does_not_confuse_perturbations(self, outer, inner):
        """d/dx x·(d/dy (x + y)) = 1, not 2 (Siskind and Pearlmutter 2005)."""
        assert derivative(lambda x: x * derivative(lambda y: x + y, inner)(1.0), outer)(2.0) == 1

    @pytest.mark.parametrize("modes", [(a, b, c) for a in MODES for b in MODES for c in MODES])
    def test_gives_third_derivatives_in_every_mixture(self, modes):
        f = np.sin
        for mode in modes:
            f = derivative(f, mode)
        assert f(0.7) == pytest.approx(-np.cos(0.7), rel=1e-14)

    @pytest.mark.parametrize("outer", MODES)
    @pytest.mark.parametrize("inner", MODES)
    def test_differentiates_a_gradient_step_through_its_learning_rate(self, outer, inner):
        """d/dγ f(x − γ f′(x)) = −f′(x − γ f′(x))·f′(x)."""
        f = lambda x: x**4
        x, rate = 1.5, 0.05

        def after_step(rate):
            return f(x - rate * derivative(f, inner)(x))

        y = x - rate * 4 * x**3
        expected = -4 * y**3 * 4 * x**3
        assert derivative(after_step, outer)(rate) == pytest.approx(expected, rel=1e-13)

    @pytest.mark.parametrize("outer", MODES)
    @pytest.mark.parametrize("inner", MODES)
    def test_finds_a_saddle_point_by_nested_descent(self, outer, inner):
        """min over x of max over y of x² + 2xy − y² − 3x: at the inner maximum y = x, so x = ¾."""

        def f(x, y):
            return x * x + 2 * x * y - y * y - 3 * x

        def best_y(x):
            y = 0.0 * x
            for _ in range(60):
                y = y + 0.25 * derivative(lambda y: f(x, y), inner)(y)
            return y

        x = 0.0
        for _ in range(60):
            x = x - 0.2 * derivative(lambda x: f(x, best_y(x)), outer)(x)
        assert x == pytest.approx(0.75, abs=1e-10)
        assert best_y(x) == pytest.approx(0.75, abs=1e-10)

    def test_goes_through_a_pullback_with_respect_to_its_cotangent(self):
        f = lambda x: np.sin(x)
        x = np.array([0.3, 0.5])
        _, pullback = nn.vjp(f, x)
        value, tangent = nn.jvp(lambda c: pullback(c)[0], (np.ones(2),), (np.array([1.0, 0.0]),))
        np.testing.assert_array_equal(value, np.cos(x))
        np.testing.assert_array_equal(tangent, [np.cos(0.3), 0.0])

    def test_a_value_that_outlived_its_function_is_refused(self):
        kept: list[Any] = []

        def square(x):
            kept.append(x)
            return x * x

        nn.grad(square)(1.0)
        with pytest.raises(RuntimeError, match="function that has returned"):
            kept[0] * 2


class TestHvp:
    def test_is_the_hessian_times_the_vector(self):
        """S12, for a matrix argument."""
        rng = np.random.default_rng(0)
        X, V = rng.normal(size=(2, 3, 4))
        f = lambda X: np.sum(np.sin(X @ X.T) ** 2)
        H = nn.hessian(f, X)
        assert H.shape == (3, 4, 3, 4)
        np.testing.assert_allclose(nn.hvp(f, X, V), np.tensordot(H, V, 2), rtol=1e-12)

    def test_of_several_arguments_takes_and_gives_tuples(self):
        f = lambda x, y: x * x * y
        assert nn.hvp(f, (2.0, 3.0), (1.0, 0.0)) == (6.0, 4.0)


class TestHessian:
    def test_of_the_rosenbrock_function(self):
        f = lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
        np.testing.assert_allclose(
            nn.hessian(f, np.array([1.0, 1.0])), [[802, -400], [-400, 200]], rtol=1e-14
        )

    def test_of_several_arguments_comes_in_blocks(self):
        (xx, xy), (yx, yy) = nn.hessian(
            lambda x, y: np.sum(x * x) * y, np.array([1.0, 2.0]), 3.0, argnums=(0, 1)
        )
        np.testing.assert_array_equal(xx, 6 * np.eye(2))
        np.testing.assert_array_equal(xy, [2, 4])
        np.testing.assert_array_equal(yx, [2, 4])
        assert yy == 0
