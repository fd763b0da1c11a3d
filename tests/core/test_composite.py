"""Modules that call others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import assert_equal_to_rounding, data, gradient_of
from modules import A, Affine, B, Net, Scale, Square

import nnlite as nn


def gradients_of_net(net: Net, X: np.ndarray, t: np.ndarray) -> dict[str, np.ndarray]:
    W, b = net.linear.weight.value, net.linear.bias.value
    H = net.affine.gain.value * X + net.affine.shift.value
    y = 1 / (1 + np.exp(-(H @ W + b)))
    z_bar = (y - t) / t.size * y * (1 - y)
    H_bar = z_bar @ W.T
    return {
        "linear.weight": H.T @ z_bar + 0.1 * W,
        "linear.bias": z_bar.sum(0),
        "affine.gain": (H_bar * X).sum(0),
        "affine.shift": H_bar.sum(0),
    }


class TestAComposite:
    def test_fills_the_gradient_of_every_parameter(self) -> None:
        net = Net()
        X, t = data(8, features=2)
        loss = net(X, t)
        assert isinstance(loss, np.float64)
        net.backward()
        for name, exact in gradients_of_net(net, X, t).items():
            assert_equal_to_rounding(dict(net.named_parameters())[name].grad, exact)

    def test_stands_at_two_vertices_of_a_graph(self) -> None:
        affine = Affine()
        gain = affine.gain.value
        x = nn.Input("x", requires_grad=True)
        graph = nn.Graph([x], affine(affine(x)).sum())
        graph(A[None])
        np.testing.assert_array_equal(graph.backward(), (gain * gain)[None])
        np.testing.assert_array_equal(affine.gain.grad, gain * A + affine.shift.value + gain * A)
        np.testing.assert_array_equal(affine.shift.grad, 1 + gain)

    def test_shares_a_submodule_and_finds_modules_in_lists_and_dicts(self) -> None:
        class Holder(nn.Module):
            def __init__(self) -> None:
                shared = Scale(2)
                self.layers = [shared, shared]
                self.by_name = {"other": Scale(2)}

            def forward(self, x: Any) -> Any:
                for layer in self.layers:
                    x = layer(x)
                return self.by_name["other"](x).sum()

        holder = Holder()
        assert [name for name, _ in holder.named_parameters()] == [
            "layers.0.gain",
            "by_name.other.gain",
        ]
        holder(A[None])
        np.testing.assert_array_equal(holder.backward(), np.full((1, 2), 27.0))
        shared, other = holder.parameters()
        np.testing.assert_array_equal(shared.grad, 18 * A)
        np.testing.assert_array_equal(other.grad, 9 * A)

    @pytest.mark.parametrize("steps", [1, 4])
    def test_may_run_as_python_decides(self, steps: int) -> None:
        class Repeat(nn.Module):
            def __init__(self) -> None:
                self.scale = Scale(2)

            def forward(self, x: Any) -> Any:
                for _ in range(int(x.value.sum())):
                    x = self.scale(x)
                return x

        repeat = Repeat()
        X = np.array([[steps, 0.0]])
        repeat(X)
        np.testing.assert_array_equal(repeat.backward(np.ones((1, 2))), np.full((1, 2), 3.0**steps))
        gain_bar = steps * 3.0 ** (steps - 1) * steps
        np.testing.assert_array_equal(repeat.scale.gain.grad, [gain_bar, 0.0])

    def test_replaces_the_backward_of_the_module_whose_forward_it_overrides(self) -> None:
        class Doubled(Square):
            def forward(self, x: Any) -> Any:
                return 2 * super().forward(x) + x

        module = Doubled()
        np.testing.assert_array_equal(gradient_of(module, A), 4 * A + 1)

    def test_gives_zeros_for_an_input_without_influence(self) -> None:
        class First(nn.Module):
            def forward(self, a: Any, b: Any) -> Any:
                return a * 2

        first = First()
        first(A, B)
        a_bar, b_bar = first.backward(np.ones(2))
        np.testing.assert_array_equal(a_bar, [2.0, 2.0])
        np.testing.assert_array_equal(b_bar, [0.0, 0.0])

    @pytest.mark.parametrize(
        "result",
        [lambda x: (2 * x, 3 * x), lambda x: [x], lambda x: None],
        ids=["tuple", "list", "None"],
    )
    def test_that_returns_no_single_value_is_never_given_a_zero_gradient(
        self, result: Callable[[Any], Any]
    ) -> None:
        class Returning(nn.Module):
            def forward(self, x: Any) -> Any:
                return result(x)

        module = Returning()
        with pytest.raises(TypeError):
            _ = module(A), module.backward(np.ones(2))

    def test_refuses_back_propagation_after_a_parameter_changed(self) -> None:
        affine = Affine()
        affine(A)
        affine.gain.value = affine.gain.value * 2
        with pytest.raises(RuntimeError, match="new value after the forward pass"):
            affine.backward(np.ones(2))


class TestSequential:
    def test_gives_the_same_alone_and_in_a_graph(self) -> None:
        def build() -> nn.Sequential:
            return nn.Sequential(nn.Linear(2, 3, rng=0), nn.Sigmoid(), nn.Linear(3, 1, rng=1))

        X, _ = data(4, features=2)
        alone, inside = build(), build()
        value = alone(X)
        alone.backward(np.ones_like(value))
        x = nn.Input("x")
        graph = nn.Graph([x], inside(x))
        np.testing.assert_array_equal(graph(X), value)
        graph.backward(np.ones_like(value))
        for one, other in zip(alone.parameters(), inside.parameters(), strict=True):
            np.testing.assert_array_equal(one.grad, other.grad)

    def test_is_a_sequence_of_its_layers(self) -> None:
        layers = nn.Linear(2, 1), nn.Sigmoid()
        sequential = nn.Sequential(*layers)
        assert (tuple(sequential), len(sequential), sequential[1]) == (layers, 2, layers[1])

    def test_says_where_parentheses_were_forgotten(self) -> None:
        with pytest.raises(TypeError, match=r"argument 1 is .*Sigmoid.*add parentheses"):
            nn.Sequential(nn.Linear(2, 1), nn.Sigmoid)  # type: ignore[arg-type]


class TestDerivativesOfModulesThatCallOthers:
    """Second derivatives, where other modules run inside a forward."""

    def test_of_a_composite_that_calls_a_layer_on_a_constant(self) -> None:
        class Offset(nn.Module):
            def __init__(self) -> None:
                self.linear = nn.Linear(2, 2, rng=0)

            def forward(self, x: Any) -> Any:
                return x * self.linear(A[None])

        offset = Offset()
        X = np.array([[3.0, 5.0]])
        offset(X)
        offset.backward(np.ones((1, 2)))
        np.testing.assert_array_equal(offset.linear.weight.grad, A[:, None] * X)
        np.testing.assert_array_equal(offset.linear.bias.grad, X[0])

    @pytest.mark.parametrize("ran_before", [False, True])
    def test_of_a_module_that_runs_another_by_hand(self, ran_before: bool) -> None:
        class Cube(nn.Module):
            def __init__(self) -> None:
                self.square = Square()

            def forward(self, x: Any) -> Any:
                self.save_for_backward(x)
                return x * self.square(x)

            def backward(self, grad: Any) -> Any:
                (x,) = self.saved
                return grad * x * x + self.square.backward(grad * x)

        cube = Cube()
        if ran_before:
            cube(B)
        f = lambda x: np.sum(cube(x))
        np.testing.assert_allclose(nn.grad(f)(A), 3 * A**2, rtol=1e-15)
        np.testing.assert_allclose(nn.hvp(f, A, np.ones(2)), 6 * A, rtol=1e-15)
        np.testing.assert_allclose(nn.grad(lambda x: np.sum(nn.grad(f)(x)))(A), 6 * A, rtol=1e-15)


def test_buffers_hold_no_duals_or_nodes_and_a_derivative_graph_leaves_them_alone() -> None:
    class Centred(nn.Module):
        buffers = ("mean",)

        def __init__(self) -> None:
            self.mean = np.zeros(2)

        def forward(self, x: Any) -> Any:
            self.mean = 0.5 * self.mean + 0.5 * x.mean(axis=0)
            return x - x.mean(axis=0)

        def backward(self, grad: Any) -> Any:
            return grad - grad.mean(axis=0)

    centred = Centred()
    centred(np.array([[2.0, 4.0]]))
    np.testing.assert_array_equal(centred.state_dict()["mean"], [1.0, 2.0])
    X = np.array([[1.0, 2.0], [3.0, 5.0]])
    nn.jvp(centred, (X,), (X,))
    nn.hvp(lambda x: np.sum(centred(x) ** 3), X, X)
    assert isinstance(centred.mean, np.ndarray)
    centred.mean = np.array([1.0, 2.0])
    x = nn.Input("x", requires_grad=True)
    nn.Graph([x], (centred(x) ** 2).sum()).gradient(X)
    np.testing.assert_array_equal(centred.mean, [1.0, 2.0])
