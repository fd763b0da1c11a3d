"""Compiled graphs between whose steps something changes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from programs import NETWORKS, Net, assert_same, samples

import nnlite as nn


def test_what_is_changed_between_two_steps_counts() -> None:
    def changes(graph: nn.Graph) -> list[Callable[[], Any]]:
        sequential: Any = next(m for m in graph.modules() if isinstance(m, nn.Sequential))
        first, norm, _, dropout, last = sequential.layers
        generator = np.random.default_rng(0)
        return [
            lambda: setattr(dropout, "p", 0.7),
            lambda: setattr(norm, "momentum", 0.5),
            lambda: graph.eval(),
            lambda: setattr(norm, "running_mean", np.arange(6.0)),
            lambda: graph.train(),
            lambda: setattr(first.weight, "value", generator.normal(size=(5, 6))),
            lambda: graph.load_state_dict({n: a / 2 for n, a in graph.state_dict().items()}),
            lambda: last.weight.value.__setitem__(0, 7.0),
        ]

    graph, compiled = NETWORKS["noise"](), NETWORKS["noise"]()
    step = compiled.compile()
    assert_same(graph, step, *samples("noise"))
    for one, other in zip(changes(graph), changes(compiled)):
        one()
        other()
        assert_same(graph, step, *samples("noise"))
        assert_same(graph, step, *samples("noise", 4))


def test_a_constant_and_an_attribute_of_ones_own_layer_are_read_anew() -> None:
    def build() -> tuple[nn.Graph, tuple[nn.Constant, Net]]:
        x, net, weight = nn.Input("x"), Net(), nn.Constant(np.arange(8.0))
        return nn.Graph([x], (net(x) * weight).sum()), (weight, net)

    (graph, of_graph), (compiled, of_compiled) = build(), build()
    step, (X, _) = compiled.compile(), samples("")
    assert_same(graph, step, X)
    for weight, net in (of_graph, of_compiled):
        weight.value = np.ones(8)
        net.scale = 3.0
    assert_same(graph, step, X)


def test_evaluating_the_graph_between_steps_does_no_harm() -> None:
    graph, step = NETWORKS["composite"](), NETWORKS["composite"]().compile()
    assert_same(graph, step, *samples(""))
    program = step.source
    for seed in range(3):
        step.graph(*samples("", 4, seed))
        assert_same(graph, step, *samples(""))
    assert step.source == program


def test_a_parameter_that_was_replaced_is_not_overlooked() -> None:
    x = nn.Input("x")
    linear = nn.Linear(5, 1, rng=0)
    step = nn.Graph([x], linear(x).sum()).compile()
    step(samples("")[0])
    linear.weight = nn.Parameter(np.ones((5, 1)))
    with pytest.raises(TypeError, match="which is not among its parameters; declare"):
        step(samples("")[0])


def test_backward_after_an_optimisers_step_on_the_vector_raises() -> None:
    graph = NETWORKS["perceptron"]()
    step, sgd = graph.compile(), nn.SGD(graph.parameters(), 1e-12)
    step(*samples(""))
    graph(*samples(""))
    sgd.step()  # so small a step that no value may have changed
    with pytest.raises(RuntimeError, match="was given a new value after the forward pass"):
        graph.backward()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda item: pickle.loads(pickle.dumps(item))])
def test_a_copy_trains_on_its_own(copied: Callable[[Any], Any]) -> None:
    graph = NETWORKS["perceptron"]()
    step, adam = graph.compile(), nn.Adam(graph.parameters(), 0.01)
    for seed in range(3):
        step(*samples("", seed=seed))
        adam.step()
    expected = NETWORKS["perceptron"]()
    expected.load_state_dict(graph.state_dict())
    after = nn.Adam(expected.parameters(), 0.01)
    after.load_state_dict(adam.state_dict())
    before = graph.state_dict()
    other, its_adam = copied((step, adam))
    for run, optimizer in ((other, its_adam), (expected.compile(), after)):
        run(*samples("", seed=3))
        optimizer.step()
    for name, array in other.graph.state_dict().items():
        np.testing.assert_array_equal(array, expected.state_dict()[name])
        np.testing.assert_array_equal(graph.state_dict()[name], before[name])
        assert not np.array_equal(array, before[name])
