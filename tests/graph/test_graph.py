"""Graphs: what they refuse, what they say about it, what they store, and how they nest."""

from __future__ import annotations

import copy
import gc
import pickle
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import FLOATS, assert_equal_to_rounding, data, seminar
from numpy.typing import DTypeLike

import nnlite as nn


def classifier(dtype: DTypeLike = np.float64) -> nn.Graph:
    return seminar(features=3, dtype=dtype, wants_x=False).graph


def products() -> nn.Graph:
    """x · w with three entries, whose output is no scalar."""
    x = nn.Input("x")
    return nn.Graph([x], x * nn.Parameter(np.ones(3), name="w"))


class TestBackwardIsRefused:
    def test_before_forward(self) -> None:
        with pytest.raises(RuntimeError, match=r"call graph\(\.\.\.\) first"):
            classifier().backward()

    def test_after_a_forward_that_kept_nothing(self) -> None:
        graph = classifier()
        graph(*data(4, features=3), keep=False)
        with pytest.raises(RuntimeError, match="keep=False"):
            graph.backward()

    def test_after_a_forward_that_failed(self) -> None:
        graph = classifier()
        graph(*data(4, features=3))
        with pytest.raises(ValueError, match="expected x"):
            graph(*data(4, features=2))
        with pytest.raises(RuntimeError, match="first"):
            graph.backward()

    def test_without_a_gradient_for_an_output_that_is_no_scalar(self) -> None:
        graph = products()
        graph(np.ones(3))
        with pytest.raises(ValueError, match=r"shape \(3,\).*backward\(np\.ones\(\(3,\)\)\)"):
            graph.backward()

    def test_with_a_gradient_of_another_shape(self) -> None:
        graph = products()
        graph(np.ones(3))
        with pytest.raises(ValueError, match=r"\(1, 3\).*\(3,\)"):
            graph.backward(np.ones((1, 3)))

    def test_after_a_parameter_was_given_another_value(self) -> None:
        graph = classifier()
        graph(*data(4, features=3))
        weight = graph.parameters()[0]
        weight.value = weight.value * 2
        with pytest.raises(RuntimeError, match=r"linear\.weight.*new value.*run forward again"):
            graph.backward()

    def test_where_nothing_requires_a_gradient(self) -> None:
        x = nn.Input("x")
        graph = nn.Graph([x], nn.Sigmoid()(x))
        graph(np.float64(1))
        with pytest.raises(RuntimeError, match=r"nothing .* requires a gradient.*requires_grad"):
            graph.backward()

    @pytest.mark.parametrize("keep", [True, False])
    def test_or_right_after_another_graph_ran_over_the_same_vertices(self, keep: bool) -> None:
        x = nn.Input("x", requires_grad=True)
        y = nn.Sigmoid()(x)
        predict, train = nn.Graph([x], y), nn.Graph([x], y.sum())
        train(np.zeros(3))
        predict(np.ones(3), keep=keep)
        with pytest.raises(RuntimeError, match=r"run forward again|call graph"):
            train.backward()


class TestAGraphIsRefused:
    def test_whose_output_does_not_depend_on_an_input(self) -> None:
        x, idle = nn.Input("x"), nn.Input("idle")
        with pytest.raises(ValueError, match=r"does not depend on .*'idle'"):
            nn.Graph([x, idle], -x)

    def test_whose_output_depends_on_an_unlisted_input(self) -> None:
        x, forgotten = nn.Input("x"), nn.Input("forgotten")
        with pytest.raises(ValueError, match=r"depends on .*'forgotten'.*list them"):
            nn.Graph([x], x * forgotten)

    def test_that_lists_an_input_twice(self) -> None:
        x = nn.Input("x")
        with pytest.raises(ValueError, match=r"listed twice.*'x'"):
            nn.Graph([x, x], -x)

    @pytest.mark.parametrize("output", [1.0, np.ones(2), None, nn.Sigmoid()])
    def test_whose_output_is_no_node(self, output: Any) -> None:
        with pytest.raises(TypeError, match="the output of a graph is a node"):
            nn.Graph([], output)

    def test_whose_inputs_are_no_inputs(self) -> None:
        x = nn.Input("x")
        with pytest.raises(TypeError, match=r"inputs of a graph are nn\.Input"):
            nn.Graph([-x], -x)


X, T = data(4, features=3)

