"""Programs are kept by the shapes and the state that they were written for, and hold no guard."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from programs import NETWORKS, assert_same, classifier, samples

import nnlite as nn
from nnlite.compiler.program import Program
from nnlite.compiler.step import PROGRAMS


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Program]:
    """Every program that is written."""
    programs: list[Program] = []
    original: Callable[..., None] = Program.__init__

    def init(self: Program, *args: Any) -> None:
        original(self, *args)
        programs.append(self)

    monkeypatch.setattr(Program, "__init__", init)
    return programs


def test_to_and_fro_between_training_and_evaluation_writes_nothing_anew(
    written: list[Program],
) -> None:
    graph, step = NETWORKS["noise"](), NETWORKS["noise"]().compile()
    sources: dict[bool, str] = {}
    for turn in range(6):
        for mode in (True, False):
            graph.train(mode)
            step.graph.train(mode)
            assert_same(graph, step, *samples("noise"))
            assert step.source == sources.setdefault(mode, step.source)
        assert len(written) == 2, turn
    assert sources[True] != sources[False]


@settings(max_examples=30, deadline=None)
@given(
    choices=st.lists(
        st.tuples(st.booleans(), st.sampled_from([0.0, 0.25]), st.sampled_from([4, 7])), max_size=12
    )
)
def test_each_combination_is_written_once(choices: list[tuple[bool, float, int]]) -> None:
    def build() -> tuple[nn.Graph, nn.LeakyReLU]:
        bend = nn.LeakyReLU()
        layers = nn.Linear(5, 6, bias=False, rng=0), nn.BatchNorm1d(6), bend, nn.Linear(6, 3, rng=1)
        return classifier(*layers), bend

    (graph, of_graph), (compiled, of_compiled) = build(), build()
    step = compiled.compile()
    for mode, slope, m in choices:
        for each, bend in ((graph, of_graph), (compiled, of_compiled)):
            each.train(mode)
            bend.negative_slope = slope
        assert_same(graph, step, *samples("", m))
    assert len(set(choices)) <= PROGRAMS
    assert len(step._programs) == len(set(choices))


@pytest.mark.parametrize("network", NETWORKS)
def test_a_program_holds_no_guard(network: str) -> None:
    """No branch but that of a check of values, and no way out but the last line."""
    step = NETWORKS[network]().compile()
    step(*samples(network))
    (function,) = ast.parse(step.source).body
    assert isinstance(function, ast.FunctionDef)
    assert isinstance(function.body[-1], ast.Return)
    for line in function.body[:-1]:
        if isinstance(line, ast.If):
            (call,) = map(ast.unparse, line.body)
            assert call.startswith("check")
            assert not line.orelse
        else:
            assert isinstance(line, ast.Assign | ast.Expr | ast.For)
    assert "return" not in step.source.rpartition("\n    return ")[0]


class Block(nn.Module):
    """A stranger's composite with a layer whose buffers change."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.norm = nn.Linear(5, 6, bias=False, rng=0), nn.BatchNorm1d(6)

    def forward(self, x: Any) -> Any:
        return np.tanh(self.norm(self.linear(x)))


def test_a_composite_of_a_layer_with_buffers_compiles() -> None:
    graph, compiled = (classifier(Block(), nn.Linear(6, 3, rng=1)) for _ in range(2))
    step = compiled.compile()
    for _ in range(3):
        assert_same(graph, step, *samples(""))
    for name, value in graph.state_dict().items():
        np.testing.assert_allclose(compiled.state_dict()[name], value, rtol=1e-12)


def test_a_program_of_a_state_that_came_back_reads_what_changed_meanwhile() -> None:
    graph, step = NETWORKS["noise"](), NETWORKS["noise"]().compile()
    assert_same(graph, step, *samples("noise"))
    for each in (graph, step.graph):
        each.eval()
    assert_same(graph, step, *samples("noise"))
    for each in (graph, step.graph):
        for parameter in each.parameters():
            parameter.value = parameter.value * 1.5
        norm = next(m for m in each.modules() if isinstance(m, nn.BatchNorm1d))
        norm.running_mean = norm.running_mean + 1.0
        each.train()
    assert_same(graph, step, *samples("noise"))
    for each in (graph, step.graph):
        each.eval()
    assert_same(graph, step, *samples("noise"))
