"""What readers of the guide tried."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from helpers import data
from modules import A, Net, Scale

import nnlite as nn


class TestWhatReadersTried:
    def test_an_input_of_a_composite_changed_in_place_is_noticed(self) -> None:
        net, X = nn.Sequential(nn.Linear(2, 1, rng=0), nn.Sigmoid()), np.ones((3, 2))
        net(X)
        X *= 10
        with pytest.raises(RuntimeError, match="run forward again"):
            net.backward(np.ones((3, 1)))

    @pytest.mark.parametrize("kind", [np.ma.MaskedArray])
    def test_arrays_whose_arithmetic_is_another_are_refused(self, kind: Any) -> None:
        with pytest.raises(TypeError, match="pass a plain array"):
            nn.MSE()(kind([[1.0, 2.0]]), kind([[1.0, 2.0]]))

    @pytest.mark.parametrize("item", [None, "abc", {}])
    def test_what_is_no_array_is_refused(self, item: Any) -> None:
        with pytest.raises(TypeError, match=r"Linear\(2, 1\): expected an array, got"):
            nn.Linear(2, 1, rng=0)(item)

    def test_a_summary_changes_nothing(self) -> None:
        dropout = nn.Dropout(0.5, rng=0)
        net = nn.Sequential(nn.Linear(2, 2, rng=0), nn.BatchNorm1d(2), dropout)
        before = net.state_dict()
        net.summary(np.arange(8.0).reshape(4, 2))
        for name, array in net.state_dict().items():
            np.testing.assert_array_equal(array, before[name])
        assert dropout.rng.random() == np.random.default_rng(0).random()

    def test_a_composite_is_pickled_with_its_parameters_and_without_its_last_pass(self) -> None:
        net = Net()
        X, t = data(8, features=2)
        loss = net(X, t)
        again = copy.deepcopy(net)
        assert again(X, t) == loss
        assert "_vertex" not in net.__getstate__()

    def test_a_state_that_is_no_mapping_is_answered(self) -> None:
        linear = nn.Linear(2, 1, rng=0)
        for slip in ("weights.npz", linear):
            with pytest.raises(TypeError, match=r"np\.load\(file\)"):
                linear.load_state_dict(slip)  # type: ignore[arg-type]

    def test_saving_leaves_the_arrays_of_others_as_they_are(self) -> None:
        class Gain(Scale):
            def forward(self, x: Any) -> Any:
                self.save_for_backward(x, self.gain.value)
                return x * self.gain.value

            def backward(self, grad: Any) -> Any:
                x, gain = self.saved
                self.gain.accumulate_grad((grad * x).sum(axis=0))
                return grad * gain

        gain, X = Gain(2), np.ones((3, 2))
        y = gain(X)
        y += 1
        gain.gain.value -= 0.1
        X *= 2

    def test_a_backward_pass_that_fails_leaves_accumulated_gradients_alone(self) -> None:
        class Failing(nn.Module):
            fails = False

            def forward(self, x: Any) -> Any:
                return 1 * x

            def backward(self, grad: Any) -> Any:
                if self.fails:
                    raise KeyboardInterrupt
                return grad

        first, failing, last = Scale(2), Failing(), Scale(2)
        x = nn.Input("x")
        graph = nn.Graph([x], last(failing(first(x))).sum())
        graph(A[None])
        graph.backward()
        before = [parameter.grad.copy() for parameter in graph.parameters()]
        graph(A[None])
        Failing.fails = True
        with pytest.raises(KeyboardInterrupt):
            graph.backward()
        for parameter, grad in zip(graph.parameters(), before, strict=True):
            np.testing.assert_array_equal(parameter.grad, grad)

    def test_a_composites_buffer_holds_arrays(self) -> None:
        class Running(nn.Module):
            buffers = ("mean",)

            def __init__(self) -> None:
                self.mean = np.zeros(2)
                self.scale = Scale(2)

            def forward(self, x: Any) -> Any:
                self.mean = 0.5 * self.mean + 0.5 * np.mean(x, axis=0)
                return np.sum(self.scale(x))

        running = Running()
        for _ in range(3):
            running(A[None])
        np.testing.assert_array_equal(running.state_dict()["mean"], A * 0.875)

    def test_names_in_a_graph_do_not_depend_on_other_graphs(self) -> None:
        def parts() -> tuple[nn.Linear, nn.Linear]:
            return nn.Linear(2, 3, rng=0), nn.Linear(3, 1, rng=1)

        def graph(first: nn.Linear, second: nn.Linear) -> nn.Graph:
            x = nn.Input("x")
            return nn.Graph([x], second(first(x)))

        first, second = parts()
        x = nn.Input("x")
        nn.Graph([x], second(x))
        assert list(graph(first, second).state_dict()) == list(graph(*parts()).state_dict())

    def test_a_constant_changed_in_place_is_noticed(self) -> None:
        x, c = nn.Input("x", requires_grad=True), np.ones(2)
        graph = nn.Graph([x], (x * c).sum())
        graph(A)
        c *= 0
        with pytest.raises(RuntimeError, match="run forward again"):
            graph.backward()

    def test_forward_and_reverse_agree_on_a_branch_that_is_not_taken(self) -> None:
        f = lambda x: np.sum(np.sqrt(np.where(x > 0, x, 0)))
        X = np.array([-1.0, 4.0])
        with np.errstate(divide="ignore"):
            for mode in ("forward", "reverse"):
                np.testing.assert_array_equal(nn.jacobian(f, X, mode=mode), [0, 0.25])

    def test_a_vertex_that_was_kept_from_a_function_is_of_no_more_use(self) -> None:
        side: list[Any] = []

        def total(x: Any) -> Any:
            side.append(x * 2)
            return np.sum(x)

        nn.grad(total)(A)
        with pytest.raises(RuntimeError, match="function that has returned"):
            nn.grad(lambda x: np.sum(x * side[0]))(A)

    def test_a_composite_has_one_output(self) -> None:
        class Two(nn.Module):
            def forward(self, x: Any) -> Any:
                return x, 2 * x

        with pytest.raises(TypeError, match="one output"):
            Two()(A)
