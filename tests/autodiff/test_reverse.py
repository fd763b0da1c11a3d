"""Reverse mode: vjp and grad."""

import numpy as np
import pytest

import nnlite as nn


class TestVjp:
    def test_gives_the_value_and_jacobian_transposed_times_cotangent(self):
        A, x, w = np.arange(6.0).reshape(2, 3), np.array([1.0, -1.0, 2.0]), np.array([3.0, 5.0])
        value, pullback = nn.vjp(lambda x: A @ x, x)
        np.testing.assert_array_equal(value, A @ x)
        (gradient,) = pullback(w)
        np.testing.assert_array_equal(gradient, A.T @ w)

    def test_is_the_gradient_of_the_inner_product_with_the_cotangent(self):
        """S11: Jᵀy = ∇g(x) with g(x) = ⟨f(x), y⟩."""
        rng = np.random.default_rng(0)
        A, X, Y = rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), rng.normal(size=(4, 2))
        f = lambda X: np.sin(A @ X)
        np.testing.assert_allclose(
            nn.vjp(f, X)[1](Y)[0], nn.grad(lambda X: np.sum(f(X) * Y))(X), rtol=1e-14
        )

    def test_may_be_pulled_back_many_times(self):
        _, pullback = nn.vjp(lambda x, y: x * y, 3.0, 5.0)
        assert [pullback(c) for c in (1.0, 2.0, 1.0)] == [(5, 3), (10, 6), (5, 3)]

    def test_of_a_tuple_takes_a_tuple_of_cotangents(self):
        value, pullback = nn.vjp(lambda x: (x * x, 3 * x), np.array([1.0, 2.0]))
        assert [part.tolist() for part in value] == [[1, 4], [3, 6]]
        assert pullback((np.array([1.0, 0.0]), np.array([0.0, 1.0])))[0].tolist() == [2.0, 3.0]

    def test_refuses_a_cotangent_of_another_shape(self):
        with pytest.raises(ValueError, match=r"shape \(2,\).*shape \(3,\)"):
            nn.vjp(np.sin, np.zeros(3))[1](np.zeros(2))

    def test_refuses_integers_and_says_what_to_write(self):
        with pytest.raises(TypeError, match=r"1\.0 in place of 1"):
            nn.vjp(np.sin, 1)

    def test_refuses_a_function_that_returns_nothing(self):
        with pytest.raises(TypeError, match="return"):
            nn.vjp(lambda x: None, 1.0)


class TestGrad:
    def test_is_with_respect_to_the_arguments_asked_for(self):
        f = lambda x, y, z: x * y * z
        assert nn.grad(f)(2.0, 3.0, 5.0) == 15
        assert nn.grad(f, 2)(2.0, 3.0, 5.0) == 6
        assert nn.grad(f, (0, 2))(2.0, 3.0, 5.0) == (15, 6)
        assert nn.value_and_grad(f, argnums=1)(2.0, 3.0, 5.0) == (30, 10)

    def test_leaves_other_arguments_of_any_kind_alone(self):
        assert nn.grad(lambda x, name: x * len(name))(2.0, "abc") == 3

    def test_refuses_a_result_that_is_no_scalar(self):
        with pytest.raises(TypeError, match=r"shape \(3,\)"):
            nn.grad(np.sin)(np.zeros(3))

    def test_keeps_float32(self):
        x = np.ones(3, np.float32)
        assert nn.grad(lambda x: np.sum(np.sin(x) ** 2))(x).dtype == np.float32
        assert nn.hvp(lambda x: np.sum(np.sin(x) ** 2), x, x).dtype == np.float32

    @pytest.mark.parametrize("make", [nn.Module, nn.Graph])
    def test_of_a_module_or_graph_leaves_parameters_and_gradients_alone(self, make):
        linear = nn.Linear(3, 1, rng=0)
        f: nn.Module = nn.Sequential(linear, nn.Sigmoid())
        if make is nn.Graph:
            x = nn.Input("x")
            f = nn.Graph([x], f(x))
        X = np.random.default_rng(0).normal(size=(5, 3))
        y = f(X)
        W = linear.weight.value
        marker = linear.weight.grad = np.full((3, 1), 7.0)
        value, pullback = nn.vjp(f, X)
        np.testing.assert_array_equal(value, y)
        np.testing.assert_allclose(pullback(np.ones((5, 1)))[0], (y * (1 - y)) @ W.T, rtol=1e-14)
        assert linear.weight.value is W
        assert linear.weight.grad is marker
        np.testing.assert_array_equal(f(X), y)
