"""The chain rule, vertex by vertex: every number of the table is one that back propagation used."""

import numpy as np
import pytest

import nnlite as nn


@pytest.fixture
def seminar():
    """The seminar's model of one feature, at one sample: all is scalar."""
    graph = nn.models.seminar_model(1, lam=0.1, rng=0)
    graph.inputs[0].requires_grad = False
    graph(np.array([[2.0]]), np.array([[1.0]]))
    graph.backward()
    return graph


class Bend(nn.Module):
    """y = gain · x³, with a backward of its own."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(np.array([0.5, 1.5, 1.0]))

    def forward(self, x):
        self.save_for_backward(x)
        return self.gain.value * x**3

    def backward(self, grad):
        (x,) = self.saved
        self.gain.accumulate_grad((grad * x**3).sum(axis=0))
        return grad * 3 * self.gain.value * x**2


class Composite(nn.Module):
    """A module with forward alone."""

    def __init__(self, bend):
        super().__init__()
        self.bend = bend

    def forward(self, x):
        return np.exp(-self.bend(x)) * x


@pytest.fixture
def shared():
    """One layer at three vertices, one of them in a composite; a vertex that is multiplied by
    itself; and a vertex that is an output and has children."""
    x = nn.Input("x", requires_grad=True)
    bend = Bend()
    y = bend(x)
    square = y * y
    z = Composite(bend)(np.tanh(square)) + 0.1 * nn.L2()(bend.gain) + bend(y / 10)
    graph = nn.Graph([x], (z, y))
    rng = np.random.default_rng(0)
    graph(rng.normal(size=(4, 3)))
    graph.backward((rng.normal(size=(4, 3)), rng.normal(size=(4, 3))))
    return graph


@pytest.mark.parametrize("model", ["seminar", "shared"])
def test_the_contributions_add_up_to_the_gradient_of_every_vertex(model, request):
    graph = request.getfixturevalue(model)
    table = graph.explain()
    assert {row.name for row in table} == {n.name for n in graph.nodes if n.grad is not None}
    for row in table:
        seed = 0 if row.seed is None else row.seed
        total = sum((term.contribution for term in row.terms), start=seed)
        np.testing.assert_allclose(total, graph[row.name].grad, rtol=1e-14, atol=1e-15)
        np.testing.assert_allclose(row.grad, graph[row.name].grad, rtol=1e-14, atol=1e-15)
        assert row.value is graph[row.name].value


@pytest.mark.parametrize("model", ["seminar", "shared"])
def test_every_child_has_one_term(model, request):
    graph = request.getfixturevalue(model)
    for row in graph.explain():
        u = graph[row.name]
        children = [
            node.name
            for node in graph.nodes
            if any(u is feeding for feeding in (*node.parents, *node.parameters))
        ]
        assert sorted(term.child for term in row.terms) == sorted(children)


def test_rows_come_from_the_output_to_the_inputs(shared):
    order = [node.name for node in shared.nodes]
    places = [order.index(row.name) for row in shared.explain()]
    assert places == sorted(places, reverse=True)


def test_it_gives_the_numbers_that_one_finds_by_hand(seminar):
    table = seminar.explain()
    x, t, lam = 2.0, 1.0, 0.1
    w, b = seminar["weight"].value.item(), seminar["bias"].value.item()
    y = 1 / (1 + np.exp(-(w * x + b)))
    assert table["add"].seed == 1
    (at_y,) = table["y"].terms
    assert at_y.factor.item() == pytest.approx(2 * (y - t), rel=1e-14)  # ∂mse/∂y
    assert at_y.child_grad == 0.5
    (at_z,) = table["z"].terms
    assert at_z.factor.item() == pytest.approx(y * (1 - y), rel=1e-14)
    through = {term.child: term.contribution.item() for term in table["weight"].terms}
    assert through == pytest.approx({"z": (y - t) * y * (1 - y) * x, "l2": lam * w}, rel=1e-14)


def test_as_text_it_reads_as_on_the_slides(seminar):
    lines = str(seminar.explain()).splitlines()
    assert lines[0].split("  ")[0] == "vertex u"
    (mse,) = [line for line in lines if line.startswith("mse ")]
    assert mse.split()[2:] == ["∂f/∂divide", "·", "∂divide/∂mse", "1", "·", "0.5", "=", "0.5"]
    weight = next(k for k, line in enumerate(lines) if line.startswith("weight "))
    assert "∂f/∂l2 · ∂l2/∂weight" in lines[weight]
    assert "+ ∂f/∂z · ∂z/∂weight" in lines[weight + 1]
    assert lines[weight + 2].split()[0] == "="
    assert lines[-1] == "f = add. No gradient was asked for: x, t."


def test_long_arrays_show_their_first_entries_and_shape(shared):
    (line,) = [line for line in str(shared.explain()).splitlines() if line.startswith("x ")]
    assert "…] (4, 3)" in line


def test_in_a_notebook_it_is_a_table(seminar):
    html = seminar.explain()._repr_html_()
    assert html.count("<tr>") == 1 + len(seminar.explain())
    assert "∂f/∂mse · ∂mse/∂y" in html


def test_names_are_escaped_in_a_notebook():
    x = nn.Input("<x>", requires_grad=True)
    graph = nn.Graph([x], x * 2)
    graph(1.0)
    graph.backward()
    assert "&lt;x&gt;" in graph.explain()._repr_html_()


def test_it_changes_nothing(shared):
    before = [(node.value, node.grad) for node in shared.nodes]
    first = str(shared.explain())
    for node, (value, grad) in zip(shared.nodes, before, strict=True):
        assert node.value is value
        assert node.grad is grad
    assert str(shared.explain()) == first


def test_of_a_parameter_it_shows_the_last_pass_alone(seminar):
    expected = seminar.explain()["weight"].grad
    seminar.backward()
    np.testing.assert_array_equal(seminar.explain()["weight"].grad, expected)
    np.testing.assert_allclose(seminar["weight"].grad, 2 * expected, rtol=1e-15)


def test_a_derivative_that_is_infinite_where_nothing_comes_in_is_no_trouble():
    x = nn.Input("x", requires_grad=True)
    graph = nn.Graph([x], np.sqrt(x) * 0.0)
    graph(0.0)
    graph.backward()
    (term,) = graph.explain()["x"].terms
    assert (term.contribution, term.factor) == (0, np.inf)


@pytest.mark.parametrize("steps", ["", "f", "fbf", "fbk", "fbg"])
def test_it_needs_a_forward_and_a_backward_pass_just_before(steps):
    graph = nn.models.seminar_model(1, rng=0)
    data = np.ones((2, 1)), np.ones((2, 1))
    for step in steps:
        match step:
            case "f":
                graph(*data)
            case "b":
                graph.backward()
            case "k":
                graph(*data, keep=False)
            case "g":
                graph.gradient(*data)
    with pytest.raises(RuntimeError, match=r"call graph\(...\) and then graph.backward\(\) first"):
        graph.explain()


def test_after_a_step_of_training_it_asks_for_another_pass(seminar):
    nn.SGD(seminar.parameters(), lr=0.1).step()
    with pytest.raises(RuntimeError, match="run forward again"):
        seminar.explain()


def test_a_row_that_is_not_there_is_refused_and_the_others_named(seminar):
    with pytest.raises(KeyError, match="no row 'velocity'; there are add, "):
        seminar.explain()["velocity"]
