"""Operations that programs seldom have, and what a step says where it cannot be taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import ROUNDING
from numpy.lib.stride_tricks import sliding_window_view
from programs import NETWORKS, Net, assert_same, classifier, samples

import nnlite as nn

Function = Callable[[Any, Any], Any]


class Formula(nn.Module):
    """A function of x and of a weight of its own."""

    def __init__(self, function: Function, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.function = function
        self.w = nn.Parameter(np.random.default_rng(0).normal(size=shape))

    def forward(self, x: Any) -> Any:
        return self.function(x, self.w.value)


def of(function: Function, *shape: int) -> nn.Graph:
    x = nn.Input("x", requires_grad=True)
    y = Formula(function, shape)(x)
    return nn.Graph([x], (y * y).sum())


def padded_twice(x: Any, w: Any) -> Any:
    return np.pad(2 * np.pad(x * w, 1), ((1, 2), (0, 1))) + 1


OPERATIONS: dict[str, tuple[Function, tuple[int, ...]]] = {
    "zeros around": (lambda x, w: np.pad(x * w, ((1, 2), (0, 1))), (4,)),
    "zeros around zeros": (padded_twice, (4,)),
    "zeros around a gradient": (lambda x, w: np.diff(w) * x[:, 1:] + np.diff(x), (4,)),
    "zeros around a parameter": (lambda x, w: np.pad(w, (1, 2))[:4] * x, (4,)),
    "the dtype that it has": (lambda x, w: (x * w).astype(np.float64).astype(float), (4,)),
    "another dtype": (lambda x, w: (x * w).astype(np.float32), (4,)),
    "numbers at the right": (lambda x, w: (x * w).sum() * 0.5 * 3 / 4 * x, (4,)),
    "numbers at both sides": (lambda x, w: x - 0.25 * (w.sum() / 3 * 2), (4,)),
    "the least of each row": (
        lambda x, w: np.take_along_axis(x * w, np.argsort(x, axis=1)[:, :1], axis=1),
        (4,),
    ),
    "the least of each column": (
        lambda x, w: np.take_along_axis((x * w).T, np.argsort(x.T, axis=1)[:, :1], axis=1),
        (4,),
    ),
    "windows in einsum": (
        lambda x, w: np.einsum("mnk,k->mn", sliding_window_view(x, 3, axis=1), w),
        (3,),
    ),
    "sinc and powers": (lambda x, w: np.sinc(x) * np.abs(x) ** w, (4,)),
    "GELU": (lambda x, w: nn.GELU()(x) * nn.Sigmoid()(w), (4,)),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_compiled_gives_what_it_gives_interpreted(name: str) -> None:
    function, shape = OPERATIONS[name]
    graph, step = of(function, *shape), of(function, *shape).compile()
    for seed, m in enumerate([5, 5, 3, 5]):
        assert_same(graph, step, np.random.default_rng(seed).normal(size=(m, 4)))


def unchecked_labels() -> nn.Graph:
    z, t = nn.Input("z", requires_grad=True), nn.Input("t")
    log_y = nn.LogSoftmax()(z)
    return nn.Graph([z, t], -np.take_along_axis(log_y, t[:, None], axis=1).mean())


def test_indices_that_nobody_checked_count_as_in_numpy() -> None:
    Z = np.random.default_rng(1).normal(size=(4, 3))
    graph, step = unchecked_labels(), unchecked_labels().compile()
    for labels in ([0, 2, 1, 1], [-1, -3, 2, 0]):
        assert_same(graph, step, Z, np.array(labels))
    for run in (graph, step):
        with pytest.raises(IndexError, match="out of bounds"):
            run(Z, np.array([0, 3, 1, 1]))


def pictures() -> nn.Graph:
    return classifier(
        nn.Conv2d(1, 3, 3, padding=1, rng=0),
        nn.Tanh(),
        nn.MaxPool2d(3, 2, padding=1),
        nn.Conv2d(3, 2, 2, padding="same", rng=1),
        nn.Flatten(),
        nn.Linear(18, 3, rng=2),
    )


def words() -> nn.Graph:
    return classifier(nn.Embedding(9, 4, rng=0), nn.Flatten(), nn.Linear(12, 3, rng=1))


@pytest.mark.parametrize(
    ("build", "draw"),
    [
        (pictures, lambda rng, m: rng.normal(size=(m, 1, 5, 5))),
        (words, lambda rng, m: rng.integers(0, 9, (m, 3))),
    ],
    ids=["padded pictures", "words"],
)
def test_steps_of_training_are_the_same(
    build: Callable[[], nn.Graph], draw: Callable[[np.random.Generator, int], Any]
) -> None:
    plain, compiled = build(), build()
    step = compiled.compile()
    one, other = (nn.SGD(graph.parameters(), 0.1, momentum=0.9) for graph in (plain, compiled))
    rng = np.random.default_rng(0)
    for m in (4, 4, 7, 4):
        inputs = draw(rng, m), rng.integers(0, 3, m)
        assert_same(plain, step, *inputs)
        one.step()
        other.step()
    for a, b in zip(plain.state_dict().values(), compiled.state_dict().values()):
        np.testing.assert_allclose(a, b, rtol=0, atol=100 * ROUNDING[a.dtype])


def noisy() -> nn.Graph:
    """A composite of somebody's, and noise of ours."""
    return classifier(Net(), nn.Dropout(0.3, rng=0), nn.Linear(8, 3, rng=2))