BAD_DATA: dict[str, tuple[tuple[Any, ...], str]] = {
    "one input too few": ((X,), r"takes 2 inputs \(x, t\), got 1"),
    "one input too many": ((X, T, T), r"takes 2 inputs \(x, t\), got 3"),
    "objects": ((X.astype(object), T), "'x' has dtype object.*convert"),
    "strings": ((X.astype(str), T), "'x' has dtype <U.*convert"),
    "complex numbers": ((X + 0j, T), "'x' has dtype complex128"),
    "None": ((None, T), "'x' has dtype object"),
    "too few features": ((X[:, :2], T), r"Linear\(3, 1\): expected .*3\), got \(4, 2\)"),
    "transposed": ((X[:3].T[:, :2], T), r"Linear\(3, 1\): expected .*transposed"),
    "float32 where float64 is": ((np.float32(X), T), r"Linear.*float32.*float64.*astype"),
    "integers": ((np.int64(X), T), r"Linear.*int64.*float64"),
    "float32 targets": ((X, np.float32(T)), "MSE.*float64.*float32.*convert"),
    "an empty batch": ((X[:0], T[:0]), "MSE.*batch is empty"),
    "flat targets": ((X, T[:, 0]), r"\(4, 1\).*\(4,\).*reshape\(\(4, 1\)\)"),
    "more targets than samples": ((X, np.ones((5, 1))), r"\(4, 1\).*\(5, 1\)"),
    "a scalar target": ((X, 1.0), r"\(4, 1\).*\(\)"),
}


class TestBadDataIsAnswered:
    @pytest.mark.parametrize("case", BAD_DATA)
    @pytest.mark.parametrize("keep", [True, False], ids="keep={}".format)
    def test_with_what_was_expected_and_what_came(self, case: str, keep: bool) -> None:
        inputs, message = BAD_DATA[case]
        with pytest.raises((TypeError, ValueError), match=message):
            classifier()(*inputs, keep=keep)

    @pytest.mark.parametrize("module", [nn.Linear(3, 2), nn.Sigmoid()], ids=repr)
    def test_but_an_empty_batch_is_none_for_a_layer(self, module: nn.Module) -> None:
        x = nn.Input("x", requires_grad=True)
        graph = nn.Graph([x], module(x))
        shape = graph(np.empty((0, 3))).shape
        assert shape[0] == 0
        assert graph.backward(np.empty(shape)).shape == (0, 3)
        for parameter in module.parameters():
            np.testing.assert_array_equal(parameter.grad, np.zeros(parameter.shape))


class TestAnExceptionInsideAVertex:
    def test_in_forward_notes_vertex_module_shapes_and_dtypes(self) -> None:
        with pytest.raises(ValueError, match="expected x") as caught:
            classifier()(X[:, :2], T)
        assert caught.value.__notes__ == [
            "in forward of vertex linear: Linear(3, 1)(x float64[4, 2])"
        ]

    def test_in_backward_notes_them_too(self) -> None:
        class Broken(nn.Module):
            def forward(self, a: Any, b: Any) -> Any:
                return a @ b

            def backward(self, grad: Any) -> Any:
                raise ZeroDivisionError

        x = nn.Input("x", requires_grad=True)
        node = Broken()(x, nn.Constant(np.ones((2, 3), np.float32)))
        node.name = "broken"
        graph = nn.Graph([x], node.sum())
        graph(np.ones((5, 2)))
        with pytest.raises(ZeroDivisionError) as caught:
            graph.backward()
        (note,) = caught.value.__notes__
        assert note.startswith("in backward of vertex broken: Broken()(x float64[5, 2], ")
        assert note.endswith("float32[2, 3])")

    def test_in_a_composite_notes_the_way_from_the_inside_out(self) -> None:
        x = nn.Input("x")
        graph = nn.Graph([x], nn.Sequential(nn.Sigmoid(), nn.Linear(3, 1))(x))
        with pytest.raises(ValueError, match="expected x") as caught:
            graph(X[:, :2])
        inner, outer = caught.value.__notes__
        assert "Linear(3, 1)" in inner
        assert "in forward of vertex sequential: Sequential(" in outer


def deep(depth: int, width: int) -> nn.Graph:
    x, t = nn.Input("x"), nn.Input("t")
    y: Any = x
    for seed in range(depth):
        y = nn.Sigmoid()(nn.Linear(width, width, rng=seed)(y))
    return nn.Graph([x, t], nn.MSE()(y, t) / 2)


@pytest.fixture
def traced() -> Any:
    """A function that runs another and returns the bytes it left behind, and its peak."""

    def measure(run: Callable[[], Any]) -> tuple[int, int]:
        gc.collect()
        tracemalloc.start()
        try:
            kept = run()
            gc.collect()
            left, peak = tracemalloc.get_traced_memory()
            del kept
            return left, peak
        finally:
            tracemalloc.stop()

    return measure


