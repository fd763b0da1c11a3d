"""Graphs handled as people handle them: slips, copies, layers that keep things for a look."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from helpers import data, seminar

import nnlite as nn

X = np.random.default_rng(7).normal(size=(5, 4))


def of(layer: Any) -> nn.Graph:
    x = nn.Input("x", requires_grad=True)
    return nn.Graph([x], layer(x).sum())


class TestSlips:
    def test_an_input_in_place_of_a_list_of_inputs_is_answered_with_the_list(self) -> None:
        x = nn.Input("x")
        with pytest.raises(TypeError, match=r"inputs is a list, \[x\], got <Input 'x'> by itself"):
            nn.Graph(x, x * 2)  # type: ignore[arg-type]

    def test_a_vertex_that_is_not_there_is_refused_and_the_others_named(self) -> None:
        graph = seminar().graph
        with pytest.raises(
            KeyError, match=r"no vertex 'loss'; it has linear\.weight, linear\.bias, x,"
        ):
            graph["loss"]
        assert [graph[name] for name in graph.names.values()] == graph.nodes

    def test_a_graph_takes_as_many_vertices_as_it_has_inputs(self) -> None:
        x, y = nn.Input("x", requires_grad=True), nn.Input("y")
        product = nn.Graph([x, y], x * y)
        for run in (nn.grad(lambda v: product(v).sum()), nn.Graph([x], product(x).sum())):
            with pytest.raises(TypeError, match=r"Graph\(x, y -> multiply.*takes 2 inputs"):
                run(X)
        np.testing.assert_array_equal(nn.grad(lambda v: product(v, v).sum())(X), 2 * X)

    def test_an_objective_is_of_one_element(self) -> None:
        x, w = nn.Input("x"), nn.Parameter(np.ones(4))
        objective = nn.Objective(nn.Graph([x], x * w), X)
        for function in (objective.fun, objective.jac):
            with pytest.raises(ValueError, match=r"output has shape \(5, 4\).* has one element"):
                function(np.zeros(4))
        np.testing.assert_array_equal(w.value, np.ones(4))

    def test_a_cycle_is_named_without_what_depends_on_it(self) -> None:
        x = nn.Input("x")
        first = nn.Sigmoid()(x)
        second = -first
        third = second * 2
        first.name, second.name, third.name = "first", "second", "third"
        first.parents = (second,)
        with pytest.raises(ValueError, match=r"cycle: (?=.*'first')(?=.*'second')") as caught:
            nn.Graph([x], third.sum())
        assert "third" not in str(caught.value)


class TestTheGradientToStartFrom:
    def test_is_one_for_each_output(self) -> None:
        x = nn.Input("x", requires_grad=True)
        graph = nn.Graph([x], [x * 2, (x * x).sum()])
        graph(X)
        for grads in (None, X, (X,), (X, 1.0, 1.0), [X, 1.0]):
            with pytest.raises(TypeError, match="2 outputs: pass a tuple of as many gradients"):
                graph.backward(grads)
        np.testing.assert_allclose(graph.backward((X, 3.0)), 2 * X + 6 * X)

    def test_of_a_function_with_several_results_is_one_for_each(self) -> None:
        _, pullback = nn.vjp(lambda x: (x * 2, x.sum()), X)
        for cotangent in (X, (X,)):
            with pytest.raises(TypeError, match="2 outputs: pass a tuple of as many gradients"):
                pullback(cotangent)
        np.testing.assert_allclose(pullback((X, 3.0))[0], 2 * X + 3)

    @pytest.mark.parametrize("dtype", [complex, object, str])
    def test_is_made_of_numbers(self, dtype: type) -> None:
        x = nn.Input("x", requires_grad=True)
        graph = nn.Graph([x], x * 2)
        graph(X)
        with pytest.raises(TypeError, match=r"gradient is made of numbers; the one for .*multiply"):
            graph.backward(X.astype(dtype))
        np.testing.assert_array_equal(graph.backward(np.ones(X.shape, int)), np.full(X.shape, 2.0))


def test_rows_of_an_explanation_are_found_by_name_or_position() -> None:
    graph = seminar(features=4).graph
    graph(*data(3, 4))
    graph.backward()
    rows = graph.explain()
    names = [row.name for row in rows]
    assert names[0] == graph.names[graph.outputs[0]]
    assert [rows[i] is rows[name] for i, name in enumerate(names)] == [True] * len(names)
    assert rows[-1] is rows[names[-1]]
    assert [row.name for row in rows[1:3]] == names[1:3]


@pytest.mark.parametrize("layer", [nn.Sigmoid, nn.SiLU, nn.Softplus, nn.Tanh, nn.ReLU, nn.Softmax])
def test_a_derivative_graph_is_pickled(layer: type[nn.Module]) -> None:
    derivative = of(lambda x: layer()(x) * x).gradient(X)
    copy = pickle.loads(pickle.dumps(derivative))
    for x in (X, 3 * X):
        for one, other in zip(copy(x), derivative(x), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_composite_stores_what_its_layers_would_store_as_vertices() -> None:
    net = nn.Sequential(nn.Linear(4, 6, rng=0), nn.Tanh(), nn.Linear(6, 2, rng=1))

    def by_layers(x: Any) -> Any:
        for _, layer in net.children():
            x = layer(x)
        return x

    one, other = of(net), of(by_layers)
    sizes = []
    for graph in (one, other):
        assert graph.memory().total == 0
        graph(X)
        sizes.append(graph.memory().total)
    assert sizes[0] == sizes[1]
    assert one.memory()["sequential"] > X.nbytes
    one.backward()
    assert one.memory().total >= 2 * sizes[0]


class Kept(nn.Module):
    """2 tanh x, which keeps tanh x so that somebody can look at it."""

    def forward(self, x: Any) -> Any:
        self.hidden = np.tanh(x)
        return 2 * self.hidden


@pytest.mark.parametrize("ran_before", [True, False])
def test_what_a_layer_keeps_for_a_look_is_left_by_recording_as_it_was(ran_before: bool) -> None:
    kept = Kept()
    graph = of(kept)
    if ran_before:
        graph(X)
    before = dict(vars(kept))
    value, gradient = graph.gradient(X)(X)
    np.testing.assert_allclose(value, 2 * np.tanh(X).sum())
    np.testing.assert_allclose(gradient, 2 * (1 - np.tanh(X) ** 2))
    assert vars(kept).keys() == before.keys()
    assert all(vars(kept)[name] is item for name, item in before.items() if name == "hidden")


def test_a_backward_of_another_length_each_time_is_refused() -> None:
    class Wavering(nn.Module):
        """x², whose gradient takes a detour every other time."""

        def __init__(self) -> None:
            super().__init__()
            self.detours = iter([False, True] * 10)

        def forward(self, x: Any) -> Any:
            self.save_for_backward(x)
            return x * x

        def backward(self, grad: Any) -> Any:
            product = 2 * grad * self.saved[0]
            return product * -1 * -1 if next(self.detours) else product

    with pytest.raises(TypeError, match="is not the same in every pass"):
        of(Wavering()).gradient(X)