def test_noise_beside_a_layer_of_ones_own_is_drawn_as_without_compilation() -> None:
    graph, step = noisy(), noisy().compile()
    for seed in range(3):
        assert_same(graph, step, *samples("", seed=seed))


@pytest.mark.parametrize(
    "differentiate",
    [lambda f, x: nn.grad(f)(x), lambda f, x: nn.jvp(f, (x,), (x,))],
    ids=["reverse", "forward"],
)
def test_a_step_is_not_differentiated(differentiate: Callable[..., Any]) -> None:
    step = NETWORKS["seminar"]().compile()
    X, t = samples("seminar")
    for _ in range(2):
        with pytest.raises(TypeError, match="takes arrays; differentiate the graph itself"):
            differentiate(lambda x: step(x, t), X)
        assert_same(NETWORKS["seminar"](), step, X, t)


def test_a_layer_that_only_counts_its_calls_is_refused_since_a_program_would_not() -> None:
    class Counted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.calls = 0

        def forward(self, x: Any) -> Any:
            self.calls += 1
            return np.tanh(x)

    counted, x = Counted(), nn.Input("x", requires_grad=True)
    graph, X = nn.Graph([x], counted(x).sum()), np.arange(3.0)
    with pytest.raises(TypeError, match=r"changes self\.calls, which a program would not"):
        graph.compile()(X)
    _, gradient = graph.gradient(X)(X)
    np.testing.assert_allclose(gradient, 1 - np.tanh(X) ** 2)
    assert counted.calls == 0


def test_parameters_of_float16_are_trained_without_compilation_alone() -> None:
    x = nn.Input("x")
    linear = nn.Linear(3, 1, dtype=np.float16, rng=0)
    graph = nn.Graph([x], linear(x).sum())
    with pytest.raises(TypeError, match="float16 cannot share a vector; take float32"):
        graph.compile()
    graph(np.ones((2, 3), np.float16))
    graph.backward()
    np.testing.assert_array_equal(linear.weight.grad, np.full((3, 1), 2, np.float16))


@pytest.mark.parametrize(
    "value", [np.ones((4, 3)), np.ones((2, 4)), np.ones((4, 2), np.float32)], ids=str
)
def test_a_parameter_of_another_shape_or_dtype_asks_for_another_program(value: Any) -> None:
    def build() -> tuple[nn.Graph, nn.Linear]:
        x, linear = nn.Input("x"), nn.Linear(4, 2, bias=False, rng=0)
        return nn.Graph([x], linear(x).sum()), linear

    X = np.random.default_rng(0).normal(size=(3, 4))
    (graph, linear), (plain, _) = build(), build()
    step, weight = graph.compile(), linear.weight.value
    assert_same(plain, step, X)
    linear.weight.value = value
    with pytest.raises(ValueError, match=r"compiled for float64\[4, 2\]: compile it again"):
        step(X)
    linear.weight.value = weight.copy()
    assert_same(plain, step, X)