class TestMemory:
    @FLOATS
    def test_report_agrees_with_tracemalloc_to_five_percent(
        self, traced: Any, dtype: DTypeLike
    ) -> None:
        graph = deep(60, 256)
        for parameter in graph.parameters():
            parameter.value = parameter.value.astype(dtype)
        x = np.random.default_rng(0).standard_normal((256, 256)).astype(dtype)
        t = np.zeros((256, 256), dtype)
        left, _ = traced(lambda: graph(x, t))
        assert graph.memory().total == pytest.approx(left, rel=0.05)
        graph(x, t, keep=False)
        left, _ = traced(lambda: (graph(x, t), graph.backward()))
        assert graph.memory().total == pytest.approx(left, rel=0.05)

    def test_report_counts_each_array_once_at_the_first_vertex_that_holds_it(self) -> None:
        model = seminar(features=3, wants_x=False)
        model.graph(X, T)
        sizes = model.graph.memory()
        column, scalar = 4 * 8, 8
        assert dict(sizes) == {
            "x": 0, "t": 0, "linear.weight": 0, "linear.bias": 0, "2": 0, "0.1": 0,
            "linear": column, "sigmoid": column, "mse": column + scalar, "divide": scalar,
            "l2": scalar, "multiply": scalar, "add": scalar,
        }  # fmt: skip
        assert sizes.total == sum(sizes.values())
        assert f"{sizes.total}" in str(sizes)

    def test_without_keep_gives_the_same_value_and_leaves_nothing_else(self) -> None:
        model = seminar(features=3)
        kept = model.graph(X, T)
        dropped = model.graph(X, T, keep=False)
        assert dropped == kept
        for node in model.graph.nodes:
            if isinstance(node, nn.Parameter | nn.Constant) or node is model.graph.output:
                assert node.value is not None
            else:
                assert (node.value, node._saved) == (None, None)
        assert model.graph.memory().total == dropped.nbytes

    def test_without_keep_needs_no_more_for_a_deeper_network(self, traced: Any) -> None:
        peaks = []
        for depth in (10, 50):
            graph = deep(depth, 128)
            x = np.ones((256, 128))
            peaks.append(traced(lambda: graph(x, x, keep=False))[1])  # noqa: B023
        assert peaks[1] == pytest.approx(peaks[0], rel=0.2)

    def test_a_graph_that_is_gone_leaves_nothing_behind(self, traced: Any) -> None:
        def run() -> None:
            x = nn.Input("x", requires_grad=True)
            graph = nn.Graph([x], (x * x + x).sum() / 2)
            graph(np.ones(100_000))
            graph.backward()

        left, _ = traced(run)
        assert left < 100_000


class TestAGraphInAGraph:
    @pytest.mark.parametrize("wrap", [lambda graph: graph, nn.Sequential])
    def test_at_two_vertices_sums_its_gradients(self, wrap: Callable[..., nn.Module]) -> None:
        x = nn.Input("x")
        linear = nn.Linear(3, 2, rng=0)
        inner = wrap(nn.Graph([x], linear(x)))
        a, b = nn.Input("a", requires_grad=True), nn.Input("b", requires_grad=True)
        graph = nn.Graph([a, b], (inner(a) * inner(b)).sum())
        A, B = X, data(4, features=3, seed=2)[0]
        graph(A, B)
        a_bar, b_bar = graph.backward()
        W, bias = linear.weight.value, linear.bias.value
        za, zb = A @ W + bias, B @ W + bias
        assert_equal_to_rounding(a_bar, zb @ W.T)
        assert_equal_to_rounding(b_bar, za @ W.T)
        assert_equal_to_rounding(linear.weight.grad, A.T @ zb + B.T @ za)
        assert_equal_to_rounding(linear.bias.grad, (za + zb).sum(0))
        assert graph.parameters() == linear.parameters()


def test_a_graph_is_copied_and_pickled_with_its_parameters() -> None:
    x, w = nn.Input("x", requires_grad=True), nn.Parameter(np.array([2.0, 3.0]), name="w")
    y = np.where(x > 0, np.tanh(x * w) ** 2 / 3 - 1, 0).sum() + nn.L2()(w)
    graph = nn.Graph([x], y)
    X = np.array([[1.0, -1.0], [0.5, 2.0]])
    value, gradient = graph(X), graph.backward()
    for again in (pickle.loads(pickle.dumps(graph)), copy.deepcopy(graph)):
        assert again(X) == value
        again.zero_grad()
        np.testing.assert_array_equal(again.backward(), gradient)
        np.testing.assert_array_equal(again.parameters()[0].grad, w.grad)
        assert again.parameters()[0] is not w
