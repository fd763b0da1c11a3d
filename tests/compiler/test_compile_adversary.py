"""What could make a compiled step differ from its graph without anybody noticing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from programs import assert_same

import nnlite as nn

X = np.random.default_rng(0).normal(size=(6, 5))


class Doubling(nn.Module):
    """Depends on `training`, on an attribute of the class and on an array of its own."""

    scale = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.shift = np.ones(3)

    def forward(self, x: Any) -> Any:
        return (x * 2 if self.training else x) * self.scale + self.shift


class Bare(nn.Module):
    def forward(self, x: Any) -> Any:
        return x * 2 if self.training else x


def pair(build: Any) -> tuple[Any, Any]:
    """A graph with what can be changed in it, and another to be compiled."""
    return build(), build()


def graph_of(*layers: nn.Module) -> nn.Graph:
    x = nn.Input("x")
    return nn.Graph([x], (nn.Sequential(nn.Linear(5, 3, rng=0), *layers)(x) ** 2).sum())


def test_training_counts_where_a_module_has_no_attributes() -> None:
    graph, compiled = graph_of(Bare()), graph_of(Bare())
    step = compiled.compile()
    assert_same(graph, step, X)
    graph.eval()
    compiled.eval()
    assert_same(graph, step, X)


def test_attributes_of_the_class_and_arrays_changed_in_place_count() -> None:
    (graph, one), (compiled, other) = pair(lambda: (graph_of(d := Doubling()), d))
    step = compiled.compile()
    assert_same(graph, step, X)
    one.shift[0] = other.shift[0] = 5.0
    assert_same(graph, step, X)
    try:
        Doubling.scale = 3.0
        assert_same(graph, step, X)
    finally:
        Doubling.scale = 1.0


def test_weights_of_a_loss_and_the_generator_of_noise_count() -> None:
    def build() -> tuple[nn.Graph, Any, Any]:
        x, t = nn.Input("x"), nn.Input("t")
        loss, noise = nn.CrossEntropy(weight=np.array([1.0, 2.0, 3.0])), nn.Dropout(0.5, rng=0)
        return nn.Graph([x, t], loss(noise(nn.Linear(5, 3, rng=0)(x)), t)), loss, noise

    (graph, *of_graph), (compiled, *of_compiled) = pair(build)
    step, t = compiled.compile(), np.array([0, 1, 2, 0, 1, 2])
    assert_same(graph, step, X, t)
    for loss, noise in (of_graph, of_compiled):
        loss.weight[:] = [9.0, 1.0, 1.0]
        noise.rng = np.random.default_rng(7)
    assert_same(graph, step, X, t)


def test_constants_of_a_graph_within_the_graph_count() -> None:
    def build() -> tuple[nn.Graph, nn.Constant, nn.Constant]:
        y, x = nn.Input("y"), nn.Input("x")
        number, array = nn.Constant(2.0), nn.Constant(np.ones(3))
        inner = nn.Graph([y], y * number + np.exp(array))
        return nn.Graph([x], (inner(nn.Linear(5, 3, rng=0)(x)) ** 2).sum()), number, array

    (graph, *of_graph), (compiled, *of_compiled) = pair(build)
    step = compiled.compile()
    assert_same(graph, step, X)
    for number, array in (of_graph, of_compiled):
        number.value = 5.0
        array.value[0] = -3.0
    assert_same(graph, step, X)


def test_a_tied_parameter_that_is_replaced_at_one_of_its_owners_is_not_overlooked() -> None:
    x, a, b = nn.Input("x"), nn.Linear(5, 5, rng=0), nn.Linear(5, 5, rng=1)
    b.weight = a.weight
    step = nn.Graph([x], (b(a(x)) ** 2).sum()).compile()
    step(X)
    a.weight = nn.Parameter(3 * np.eye(5))
    with pytest.raises(TypeError, match="was replaced"):
        step(X)


@pytest.mark.parametrize("number", [np.float64(0.1), 0.1, np.float32(0.1)])
def test_comparisons_are_made_in_the_dtype_that_numpy_makes_them_in(number: Any) -> None:
    def build() -> nn.Graph:
        x, w = nn.Input("x"), nn.Parameter(np.ones(2, np.float32))
        return nn.Graph([x], np.where(w * x > number, w * x, 0.5 * w).sum())

    assert_same(build(), build().compile(), np.array([0.1, 0.2], np.float32))


@pytest.mark.parametrize(
    "name", ["part", "window", "type", "step", "x₁", "µ", "for", "y\n    return 42.0  #"]
)
def test_a_vertex_may_have_any_name(name: str) -> None:
    def build() -> nn.Graph:
        x, w = nn.Input(name), nn.Parameter(np.ones(5))
        conv = nn.Conv2d(1, 1, 2, rng=0)
        y = np.tanh(x * w)
        y.name = name + "'"
        images = conv(np.reshape(y, (1, 1, 6, 5)) * 1.5)
        return nn.Graph([x], (conv(images) ** 2).sum() + nn.L2()(y))

    assert_same(build(), build().compile(), X)


def test_a_gradient_of_the_step_before_may_be_its_input() -> None:
    x, v, w = nn.Input("x"), nn.Parameter(np.ones(3)), nn.Parameter(2 * np.ones(3))
    step = nn.Graph([x], ((v * v + w * w) * x).sum()).compile()
    step(np.ones(3))
    given = v.grad.copy()
    step(v.grad)
    np.testing.assert_array_equal(v.grad, 2 * given)
    np.testing.assert_array_equal(w.grad, 4 * given)


def test_gradients_of_inputs_are_arrays_of_their_own() -> None:
    x, t = nn.Input("x", requires_grad=True), nn.Input("t")
    step = nn.Graph([x, t], (np.flip(x, 0) * t).sum()).compile()
    step(X, 2 * X)
    kept, was = x.grad, x.grad.copy()
    step(X, 3 * X)
    np.testing.assert_array_equal(kept, was)
    step = nn.Graph([x, t], (x * t).sum()).compile()
    step(X, X)
    assert not np.shares_memory(x.grad, X)


def test_buffers_that_two_vertices_change_are_refused() -> None:
    x, norm, linear = nn.Input("x"), nn.BatchNorm1d(5), nn.Linear(5, 5, rng=0)
    graph = nn.Graph([x], (norm(norm(linear(x))) ** 3).sum())
    with pytest.raises(TypeError, match="stands at two vertices"):
        graph.compile()(X)


def test_a_step_that_fails_half_way_leaves_no_gradient() -> None:
    x, v, w = nn.Input("x"), nn.Parameter(np.ones(2)), nn.Parameter(np.full(2, 300.0))
    step = nn.Graph([x], (np.exp(w * x) + v * x).sum()).compile()
    step(np.ones(2))
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        step(np.full(2, 10.0))
    assert v.grad is None
    assert w.grad is None


def test_a_parameter_without_influence_has_no_gradient() -> None:
    def build() -> nn.Graph:
        x, c, w = nn.Input("x"), nn.Parameter(np.zeros(5)), nn.Parameter(np.ones(5))
        return nn.Graph([x], np.where(c > x, w, 2 * w).sum())

    graph = build()
    step, optimizer = graph.compile(), nn.AdamW(graph.parameters(), 0.1, weight_decay=0.5)
    step(X)
    optimizer.step()
    without, trained = sorted(graph.parameters(), key=lambda p: p.grad is not None)
    assert without.grad is None
    np.testing.assert_array_equal(without.value, np.zeros(5))
    assert (trained.value < 1).all()


def test_a_parameter_added_to_the_optimiser_is_trained() -> None:
    x, w, v = nn.Input("x"), nn.Parameter(np.ones(5)), nn.Parameter(np.ones(2))
    step, sgd = nn.Graph([x], (w * x).sum()).compile(), nn.SGD([w], 0.1)
    step(X)
    sgd.step()
    sgd.parameters.append(v)
    v.grad = np.ones(2)
    sgd.step()
    np.testing.assert_allclose(v.value, 0.9)


def test_a_zero_keeps_its_sign() -> None:
    def build() -> nn.Graph:
        x, w = nn.Input("x"), nn.Parameter(np.ones(1))
        return nn.Graph([x], np.arctan2(0 + w * x, -1.0).sum())

    assert_same(build(), build().compile(), np.array([-0.0]))


def test_infinities_may_stand_in_a_formula() -> None:
    def build() -> nn.Graph:
        x = nn.Input("x")
        scores = nn.Linear(5, 5, rng=0)(x)
        masked = np.where(np.tri(6, 5, dtype=bool), scores, -np.inf)
        return nn.Graph([x], nn.Softmax()(masked).max())

    assert_same(build(), build().compile(), X)


def test_numbers_and_arrays_without_axes_have_programs_of_their_own() -> None:
    x, w = nn.Input("x"), nn.Parameter(np.ones(3))
    step = nn.Graph([x], (w * x).sum()).compile()
    for value in (np.float64(2.0), np.array(2.0), 2.0, np.float64(3.0), 3):
        assert step(value) == pytest.approx(3 * float(value))


def test_labels_may_come_in_another_order() -> None:
    class Reversed(nn.Module):
        def forward(self, z: Any, t: Any) -> Any:
            return nn.CrossEntropy()(z, t[::-1]) + nn.CrossEntropy()(z, t)

    def build() -> nn.Graph:
        x, t = nn.Input("x"), nn.Input("t")
        return nn.Graph([x, t], Reversed()(nn.Linear(5, 3, rng=0)(x), t))

    graph, step = build(), build().compile()
    assert_same(graph, step, X, np.array([0, 1, 2, 0, 1, 1]))
    assert_same(graph, step, X, np.array([2, 1, 2, 2, 0, 0]))


def test_a_derivative_graph_with_noise_of_ones_own_is_refused_and_with_dropout_draws_anew() -> None:
    class Noise(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rng = np.random.default_rng(0)

        def forward(self, x: Any) -> Any:
            return x * (self.rng.random(x.shape) > 0.5)

    with pytest.raises(TypeError, match="draws random numbers in its forward"):
        graph_of(Noise()).gradient(X)
    derivative = graph_of(nn.Dropout(0.5, rng=0)).gradient(X)
    assert derivative(X)[0] != derivative(X)[0]
