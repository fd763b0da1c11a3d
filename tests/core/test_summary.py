"""The table of a graph or a module."""

import numpy as np

import nnlite as nn


def network():
    return nn.Sequential(
        nn.Flatten(), nn.Linear(64, 32, rng=0), nn.ReLU(), nn.Linear(32, 10, rng=1)
    )


def test_a_graphs_has_a_row_for_each_input_and_operation():
    graph = nn.models.seminar_model(30, lam=0.001, rng=0)
    assert [row.name for row in graph.summary()] == [
        node.name for node in graph.nodes if not isinstance(node, nn.Parameter | nn.Constant)
    ]
    assert {row.shape for row in graph.summary()} == {None}


def test_after_a_forward_pass_it_tells_shapes_and_stored_bytes():
    graph = nn.models.seminar_model(30, lam=0.001, rng=0)
    summary = graph.summary(np.ones((8, 30)), np.ones((8, 1)))
    rows = {row.name: row for row in summary}
    assert rows["z"].module == "Linear(30, 1)"
    assert rows["z"].shape == (8, 1)
    assert rows["z"].parameters == 31
    assert summary.parameters == 31
    assert summary.stored == graph.memory().total
    line = next(line for line in str(summary).splitlines() if line.startswith("z "))
    assert line.split() == ["z", "Linear(30,", "1)", "(8,", "1)", "31", "64"]


def test_a_composites_tells_what_its_forward_called():
    rows = network().summary(np.ones((5, 8, 8)))
    assert [(row.name, row.shape) for row in rows] == [
        ("input", (5, 8, 8)),
        ("flatten", (5, 64)),
        ("linear", (5, 32)),
        ("relu", (5, 32)),
        ("linear_2", (5, 10)),
    ]
    assert rows.parameters == 64 * 32 + 32 + 32 * 10 + 10


def test_without_inputs_a_modules_lists_the_modules_in_it():
    rows = network().summary()
    assert [row.module for row in rows] == [
        "Flatten()",
        "Linear(64, 32)",
        "ReLU()",
        "Linear(32, 10)",
    ]
    assert rows.parameters == 2410


def test_parameters_that_two_vertices_share_count_once():
    linear, x = nn.Linear(3, 3, rng=0), nn.Input("x")
    graph = nn.Graph([x], linear(linear(x)))
    assert graph.summary().parameters == 12


def test_in_a_notebook_it_is_a_table():
    summary = network().summary(np.ones((5, 8, 8)))
    html = summary._repr_html_()
    assert html.count("<tr>") == len(summary) + 2
    assert "Linear(64, 32)" in html
