"""Module: a layer of the user, and what it can do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import FLOATS, assert_equal_to_rounding, data, gradient_of
from modules import A, B, Net, Scale, Square, assert_right_or_refused
from numpy.typing import DTypeLike

import nnlite as nn


class ScaleWithoutSuper(Scale):
    def __init__(self, features: int, dtype: DTypeLike = np.float64) -> None:
        self.gain = nn.Parameter(np.full(features, 3, dtype))


class TestALayerOfTheUser:
    @FLOATS
    @pytest.mark.parametrize("layer", [Scale, ScaleWithoutSuper])
    def test_has_the_gradients_that_its_backward_says(
        self, layer: type[Scale], dtype: DTypeLike
    ) -> None:
        scale = layer(2, dtype)
        X = np.array([[1, 2], [3, 4], [5, 6]], dtype)
        assert_equal_to_rounding(gradient_of(scale, X), np.full((3, 2), 3.0), dtype)
        assert_equal_to_rounding(scale.gain.grad, np.array([9.0, 12.0]), dtype)

    def test_can_be_propagated_back_by_hand(self) -> None:
        scale = Scale(2)
        scale(A[None])
        np.testing.assert_array_equal(scale.backward(B[None]), 3 * B[None])
        np.testing.assert_array_equal(scale.gain.grad, A * B)

    def test_is_told_which_gradients_nobody_wants(self) -> None:
        told = []

        class Times(nn.Module):
            def forward(self, a: Any, b: Any) -> Any:
                self.save_for_backward(a, b)
                return a * b

            def backward(self, grad: Any) -> Any:
                told.append(self.needs_input_grad)
                return grad * self.saved[1], None

        a, b = nn.Input("a", requires_grad=True), nn.Input("b")
        graph = nn.Graph([a, b], Times()(a, b).sum())
        graph(A, B)
        graph.backward()
        assert told == [(True, False)]

    @pytest.mark.parametrize("wanted", [False, True])
    def test_linear_computes_the_gradient_of_x_only_where_it_is_wanted(self, wanted: bool) -> None:
        returned = []

        class Spied(nn.Linear):
            def forward(self, x: Any) -> Any:
                return super().forward(x)

            def backward(self, grad: Any) -> Any:
                returned.append(super().backward(grad))
                return returned[-1]

        x = nn.Input("x", requires_grad=wanted)
        graph = nn.Graph([x], Spied(2, 1, rng=0)(x).sum())
        graph(A[None])
        graph.backward()
        assert [gradient is not None for gradient in returned] == [wanted]

    @pytest.mark.parametrize(
        ("result", "message"),
        [
            (None, "returned None .*'a'"),
            ((A,), "returned 1 gradients for 2 inputs"),
            ((A, A, A), "returned 3 gradients for 2 inputs"),
            ([A, A], "returned a list; return a tuple"),
            ((A, None), "returned None .*'b'"),
            ((A, A[None]), r"shape \(1, 2\) reached .*'b'.* \(2,\)"),
            ((A, 1.0), r"shape \(\) reached .*'b'.* \(2,\)"),
        ],
    )
    def test_with_a_wrong_result_of_backward_is_refused(self, result: Any, message: str) -> None:
        class Wrong(nn.Module):
            def forward(self, a: Any, b: Any) -> Any:
                return a + b

            def backward(self, grad: Any) -> Any:
                return result if result is not None else (None, grad)

        a, b = nn.Input("a", requires_grad=True), nn.Input("b", requires_grad=True)
        graph = nn.Graph([a, b], Wrong()(a, b).sum())
        graph(A, B)
        with pytest.raises((TypeError, ValueError), match=message):
            graph.backward()

    def test_without_forward_says_so(self) -> None:
        with pytest.raises(NotImplementedError, match="Empty has no forward"):
            type("Empty", (nn.Module,), {})()(A)

    def test_called_by_its_forward_never_changes_what_a_vertex_saved(self) -> None:
        square = Square()
        x = nn.Input("x", requires_grad=True)
        graph = nn.Graph([x], square(x).sum())
        graph(A)
        assert_right_or_refused(lambda: (square.forward(B), graph.backward())[1], 2 * A)

    def test_may_inherit_forward_and_backward_from_a_mixin(self) -> None:
        class Formula:
            def forward(self: Any, x: Any) -> Any:
                self.save_for_backward(x)
                return x * x

            def backward(self: Any, grad: Any) -> Any:
                return 2 * grad * self.saved[0]

        class Mixed(Formula, nn.Module):
            pass

        np.testing.assert_array_equal(gradient_of(Mixed(), A), 2 * A)


class TestServices:
    def test_parameters_are_listed_in_order_and_once(self) -> None:
        net = Net()
        net.again = net.linear  # type: ignore[attr-defined]
        names = ["linear.weight", "linear.bias", "affine.gain", "affine.shift"]
        assert [name for name, _ in net.named_parameters()] == names
        assert net.parameters() == [parameter for _, parameter in net.named_parameters()]

    def test_modules_start_with_the_module_itself_and_come_once(self) -> None:
        net = Net()
        assert net.modules() == [net, net.linear, net.affine]
        linear = nn.Linear(1, 1)
        assert len(nn.Sequential(linear, nn.Sigmoid(), linear).modules()) == 3

    def test_train_and_eval_reach_every_module(self) -> None:
        net = Net()
        assert net.eval() is net
        assert not any(module.training for module in net.modules())
        assert net.train() is net
        assert all(module.training for module in net.modules())

    def test_zero_grad_forgets_all_gradients(self) -> None:
        net = Net()
        net(*data(4, features=2))
        net.backward()
        net.zero_grad()
        assert all(parameter.grad is None for parameter in net.parameters())

    def test_state_goes_out_as_a_copy_and_comes_back(self) -> None:
        net, other = Net(), Net()
        state = net.state_dict()
        before = {name: value.copy() for name, value in state.items()}
        for parameter in net.parameters():
            parameter.value = parameter.value + 1
        for name, value in before.items():
            np.testing.assert_array_equal(state[name], value)
        other.load_state_dict(net.state_dict())
        X, t = data(4, features=2)
        assert other(X, t) == net(X, t)
        state["linear.bias"][:] = np.nan
        assert np.isfinite(other.linear.bias.value).all()

    def test_a_state_that_does_not_fit_changes_nothing_and_names_every_problem(self) -> None:
        net = Net()
        state = net.state_dict()
        before = net.state_dict()
        del state["affine.gain"]
        state["surplus"] = A
        state["linear.bias"] = np.zeros(3)
        state["affine.shift"] = np.zeros(2, np.float32)
        state["linear.weight"] = np.zeros((2, 1))
        with pytest.raises(ValueError, match="does not fit Net") as caught:
            net.load_state_dict(state)
        for problem in (
            "missing: affine.gain",
            "unexpected: surplus",
            "linear.bias: expected float64[1], got float64[3]",
            "affine.shift: expected float64[2], got float32[2]",
        ):
            assert problem in str(caught.value)
        for name, value in net.state_dict().items():
            np.testing.assert_array_equal(value, before[name])

    def test_repr_shows_sizes_and_what_differs_from_the_defaults(self) -> None:
        assert repr(nn.Linear(30, 1)) == "Linear(30, 1)"
        assert repr(nn.Linear(30, 1, bias=False)) == "Linear(30, 1, bias=False)"
        assert (
            repr(nn.Sequential(nn.Linear(2, 1), nn.Sigmoid()))
            == "Sequential(Linear(2, 1), Sigmoid())"
        )
