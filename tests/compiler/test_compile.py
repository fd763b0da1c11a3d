"""A compiled graph gives what the graph gives."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from catalogue import CASES
from helpers import FLOATS, ROUNDING, data
from hypothesis import given, settings, strategies as st
from numpy.typing import DTypeLike
from programs import NETWORKS, assert_same, samples
from references import Case

import nnlite as nn
from nnlite.compiler.step import PROGRAMS


def of_case(case: Case, dtype: DTypeLike) -> nn.Graph:
    """The case's module between two others, so that it has gradients to take and to give."""
    module = case.module(dtype)
    inputs = [x.astype(dtype if x.dtype.kind == "f" else x.dtype) for x in case.inputs]
    vertices = [nn.Input(f"x{i}", requires_grad=x.dtype.kind == "f") for i, x in enumerate(inputs)]
    value = case.module(dtype)(*inputs)
    weights = np.random.default_rng(1).normal(size=np.shape(value)).astype(value.dtype)
    return nn.Graph(vertices, (module(*vertices) * nn.Constant(weights)).sum())


@FLOATS
@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_module_compiled_gives_what_it_gives_interpreted(
    case: Case, dtype: DTypeLike
) -> None:
    inputs = [x.astype(dtype if x.dtype.kind == "f" else x.dtype) for x in case.inputs]
    graph, step = of_case(case, dtype), of_case(case, dtype).compile()
    if not graph.outputs[0].requires_grad:
        return
    for _ in range(2):
        assert_same(graph, step, *inputs)
        assert_same(graph, step, *[x[::-1] for x in inputs])
    for name, array in step.graph.state_dict().items():
        np.testing.assert_allclose(array, graph.state_dict()[name], rtol=ROUNDING[array.dtype])


def test_the_seminars_model_is_a_program_of_about_twenty_lines() -> None:
    model = nn.models.seminar_model(30, 1e-3, rng=0)
    step = model.compile()
    X, T = data(8)
    assert_same(nn.models.seminar_model(30, 1e-3, rng=0), step, X, T)
    lines = step.source.splitlines()
    calls = [line for line in lines if not line.strip().startswith(("if", "def", "vertex"))]
    assert len(calls) <= 24
    for words in ("# z, forward", "# y, backward", "grad_weight", "grad_bias", "return"):
        assert words in step.source


def test_it_is_the_same_program_text_every_time() -> None:
    sources = []
    for _ in range(2):
        step = nn.models.seminar_model(30, 1e-3, rng=0).compile()
        step(*data(8))
        sources.append(step.source)
    assert sources[0] == sources[1]


OPTIMIZERS: dict[str, Callable[[Any], nn.Optimizer]] = {
    "SGD": lambda parameters: nn.SGD(parameters, 0.1, weight_decay=0.01),
    "momentum": lambda parameters: nn.SGD(parameters, 0.1, momentum=0.9, dampening=0.1),
    "Nesterov": lambda parameters: nn.SGD(parameters, 0.1, momentum=0.9, nesterov=True),
    "Adam": lambda parameters: nn.Adam(parameters, 0.01),
    "AdamW": lambda parameters: nn.AdamW(parameters, 0.01),
    "RMSprop": lambda parameters: nn.RMSprop(parameters, 0.01, momentum=0.5, centered=True),
    "Adagrad": lambda parameters: nn.Adagrad(parameters, 0.1),
}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_with_it_is_training_without_it(network: str, optimizer: str) -> None:
    plain, compiled = NETWORKS[network](), NETWORKS[network]()
    step = compiled.compile()
    one, other = (OPTIMIZERS[optimizer](graph.parameters()) for graph in (plain, compiled))
    for i in range(30):
        inputs = samples(network, 7 if i % 5 else 4, seed=i)
        loss = plain(*inputs)
        one.zero_grad()
        plain.backward()
        one.step()
        assert step(*inputs) == pytest.approx(loss, rel=1e-9)
        other.step()
    for a, b in zip(plain.state_dict().values(), compiled.state_dict().values()):
        # 30 steps magnify rounding; Adam divides by the root of what may be tiny.
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10)
    assert one.state_dict().keys() == other.state_dict().keys()
    for name, item in one.state_dict().items():
        np.testing.assert_allclose(item, other.state_dict()[name], rtol=1e-7, atol=1e-10)


