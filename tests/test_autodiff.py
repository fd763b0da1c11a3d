"""Functions of functions: the seminar's identities, nesting, and what they cost."""

import gc
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import nnlite as nn
from nnlite.autodiff import jacobians

MODES = ("forward", "reverse")


def derivative(f, mode):
    """f′ of a function of one number, in either mode."""
    if mode == "forward":
        return lambda x: nn.jvp(f, (x,), (1.0,))[1]
    return nn.grad(f)


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


class TestJvp:
    def test_gives_the_value_and_jacobian_times_tangent(self):
        A, x, v = (
            np.arange(6.0).reshape(2, 3),
            np.array([1.0, -1.0, 2.0]),
            np.array([3.0, 5.0, 7.0]),
        )
        value, tangent = nn.jvp(lambda x: A @ x, (x,), (v,))
        np.testing.assert_array_equal(value, A @ x)
        np.testing.assert_array_equal(tangent, A @ v)

    def test_of_a_function_that_ignores_its_argument_is_zero(self):
        assert nn.jvp(lambda x: 3.0, (2.0,), (1.0,)) == (3.0, 0.0)

    def test_refuses_a_tangent_of_another_shape(self):
        with pytest.raises(ValueError, match=r"tangent 1 has shape \(2,\)"):
            nn.jvp(lambda x, y: x, (1.0, np.zeros(3)), (1.0, np.zeros(2)))

    def test_refuses_as_many_tangents_as_there_are_not_primals(self):
        with pytest.raises(TypeError, match="2 primals but 1 tangents"):
            nn.jvp(np.add, (1.0, 2.0), (1.0,))

    def test_memory_does_not_grow_with_depth(self):
        """S13: at depth 100 the peak is within 20 % of that at depth 10."""
        x = np.ones((100, 100))
        W = np.eye(100)

        def peak(depth):
            def f(x):
                for _ in range(depth):
                    x = np.tanh(x @ W)
                return x

            gc.collect()
            tracemalloc.start()
            nn.jvp(f, (x,), (x,))
            bytes_ = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return bytes_

        peak(1)
        assert peak(100) <= 1.2 * peak(10)

    def test_memory_does_not_grow_with_the_depth_of_modules_either(self):
        x = np.ones((200, 100))

        def peak(depth):
            net = nn.Sequential(*[nn.Linear(100, 100, rng=k) for k in range(depth)])
            gc.collect()
            tracemalloc.start()
            nn.jvp(net, (x,), (x,))
            bytes_ = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return bytes_

        peak(1)
        assert peak(100) <= 1.2 * peak(10)


FORWARD = {
    "tanh(AX)": lambda np, x: np.tanh(np.dot(np.ones((2, 3)), x)),
    "log-sum-exp": lambda np, x: np.log(np.sum(np.exp(x), axis=0)),
    "x·sin(x)/(1 + x²)": lambda np, x: x * np.sin(x) / (1 + x**2),
    "mean, reshape, transpose": lambda np, x: np.mean(np.reshape(np.transpose(x), (-1, 3)), axis=1),
    "concatenate, index": lambda np, x: np.concatenate([x[0], x[:, 0] * x[1, 0]]),
    "where, maximum": lambda np, x: np.where(x > 0, np.maximum(x, 0.5), x**3),
    "sqrt, arctan, expm1, log1p": lambda np, x: np.sqrt(np.expm1(x**2)) + np.log1p(x**2),
}


@pytest.mark.parametrize("name", FORWARD)
@given(seed=st.integers(0, 1000), columns=st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_forward_mode_agrees_with_that_of_hips_autograd(name, seed, columns):
    rng = np.random.default_rng(seed)
    x, v = rng.normal(size=(2, 3, columns))
    expected = autograd.make_jvp(lambda x: FORWARD[name](anp, x))(x)(v)
    found = nn.jvp(lambda x: FORWARD[name](np, x), (x,), (v,))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


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
        f = nn.Sequential(linear, nn.Sigmoid())
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
        kept = []
        nn.grad(lambda x: kept.append(x) or x * x)(1.0)
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


class TestJacobian:
    @pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
    def test_of_sin_ax_has_the_closed_form(self, mode):
        """S15: ∂ sin(AX)_ij / ∂X_kl = cos(AX)_ij A_ik δ_jl."""
        rng = np.random.default_rng(0)
        A, X = rng.normal(size=(4, 3)), rng.normal(size=(3, 2))
        expected = np.einsum("ij,ik,jl->ijkl", np.cos(A @ X), A, np.eye(2))
        found = nn.jacobian(lambda X: np.sin(A @ X), X, mode=mode)
        assert found.shape == (4, 2, 3, 2)
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)

    @pytest.mark.parametrize(("n", "m", "passes"), [(5, 2, "reverse"), (2, 5, "forward")])
    def test_goes_in_reverse_where_inputs_outnumber_outputs(self, n, m, passes, monkeypatch):
        """S16."""
        used = []
        for name, mode in (("_from_rows", "reverse"), ("_from_columns", "forward")):
            function = getattr(jacobians, name)
            monkeypatch.setattr(
                jacobians,
                name,
                lambda *args, function=function, mode=mode: used.append(mode) or function(*args),
            )
        A = np.random.default_rng(0).normal(size=(m, n))
        np.testing.assert_array_equal(nn.jacobian(lambda x: A @ x, np.zeros(n)), A)
        assert used == [passes]

    def test_takes_more_directions_than_fit_into_one_bundle(self):
        x = np.linspace(0.1, 1, 150)
        for mode in MODES:
            np.testing.assert_array_equal(nn.jacobian(np.exp, x, mode=mode), np.diag(np.exp(x)))

    def test_of_several_arguments_is_a_tuple(self):
        dx, dy = nn.jacobian(lambda x, y: x * y, np.ones(2), np.array([3.0, 5.0]), argnums=(0, 1))
        np.testing.assert_array_equal(dx, np.diag([3.0, 5.0]))
        np.testing.assert_array_equal(dy, np.eye(2))

    def test_of_a_function_of_a_number_has_the_shape_of_the_result(self):
        np.testing.assert_array_equal(nn.jacobian(lambda x: x * np.arange(3), 2.0), [0, 1, 2])

    def test_can_itself_be_differentiated(self):
        f = lambda x: np.stack([x[0] ** 2 * x[1], x[1] ** 3])
        x = np.array([2.0, 3.0])
        expected = [[[6, 4], [4, 0]], [[0, 0], [0, 18]]]
        for outer in MODES:
            for inner in MODES:
                J = lambda x, inner=inner: nn.jacobian(f, x, mode=inner)
                np.testing.assert_array_equal(nn.jacobian(J, x, mode=outer), expected)

    def test_refuses_an_unknown_mode(self):
        with pytest.raises(ValueError, match="'auto', 'forward' or 'reverse'"):
            nn.jacobian(np.sin, 1.0, mode="backward")


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
            nn.grad(np.sin, 1.0)
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
