"""What cannot be compiled, and inputs that a program does not take."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import seminar
from programs import NETWORKS, assert_same, samples

import nnlite as nn


class Noise(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rng = np.random.default_rng(0)

    def forward(self, x: Any) -> Any:
        mask = self.rng.random(x.shape) > 0.5
        self.save_for_backward(mask)
        return x * mask

    def backward(self, grad: Any) -> Any:
        return grad * self.saved[0]


class Counter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def forward(self, x: Any) -> Any:
        self.count += 1
        return x / self.count


class Clock(nn.Module):
    ticks = iter(range(10_000))

    def forward(self, x: Any) -> Any:
        return x * float(next(self.ticks))


class Branch(nn.Module):
    def forward(self, x: Any) -> Any:
        return x if x.sum() > 0 else -x


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (Noise(), "draws random numbers in its forward.*use nn.Dropout"),
        (Counter(), r"forward of Counter\(\) changes self.count"),
        (Clock(), "computes with something that is not the same in every pass"),
        (Branch(), "cannot choose a branch"),
    ],
    ids=lambda item: type(item).__name__,
)
def test_what_a_program_could_not_do_is_refused(module: nn.Module, message: str) -> None:
    linear, x = nn.Linear(5, 3, rng=0), nn.Input("x")
    graph = nn.Graph([x], module(linear(x)).sum())
    with pytest.raises(TypeError, match=message):
        graph.compile()(samples("")[0])
    if isinstance(module, Counter):
        assert module.count == 0  # trying changed nothing
    graph(samples("")[0])
    graph.backward()


def test_several_outputs_and_several_dtypes_are_refused() -> None:
    x = nn.Input("x")
    y = nn.Linear(5, 3, rng=0)(x)
    with pytest.raises(TypeError, match="2 outputs; a loss is one"):
        nn.Graph([x], [y.sum(), y.max()]).compile()
    v, w = nn.Parameter(np.ones(2)), nn.Parameter(np.ones(2, np.float32))
    with pytest.raises(TypeError, match="of one dtype can share a vector, got float32, float64"):
        nn.Graph([x], (v * w * x).sum()).compile()
    with pytest.raises(ValueError, match=r"has shape \(7, 3\), not one element"):
        nn.Graph([x], y).compile()(samples("")[0])


def test_values_are_checked_in_every_step() -> None:
    step = NETWORKS["perceptron"]().compile()
    X, t = samples("")
    step(X, t)
    for wrong in (3, -1):
        with pytest.raises(ValueError, match=f"a label is from 0 to 2, got {wrong}"):
            step(X, np.where(t == t[0], wrong, t))
    x, t_in = nn.Input("x"), nn.Input("t")
    step = nn.Graph([x, t_in], nn.BCE()(nn.Sigmoid()(nn.Linear(5, 1, rng=0)(x)), t_in)).compile()
    step(X, np.ones((7, 1)))
    with pytest.raises(ValueError, match="the targets t are from 0 to 1"):
        step(X, np.full((7, 1), -1.0))
    x = nn.Input("x")
    step = nn.Graph([x], nn.Embedding(3, 2, rng=0)(x).sum()).compile()
    step(np.array([0, 2]))
    with pytest.raises(IndexError, match="an index is from 0 to 2, got 3"):
        step(np.array([0, 3]))


def test_wrong_inputs_are_explained_as_by_the_graph() -> None:
    step = NETWORKS["perceptron"]().compile()
    X, t = samples("")
    step(X, t)
    with pytest.raises(ValueError, match=r"expected x of shape \(..., 5\)"):
        step(X.T, t[:5])
    with pytest.raises(TypeError, match=r"the graph takes 2 inputs \(x, t\), got 1"):
        step(X)
    with pytest.raises(TypeError, match="has dtype float32"):
        step(X.astype(np.float32), t)
    assert_same(NETWORKS["perceptron"](), step, X, t)
    assert_same(NETWORKS["perceptron"](), step, X.tolist(), t.tolist())
    assert_same(NETWORKS["perceptron"](), step, np.asfortranarray(X), t)


def test_it_writes_to_nothing_that_it_is_given_and_its_results_are_not_overwritten() -> None:
    s = seminar(5)
    step = s.graph.compile()
    X, T = samples("seminar")
    before = X.copy(), T.copy()
    first = step(X, T)
    of_x = s.x.grad
    kept = float(first), of_x.copy()
    step(X + 1, T)
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(T, before[1])
    assert float(first) == kept[0]
    np.testing.assert_array_equal(of_x, kept[1])


def test_vertices_do_not_keep_what_is_of_another_pass() -> None:
    s = seminar(5)
    step = s.graph.compile()
    X, T = samples("seminar")
    s.graph(X, T)
    s.graph.backward()
    step(2 * X, T)
    assert s.z.value is None
    assert s.z.grad is None
    assert s.linear.bias.grad is not None
    with pytest.raises(RuntimeError, match="call graph"):
        s.graph.backward()


def test_a_failure_while_tracing_says_that_the_graph_was_being_compiled() -> None:
    x = nn.Input("x")
    graph = nn.Graph([x], Branch()(nn.Linear(5, 3, rng=0)(x)).sum())
    with pytest.raises(TypeError) as caught:
        graph.compile()(samples("")[0])
    assert "was compiled" in caught.value.__notes__[-1]


def test_a_deep_graph_compiles() -> None:
    x, w = nn.Input("x"), nn.Parameter(np.full(3, 0.999))
    y: Any = x
    for _ in range(2000):
        y = y * w
    step = nn.Graph([x], y.sum()).compile()
    assert step(np.ones(3)) == pytest.approx(3 * 0.999**2000)
    np.testing.assert_allclose(w.grad, 2000 * 0.999**1999, rtol=1e-10)
