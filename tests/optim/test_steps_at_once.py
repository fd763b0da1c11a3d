"""Steps of all parameters as one vector are those of each parameter by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnlite as nn
from nnlite.optim.optimizer import PIECE

OPTIMIZERS: dict[str, Callable[[Any], nn.Optimizer]] = {
    "SGD": lambda parameters: nn.SGD(parameters, 0.1, weight_decay=0.01),
    "momentum": lambda parameters: nn.SGD(parameters, 0.1, momentum=0.9, dampening=0.1),
    "Adam": lambda parameters: nn.Adam(parameters, 0.01),
    "AdamW": lambda parameters: nn.AdamW(parameters, 0.01),
    "RMSprop": lambda parameters: nn.RMSprop(parameters, 0.01, momentum=0.5, centered=True),
    "Adagrad": lambda parameters: nn.Adagrad(parameters, 0.1, lr_decay=0.1),
}

each_optimizer = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)


def network(features: int) -> nn.Graph:
    x = nn.Input("x")
    net = nn.Sequential(nn.Linear(features, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))
    return nn.Graph([x], nn.L2()(net(x)))


def inputs(features: int, seed: int) -> Any:
    return np.random.default_rng(seed).normal(size=(2, features)) / features**0.5


def interpreted(
    graph: nn.Graph, optimizer: nn.Optimizer, X: Any, frozen: tuple[int, ...] = ()
) -> None:
    """A step, in which parameters of these numbers have no gradient."""
    graph(X)
    graph.zero_grad()
    graph.backward()
    for number in frozen:
        graph.parameters()[number].grad = None
    optimizer.step()


def assert_same_state(one: nn.Optimizer, other: nn.Optimizer) -> None:
    for p, q in zip(one.parameters, other.parameters):
        np.testing.assert_allclose(p.value, q.value, rtol=0, atol=1e-12)
    states = one.state_dict(), other.state_dict()
    assert states[0].keys() == states[1].keys()
    for name, item in states[0].items():
        np.testing.assert_allclose(item, states[1][name], rtol=1e-9, atol=1e-12, err_msg=name)


@each_optimizer
@pytest.mark.parametrize("features", [PIECE // 3 - 1, PIECE // 3 + 5, PIECE])
def test_a_vector_of_any_length_is_trained_piece_by_piece(
    make: Callable[[Any], nn.Optimizer], features: int
) -> None:
    plain, compiled = network(features), network(features)
    step = compiled.compile()
    one, other = make(plain.parameters()), make(compiled.parameters())
    for seed in range(3):
        X = inputs(features, seed)
        interpreted(plain, one, X)
        step(X)
        other.step()
    assert_same_state(one, other)


@each_optimizer
@pytest.mark.parametrize("frozen_steps", [1, 3])
def test_what_is_remembered_of_each_parameter_by_itself_is_gone_on_with(
    make: Callable[[Any], nn.Optimizer], frozen_steps: int
) -> None:
    """One had no gradient in some of the steps, or in none of them, and is behind the others."""
    plain, other = network(4), network(4)
    optimizers = make(plain.parameters()), make(other.parameters())
    for graph, optimizer in zip((plain, other), optimizers):
        for seed in range(3):
            interpreted(graph, optimizer, inputs(4, seed), (0,) if seed < frozen_steps else ())
    step = other.compile()
    for seed in range(3, 6):
        X = inputs(4, seed)
        interpreted(plain, optimizers[0], X)
        step(X)
        optimizers[1].step()
        assert_same_state(*optimizers)
