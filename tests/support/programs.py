"""Graphs to compile, and what it means that two passes are the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from helpers import ROUNDING

import nnlite as nn

Graphs = Callable[[], nn.Graph]


def assert_same(graph: nn.Graph, step: Any, *inputs: Any) -> None:
    """`step` gives the loss and the gradients that another, equal graph gives."""
    loss = graph(*inputs)
    graph.zero_grad()
    graph.backward()
    got = step(*inputs)
    assert np.shape(got) == np.shape(loss)
    assert np.asarray(got).dtype == np.asarray(loss).dtype
    pairs = [(got, loss)]
    pairs += [(p.grad, q.grad) for p, q in zip(step.graph.parameters(), graph.parameters())]
    pairs += [(p.grad, q.grad) for p, q in zip(step.graph.inputs, graph.inputs) if q.requires_grad]
    for one, other in pairs:
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        scale = max(1.0, float(np.max(np.abs(other), initial=0.0)))
        # Sums are taken in another order: the bound is that on the distance from a closed form.
        assert np.max(np.abs(one - other), initial=0.0) <= ROUNDING[other.dtype] * scale


class Net(nn.Module):
    """A composite of layers and NumPy functions, one of them used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(5, 4, rng=0)
        self.square = nn.Linear(4, 4, rng=1)
        self.scale = 0.5

    def forward(self, x: Any) -> Any:
        h = np.tanh(self.first(x)) * self.scale
        return np.concatenate([self.square(self.square(h)), h], axis=1)


class Scale(nn.Module):
    """A stranger's layer."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(np.ones(features))

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return x * self.gain.value

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        self.gain.accumulate_grad((grad * x).sum(axis=0))
        return grad * self.gain.value


def classifier(*layers: nn.Module) -> nn.Graph:
    x, t = nn.Input("x"), nn.Input("t")
    return nn.Graph([x, t], nn.CrossEntropy()(nn.Sequential(*layers)(x), t))


NETWORKS: dict[str, Graphs] = {
    "seminar": lambda: nn.models.seminar_model(5, 1e-2, rng=0),
    "perceptron": lambda: classifier(nn.Linear(5, 6, rng=0), nn.ReLU(), nn.Linear(6, 3, rng=1)),
    "composite": lambda: classifier(Net(), nn.Linear(8, 3, rng=2)),
    "stranger": lambda: classifier(Scale(5), nn.Linear(5, 3, rng=0)),
    "noise": lambda: classifier(
        nn.Linear(5, 6, bias=False, rng=0),  # which would have no gradient but rounding
        nn.BatchNorm1d(6),
        nn.GELU(),
        nn.Dropout(0.3, rng=0),
        nn.Linear(6, 3, rng=1),
    ),
}


def samples(network: str, m: int = 7, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(m, 5))
    return X, rng.integers(0, 2, (m, 1)) * 1.0 if network == "seminar" else rng.integers(0, 3, m)
