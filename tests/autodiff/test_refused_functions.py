"""Functions that cannot be differentiated say so."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import nnlite as nn


class TestNothingIsSilentlyWrong:
    def test_gradients_of_several_arguments_share_no_memory(self):
        a, b = nn.grad(lambda x, y: np.sum((x + y) ** 2), (0, 1))(np.ones(3), np.ones(3))
        a *= 0
        np.testing.assert_array_equal(b, [4.0, 4.0, 4.0])

    def test_parameters_gradients_may_be_scaled_in_place(self):
        w, v = nn.Parameter(np.ones(3)), nn.Parameter(np.ones(3))
        graph = nn.Graph([], ((w + v) ** 2).sum())
        graph()
        graph.backward()
        for parameter in (w, v):
            parameter.grad *= 0.1
        np.testing.assert_allclose([w.grad, v.grad], np.full((2, 3), 0.4), rtol=1e-15)

    def test_a_pullback_notices_a_step_taken_in_place(self):
        x = np.array([1.0, 2.0])
        _, pullback = nn.vjp(lambda x: np.sum(x**3), x)
        x -= 0.5 * pullback(1.0)[0]
        with pytest.raises(RuntimeError, match="run forward again"):
            pullback(1.0)

    def test_a_pullback_refuses_other_parameters(self):
        linear = nn.Linear(2, 1, rng=0)
        _, pullback = nn.vjp(linear, np.ones((1, 2)))
        linear.weight.value = linear.weight.value * 10
        with pytest.raises(RuntimeError, match="run forward again"):
            pullback(np.ones((1, 1)))

    @pytest.mark.parametrize("size", [3, 3000])
    def test_a_parameter_or_input_changed_in_place_is_noticed(self, size):
        w, x = nn.Parameter(np.ones(size)), nn.Input("x", requires_grad=True)
        graph = nn.Graph([x], (w * x * x).sum())
        X = np.ones(size)
        for array in (w.value, X):
            graph(X)
            array -= 0.1
            with pytest.raises(RuntimeError, match="changed"):
                graph.backward()

    def test_writing_in_place_is_refused_where_numpy_would_change_another_name(self):
        def f(x):
            y = x
            y += 1
            return np.sum(x * y)

        for derivative in (nn.grad(f), lambda x: nn.jvp(f, (x,), (x,))):
            with pytest.raises(TypeError, match=r"y = y \+ b in place of y \+= b"):
                derivative(np.ones(2))

    def test_adding_up_a_loss_in_place_is_as_in_numpy(self):
        def f(x):
            loss = np.sum(x)
            loss += np.sum(x * x)
            return loss

        np.testing.assert_array_equal(nn.grad(f)(np.ones(2)), [3, 3])

    def test_a_branch_may_return_a_constant(self):
        relu = lambda x: x if x > 0 else 0.0
        assert nn.grad(relu)(-1.0) == 0
        assert nn.jvp(relu, (-1.0,), (1.0,)) == (0.0, 0.0)
        np.testing.assert_array_equal(nn.jacobian(lambda x: 3.0, np.ones(2)), [0, 0])

    @pytest.mark.parametrize("result", [None, {"a": 1}, "text"])
    def test_a_result_that_is_no_array_is_refused(self, result):
        for derivative in (
            nn.grad(lambda x: result),
            lambda x: nn.jvp(lambda x: result, (x,), (x,)),
        ):
            with pytest.raises(TypeError, match="not an array"):
                derivative(1.0)

    def test_a_parameter_that_is_closed_over_is_a_constant_in_every_mode(self):
        p = nn.Parameter(np.array([2.0, 3.0]))
        x, v = np.array([5.0, 7.0]), np.array([1.0, 0.0])
        f = lambda x: np.sum(x * x * p)
        np.testing.assert_array_equal(nn.grad(f)(x), 2 * x * p.value)
        assert nn.jvp(f, (x,), (v,))[1] == 20
        np.testing.assert_array_equal(nn.hvp(f, x, v), [4, 0])
        assert p.grad is None

    def test_a_module_may_branch_on_a_gradient_or_leave_numpy(self):
        class Branching(nn.Module):
            def forward(self, x):
                self.save_for_backward(np.asarray(x))
                return np.asarray(x) ** 2

            def backward(self, grad):
                (x,) = self.saved
                return 2 * x * grad if float(np.max(grad)) > 0 else np.zeros_like(x)

        np.testing.assert_array_equal(
            nn.jacobian(Branching(), np.array([3.0, 5.0]), mode="reverse"), np.diag([6.0, 10.0])
        )

    def test_an_unused_branch_without_a_derivative_passes_on_zero(self):
        x = np.array([0.0, 4.0])
        with np.errstate(divide="ignore"):
            gradient = nn.grad(lambda x: np.sum(np.where(x > 0, 1 / np.sqrt(x), 0.0)))(x)
        np.testing.assert_allclose(gradient, [0, -1 / 16], rtol=1e-15)

    @pytest.mark.parametrize("argnums", [5, (0, 0), (0, -2)])
    def test_positions_that_are_not_there_or_are_there_twice_are_refused(self, argnums):
        with pytest.raises(ValueError, match="argnums"):
            nn.grad(lambda x, y: x * y, argnums)(2.0, 3.0)

    def test_negative_positions_and_numpys_integers_count(self):
        f = lambda x, y: x * y
        assert nn.grad(f, -1)(2.0, 3.0) == nn.grad(f, np.int64(1))(2.0, 3.0) == 2

    def test_the_point_in_place_of_the_position_is_answered(self):
        with pytest.raises(TypeError, match=r"nn\.grad\(f\)\(x\)"):
            nn.grad(np.sin, 1.0)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=r"nn\.jacobian\(f, x\)"):
            nn.jacobian(np.sin)

    def test_keywords_are_passed_on(self):
        assert nn.grad(lambda x, power: x**power)(3.0, power=2) == 6

    def test_threads_do_not_disturb_each_other(self):
        def gradients(seed):
            rng = np.random.default_rng(seed)
            A, x = rng.normal(size=(3, 3)), rng.normal(size=3)
            return all(
                np.array_equal(nn.grad(lambda x: np.sum(np.exp(A @ x)))(x), A.T @ np.exp(A @ x))
                for _ in range(200)
            )

        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            with ThreadPoolExecutor(8) as pool:
                assert all(pool.map(gradients, range(8)))
        finally:
            sys.setswitchinterval(before)

    def test_a_rule_without_jvp_is_refused_in_forward_mode_and_works_in_reverse(self):
        @nn.rule(np.trapezoid)
        class Trapezoid(nn.Module):
            def forward(self, y):
                self.save_for_backward(y)
                return np.trapezoid(y)

            def backward(self, grad):
                (y,) = self.saved
                ends = np.arange(len(y)) % (len(y) - 1) == 0
                return grad * np.where(ends, 0.5, 1.0)

        f = lambda y: np.trapezoid(y * y)
        np.testing.assert_array_equal(nn.grad(f)(np.ones(4)), [1, 2, 2, 1])
        np.testing.assert_array_equal(
            nn.jacobian(f, np.ones(4), mode="reverse"), [1.0, 2.0, 2.0, 1.0]
        )
        with pytest.raises(NotImplementedError, match=r"Trapezoid.*jvp\(self, \*tangents\)"):
            nn.jvp(f, (np.ones(4),), (np.ones(4),))