def test_an_optimiser_goes_on_from_a_state_saved_with_or_without_compilation() -> None:
    def trained(compile_first: bool, compile_then: bool) -> dict[str, np.ndarray]:
        graph = NETWORKS["perceptron"]()
        optimizer = nn.Adam(graph.parameters(), 0.01)
        for compiled in (compile_first, compile_then):
            run = graph.compile() if compiled else graph
            for i in range(5):
                run(*samples("", seed=i))
                if not compiled:
                    optimizer.zero_grad()
                    graph.backward()
                optimizer.step()
            state = optimizer.state_dict()
            optimizer = nn.Adam(graph.parameters(), 0.01)
            optimizer.load_state_dict(state)
        return graph.state_dict()

    expected = trained(False, False)
    for way in ((False, True), (True, False), (True, True)):
        for name, array in trained(*way).items():
            np.testing.assert_allclose(array, expected[name], rtol=1e-9, err_msg=str(way))


@pytest.mark.parametrize("network", ["perceptron", "composite", "noise"])
def test_inputs_of_every_shape_get_a_program_and_only_a_few_are_remembered(network: str) -> None:
    graph, step = NETWORKS[network](), NETWORKS[network]().compile()
    sizes = []
    for m in [*range(2, PROGRAMS + 6), 2, 3, 2]:
        assert_same(graph, step, *samples(network, m))
        sizes.append(step.size)
    assert len(step._programs) == PROGRAMS


def test_training_allocates_nothing_that_grows_with_the_number_of_steps() -> None:
    graph = NETWORKS["noise"]()
    step, optimizer = graph.compile(), nn.Adam(graph.parameters(), 1e-3)
    inputs = samples("noise")

    def train(steps: int) -> int:
        for _ in range(steps):
            step(*inputs)
            optimizer.step()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        train(1000)
        # Python's own caches may still take a few hundred bytes; one number a step would be 240 kB.
        assert abs(train(10_000) - train(1000)) < 4096
    finally:
        tracemalloc.stop()


ELEMENTWISE = (np.tanh, np.exp, np.negative, np.square, lambda a: np.where(a > 0, a, 0))
JOINED = (np.add, np.subtract, np.multiply, np.maximum, lambda a, b: a / (b * b + 1))

MOVED = (
    lambda a: a.T,
    lambda a: a[::-1],
    lambda a: a.reshape(-1)[::2].sum() * a,
    lambda a: np.broadcast_to(a.sum(axis=0), a.shape),
    lambda a: a.sum(axis=1, keepdims=True) * a,
    lambda a: a - a.max(axis=0),
    lambda a: np.concatenate([a[1:], a[:1]]),
    lambda a: a.mean(axis=1)[:, None] + a.mean(),
    lambda a: a @ a.T,
    lambda a: a.T.reshape(3, 3),
    lambda a: np.flip(a, 0) * np.roll(a, 1, axis=1),
    lambda a: np.diag(np.diag(a)) + np.tril(a),
    lambda a: a[np.array([2, 0, 0])],
    lambda a: np.take_along_axis(a, np.argsort(a, axis=1), axis=1),
    lambda a: np.squeeze(np.expand_dims(a, 0)).swapaxes(0, 1),
)


class Formula(nn.Module):
    """A random formula of 3 × 3 matrices: each of its parts feeds any number of later ones."""

    def __init__(self, choices: list[tuple[int, int, int, int]]) -> None:
        super().__init__()
        self.choices = choices
        # No sums that are 0 but for rounding, which would decide what is the larger of two.
        self.W = nn.Parameter(np.random.default_rng(5).normal(size=(3, 3)))

    def forward(self, x: Any) -> Any:
        parts = [x, self.W.value]
        for family, which, i, j in self.choices:
            a, b = parts[i % len(parts)], parts[j % len(parts)]
            if family == 0:
                new = ELEMENTWISE[which % len(ELEMENTWISE)](a / 4)
            elif family == 1:
                new = JOINED[which % len(JOINED)](a, b)
            else:
                new = MOVED[which % len(MOVED)](a)
            parts.append(np.tanh(new))
        return sum(parts[2:], parts[0] * parts[1]).sum()


NUMBERS = st.integers(0, 30)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 2), NUMBERS, NUMBERS, NUMBERS), max_size=14))
def test_any_formula_compiled_gives_what_it_gives_interpreted(
    choices: list[tuple[int, int, int, int]],
) -> None:
    def build() -> nn.Graph:
        x = nn.Input("x", requires_grad=True)
        return nn.Graph([x], Formula(choices)(x) + nn.L2()(x))

    graph, step = build(), build().compile()
    for seed in range(2):
        assert_same(graph, step, np.random.default_rng(seed).normal(size=(3, 3)))
