"""Vertices: their order, how gradients add up, and what operators on them mean."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from helpers import FLOATS, assert_equal_to_rounding, gradient_of, within
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes
from numpy.typing import DTypeLike

import nnlite as nn
from nnlite.core import rules


class Times(nn.Module):
    """a · b, written by a user."""

    def forward(self, a: Any, b: Any) -> Any:
        self.save_for_backward(a, b)
        return a * b

    def backward(self, grad: Any) -> Any:
        a, b = self.saved
        return grad * b, grad * a


class TestTheTopologicalOrder:
    def test_a_chain_of_100_000_vertices_runs_forward_and_backward(self) -> None:
        x = nn.Input("x", requires_grad=True)
        y: Any = x
        with within(60):
            for _ in range(100_000):
                y = -y
            graph = nn.Graph([x], y)
            assert graph(2.0) == 2.0
            assert graph.backward() == 1.0
            del graph, y

    def test_paths_are_not_counted_one_by_one(self) -> None:
        x = nn.Input("x", requires_grad=True)
        y: Any = x
        with within(10):
            for _ in range(40):
                y = y + y
            graph = nn.Graph([x], y)
            assert len(graph.nodes) == 41
            assert graph(1.5) == 1.5 * 2**40
            assert graph.backward() == 2.0**40

    def test_a_diamond_sums_the_gradients_of_both_sides(self) -> None:
        def diamond(x: Any) -> Any:
            middle = x * x
            return middle * 3 + middle / 2

        x = np.array([1.0, -2.0, 4.0])
        np.testing.assert_array_equal(gradient_of(diamond, x), 7 * x)

    @pytest.mark.parametrize(
        "times", [operator.mul, np.multiply, Times()], ids=["*", "np.multiply", "module"]
    )
    def test_one_node_may_be_passed_twice(self, times: Callable[..., Any]) -> None:
        x = np.array([1.0, -2.0, 4.0])
        np.testing.assert_array_equal(gradient_of(lambda x: times(x, x), x), 2 * x)

    def test_one_module_at_several_vertices_shares_its_weights(self) -> None:
        linear = nn.Linear(3, 3, rng=0)
        X = np.random.default_rng(1).standard_normal((4, 3))
        X_bar = gradient_of(lambda x: linear(linear(x)), X)
        W, b = linear.weight.value, linear.bias.value
        ones = np.ones((4, 3))
        H = X @ W + b
        assert_equal_to_rounding(X_bar, ones @ W.T @ W.T)
        assert_equal_to_rounding(linear.weight.grad, H.T @ ones + X.T @ (ones @ W.T))
        assert_equal_to_rounding(linear.bias.grad, ones.sum(0) + (ones @ W.T).sum(0))

    def test_a_cycle_is_named(self) -> None:
        x = nn.Input("x")
        first = nn.Sigmoid()(x)
        second = -first
        first.name, second.name = "first", "second"
        first.parents = (second,)
        with pytest.raises(ValueError, match=r"cycle: (?=.*'first')(?=.*'second')"):
            nn.toposort(second)

    def test_is_the_order_in_which_the_formula_names_the_vertices(self) -> None:
        def names() -> list[str]:
            a, b, c = (nn.Input(name) for name in "abc")
            graph = nn.Graph([a, b, c], (c * a) / (b + a) - c)
            return [str(node.name) for node in graph.nodes]

        assert names() == ["c", "a", "multiply", "b", "add", "divide", "subtract"]
        assert names() == names()


class TestAccumulatingGradients:
    def test_the_first_gradient_is_kept_and_the_second_makes_a_new_array(self) -> None:
        w = nn.Parameter(np.zeros(2))
        first, second = np.array([1.0, 2.0]), np.array([10.0, 20.0])
        w.accumulate_grad(first)
        assert w.grad is first
        w.accumulate_grad(second)
        np.testing.assert_array_equal(w.grad, [11.0, 22.0])
        np.testing.assert_array_equal(first, [1.0, 2.0])
        np.testing.assert_array_equal(second, [10.0, 20.0])

    def test_a_gradient_of_another_shape_is_refused_and_both_shapes_named(self) -> None:
        w = nn.Parameter(np.zeros((3, 1)), name="w")
        with pytest.raises(ValueError, match=r"\(3,\).*'w'.*\(3, 1\)"):
            w.accumulate_grad(np.ones(3))

    @FLOATS
    def test_a_gradient_of_another_dtype_is_converted(self, dtype: DTypeLike) -> None:
        w = nn.Parameter(np.zeros(2, dtype))
        for grad in (np.ones(2, np.float64), np.ones(2, np.float32), np.ones(2, int)):
            w.accumulate_grad(grad)
            assert w.grad.dtype == dtype

    @pytest.mark.parametrize("x", [3, True, np.array([1, 2]), np.array([True, False])])
    def test_the_gradient_of_an_input_of_integers_is_never_rounded_to_integers(
        self, x: Any
    ) -> None:
        gradient = gradient_of(lambda x: x * 0.25, x)
        np.testing.assert_array_equal(gradient, np.full(np.shape(x), 0.25))

    def test_the_gradient_at_a_vertex_of_integers_is_never_rounded_to_integers(self) -> None:
        assert gradient_of(lambda x: x * x / 4, 3) == 1.5


class TestWhatWouldLoseADerivativeRaises:
    def test_float_of_a_node(self) -> None:
        with pytest.raises(TypeError, match=r"'x'.*would lose its derivative.*value"):
            float(nn.Input("x"))

    @pytest.mark.parametrize("convert", [np.asarray, np.array, lambda x: np.array([x, x])])
    def test_an_array_of_nodes(self, convert: Callable[..., Any]) -> None:
        with pytest.raises(TypeError, match="cannot become a plain array"):
            convert(nn.Input("x"))

    def test_adding_a_node_into_an_array(self) -> None:
        array = np.zeros(2)
        with pytest.raises(TypeError, match=r"write a = a \+ b in place of a \+= b"):
            array += nn.Input("x")

    @pytest.mark.parametrize("function", [np.unwrap, np.spacing], ids=["np.unwrap", "np.spacing"])
    def test_a_function_without_a_rule_is_named_and_so_is_the_remedy(
        self, function: Callable[..., Any]
    ) -> None:
        with pytest.raises(NotImplementedError, match=rf"np\.{function.__name__}.*nn\.rule"):
            function(nn.Input("x"))

    @pytest.mark.parametrize("compare", [operator.eq, operator.ne, operator.gt, operator.le])
    def test_a_comparison_is_never_decided_without_the_values(
        self, compare: Callable[..., Any]
    ) -> None:
        class Switch(nn.Module):
            def forward(self, x: Any) -> Any:
                return 2 * x if compare(x.sum(), 3.0) else 5 * x

        for x in (np.array([1.0, 2.0]), np.array([2.0, 3.0])):
            try:
                got = Switch()(x)
            except (TypeError, NotImplementedError):
                continue
            np.testing.assert_array_equal(got, (2 if compare(x.sum(), 3.0) else 5) * x)


class TestRulesOfTheUser:
    @pytest.fixture(autouse=True)
    def rules_of_this_test_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rules, "RULES", dict(rules.RULES))

    def test_a_module_becomes_the_rule_of_a_numpy_function(self) -> None:
        @nn.rule(np.rad2deg, np.degrees)
        class Degrees(nn.Module):
            def forward(self, x: Any) -> Any:
                return np.rad2deg(x)

            def backward(self, grad: Any) -> Any:
                return grad * (180 / np.pi)

        x = np.array([0.5, -1.0])
        for function in (np.rad2deg, np.degrees):
            assert_equal_to_rounding(gradient_of(function, x), np.full(2, 180 / np.pi))

    def test_arguments_after_the_arrays_go_to_the_constructor(self) -> None:
        @nn.rule(np.roll)
        class Roll(nn.Module):
            def __init__(self, shift: int, axis: int | None = None) -> None:
                self.shift, self.axis = shift, axis

            def forward(self, x: Any) -> Any:
                return np.roll(x, self.shift, axis=self.axis)

            def backward(self, grad: Any) -> Any:
                return np.roll(grad, -self.shift, axis=self.axis)

        weights = np.arange(6.0).reshape(2, 3)
        gradient = gradient_of(lambda x: np.roll(x, 1, axis=1) * weights, np.ones((2, 3)))
        np.testing.assert_array_equal(gradient, np.roll(weights, -1, axis=1))

    def test_a_function_written_in_functions_with_rules_is_a_rule(self) -> None:
        @nn.rule(np.square)
        def square(x: Any) -> Any:
            return x * x

        np.testing.assert_array_equal(gradient_of(np.square, np.array([3.0, -1.0])), [6.0, -2.0])


SEEDS = st.integers(0, 2**32 - 1)
DRAWN = settings(deadline=None, max_examples=60, database=None, derandomize=True)

# Draws lie in (1, 2), where every term of a gradient has one sign: a sum of at most 3⁴ terms, each
# of a few roundings, has a relative error below 128 units in the last place.
ROUNDINGS = 128 * np.finfo(float).eps

OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "@": operator.matmul,
}


def draw(shape: tuple[int, ...], seed: int) -> Any:
    return np.random.default_rng(seed).uniform(1, 2, shape)


def assert_pulls_back_like_autograd(
    ours: Callable[..., Any], theirs: Callable[..., Any], *values: Any
) -> None:
    """Value and pullback of a random cotangent are those of HIPS autograd."""
    inputs = [nn.Input(f"x{i}", requires_grad=True) for i in range(len(values))]
    graph = nn.Graph(inputs, ours(*inputs))
    pullback, value = autograd.make_vjp(theirs, argnum=tuple(range(len(values))))(*values)
    np.testing.assert_allclose(graph(*values), value, rtol=ROUNDINGS)
    cotangent = draw(np.shape(value), seed=len(values))
    graph.backward(cotangent)
    for node, exact in zip(inputs, pullback(cotangent), strict=True):
        assert np.shape(node.grad) == np.shape(exact)
        np.testing.assert_allclose(node.grad, exact, rtol=ROUNDINGS)


@pytest.mark.parametrize("symbol", OPERATORS)
class TestOperators:
    def shapes(self, symbol: str, sampler: st.DataObject) -> tuple[Any, ...]:
        if symbol == "@":
            strategy = mutually_broadcastable_shapes(
                signature=np.matmul.signature, max_dims=2, max_side=3
            )
        else:
            strategy = mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3)
        return sampler.draw(strategy).input_shapes

    @DRAWN
    @given(sampler=st.data(), seed=SEEDS)
    def test_of_two_nodes(self, symbol: str, sampler: st.DataObject, seed: int) -> None:
        apply = OPERATORS[symbol]
        left, right = self.shapes(symbol, sampler)
        assert_pulls_back_like_autograd(apply, apply, draw(left, seed), draw(right, seed + 1))

    @DRAWN
    @given(sampler=st.data(), seed=SEEDS)
    def test_of_a_node_and_an_array_on_either_side(
        self, symbol: str, sampler: st.DataObject, seed: int
    ) -> None:
        apply = OPERATORS[symbol]
        left, right = self.shapes(symbol, sampler)
        a, b = draw(left, seed), draw(right, seed + 1)
        for function, value in ((lambda x: apply(x, b), a), (lambda x: apply(a, x), b)):
            assert_pulls_back_like_autograd(function, function, value)

    @pytest.mark.parametrize("scalar", [2, 2.0, np.float64(2), np.float32(2)], ids=repr)
    def test_of_a_node_and_a_number_on_either_side(self, symbol: str, scalar: Any) -> None:
        apply = OPERATORS[symbol]
        x = draw((2, 3), seed=0)
        number = float(scalar)  # autograd would take the logarithm of a float32 in float32
        for ours, theirs in (
            (lambda x: apply(x, scalar), lambda x: apply(x, number)),
            (lambda x: apply(scalar, x), lambda x: apply(number, x)),
        ):
            if symbol == "@":
                with pytest.raises(ValueError, match="matmul"):
                    gradient_of(ours, x)
            else:
                assert_pulls_back_like_autograd(ours, theirs, x)


class TestMinusSumsAndMeans:
    def test_minus(self) -> None:
        assert_pulls_back_like_autograd(operator.neg, operator.neg, draw((2, 3), 0))

    @pytest.mark.parametrize("keepdims", [False, True])
    @pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), (-1, 0), ()], ids=str)
    @pytest.mark.parametrize("name", ["sum", "mean"])
    def test_along_axes_as_method_and_as_function(
        self, name: str, axis: Any, keepdims: bool
    ) -> None:
        function, theirs = getattr(np, name), getattr(anp, name)
        for ours in (
            lambda x: getattr(x, name)(axis=axis, keepdims=keepdims),
            lambda x: function(x, axis=axis, keepdims=keepdims),
            lambda x: function(x, axis, keepdims=keepdims),
        ):
            assert_pulls_back_like_autograd(
                ours, lambda x: theirs(x, axis=axis, keepdims=keepdims), draw((2, 3, 2), 0)
            )

    def test_a_power_has_a_finite_gradient_at_zero(self) -> None:
        for exponent, exact in ((0, 0.0), (1, 1.0), (2, 0.0)):
            assert gradient_of(lambda x: x**exponent, 0.0) == exact  # noqa: B023

    @FLOATS
    def test_numbers_of_python_leave_the_dtype_as_it_is(self, dtype: DTypeLike) -> None:
        x = np.array([1.0, 2.0], dtype)
        assert gradient_of(lambda x: (2 * x**2 / 3 - 1) ** 3 + 1, x).dtype == dtype
