"""S10: the computation of the derivative as a graph of Modules."""

import numpy as np
import pytest

import nnlite as nn


class Bend(nn.Module):
    """y = gain · x³, a layer as a stranger writes it: forward and backward, nothing else."""

    def __init__(self, features):
        super().__init__()
        self.gain = nn.Parameter(np.linspace(0.5, 1.5, features))

    def forward(self, x):
        self.save_for_backward(x)
        return self.gain.value * x**3

    def backward(self, grad):
        (x,) = self.saved
        self.gain.accumulate_grad((grad * x**3).sum(axis=0))
        return grad * 3 * self.gain.value * x**2


NUMBERS = np.random.default_rng(0).normal(size=1000)
POWERS_AGREE = all(np.array_equal(NUMBERS**p, np.power(NUMBERS, p)) for p in (2, 3))
"""Whether NumPy's operator and its function give the same bits; those of 2.0 do not."""


def assert_same(found, expected):
    if POWERS_AGREE:
        np.testing.assert_array_equal(found, expected)
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-16)


def data(batch=8, features=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(batch, features)), rng.integers(0, 2, size=(batch, 1)).astype(float)


@pytest.fixture
def seminar():
    graph = nn.models.seminar_model(5, lam=0.1, rng=0)
    return graph, *data()


@pytest.fixture
def shared():
    """A stranger's layer at two vertices, before and after a Linear, and regularised."""
    x, t = nn.Input("x", requires_grad=True), nn.Input("t")
    bend, linear = Bend(5), nn.Linear(5, 5, rng=1)
    y = bend(nn.Sigmoid()(linear(bend(x))))
    loss = nn.MSE()(y.sum(axis=1, keepdims=True), t) + 0.1 * nn.L2()(bend.gain)
    return nn.Graph([x, t], loss), *data()


def gradients(graph, X, t):
    """The loss and the gradients, by forward and backward."""
    loss = graph(X, t)
    graph.zero_grad()
    graph.backward()
    found = [p.grad for p in graph.parameters()]
    return [loss, *found, *[node.grad for node in graph.inputs if node.requires_grad]]


@pytest.mark.parametrize("model", ["seminar", "shared"])
def test_it_gives_bit_for_bit_what_backward_gives(model, request):
    graph, X, t = request.getfixturevalue(model)
    derivative = graph.gradient(X, t)
    for found, expected in zip(derivative(X, t), gradients(graph, X, t), strict=True):
        assert_same(found, expected)


@pytest.mark.parametrize("model", ["seminar", "shared"])
def test_it_runs_at_other_points_and_with_other_parameters(model, request):
    graph, X, t = request.getfixturevalue(model)
    derivative = graph.gradient(X, t)
    other_X, other_t = data(seed=1)
    for parameter in graph.parameters():
        parameter.value = parameter.value * 0.7
    for found, expected in zip(
        derivative(other_X, other_t), gradients(graph, other_X, other_t), strict=True
    ):
        assert_same(found, expected)


def test_it_is_specialised_to_shapes(seminar):
    graph, X, t = seminar
    derivative = graph.gradient(X, t)
    with pytest.raises(ValueError, match=r"where x has shape \(8, 5\), and here it has \(4, 5\)"):
        derivative(X[:4], t[:4])


def test_a_shape_that_depends_on_values_is_found_to_be_another_one():
    class Positive(nn.Module):
        def forward(self, x):
            return np.mean(np.flatnonzero(x > 0) * 1.0 * x[0] * x[0])

    x = nn.Input("x", requires_grad=True)
    derivative = nn.Graph([x], Positive()(x) * 1.0).gradient(np.array([1.0, -1.0, 2.0]))
    np.testing.assert_array_equal(derivative(np.array([2.0, -3.0, 1.0]))[1], [4.0, 0.0, 0.0])
    with pytest.raises(ValueError, match=r"has shape \(2,\), and here it has \(3,\)"):
        derivative(np.array([1.0, 2.0, 3.0]))


def test_that_of_the_seminars_model_is_about_what_one_would_write_by_hand(seminar):
    graph, X, t = seminar
    operations = [node for node in graph.gradient(X, t).nodes if node.module is not None]
    assert len(operations) <= 30
    assert all(
        type(node.module).__module__.startswith("nnlite.core.primitives") for node in operations
    )


def test_making_it_leaves_the_graph_as_it_was(seminar):
    graph, X, t = seminar
    expected = gradients(graph, X, t)
    before = [(node.value, node.grad) for node in graph.nodes]
    graph.gradient(*data(seed=1))
    for node, (value, grad) in zip(graph.nodes, before, strict=True):
        assert node.value is value
        assert node.grad is grad
    np.testing.assert_array_equal(gradients(graph, X, t)[1], expected[1])


@pytest.mark.parametrize("model", ["seminar", "shared"])
def test_differentiated_again_it_gives_the_hessian_vector_product(model, request):
    """S12 to the letter: ∇²f·v = ∇g with g = ⟨∇f, v⟩, against forward over reverse."""
    graph, X, t = request.getfixturevalue(model)
    objective = nn.Objective(graph, X, t)
    v = np.random.default_rng(2).normal(size=objective.size)
    exact = objective.hessp(objective.theta, v)

    derivative = graph.gradient(X, t)
    directions = objective.as_arrays(v)
    inner = sum(
        (derivative.outputs[1 + k] * direction).sum() for k, direction in enumerate(directions)
    )
    second = nn.Graph(derivative.inputs, inner).gradient(X, t)
    by_parameter = dict(zip(second.parameters(), second(X, t)[1:], strict=False))
    found = np.concatenate([by_parameter[p].ravel() for p in graph.parameters()])
    np.testing.assert_allclose(found, exact, rtol=1e-12, atol=1e-14)


def test_to_the_third_order_it_equals_nested_dual_numbers(shared):
    graph, X, t = shared
    v = np.random.default_rng(3).normal(size=X.shape)

    def order_by_order():
        derivative = graph
        for _ in range(3):
            gradient = derivative.gradient(X, t)
            inner = (gradient.outputs[-1] * v).sum()
            derivative = nn.Graph(gradient.inputs, inner)
        return derivative(X, t)

    f = lambda X: graph(X, t)
    along = lambda f: lambda X: nn.jvp(f, (X,), (v,))[1]
    assert order_by_order() == pytest.approx(along(along(along(f)))(X), rel=1e-12)


def test_a_strangers_layer_has_exact_hessian_vector_products(shared):
    graph, X, t = shared
    objective = nn.Objective(graph, X, t)
    rng = np.random.default_rng(4)
    v, w = rng.normal(size=(2, objective.size))
    theta = objective.theta
    h = 2.0**-12
    steps = [
        (objective.jac(theta + s * h * v) - objective.jac(theta - s * h * v)) / (2 * s * h)
        for s in (1, 2)
    ]
    central = (4 * steps[0] - steps[1]) / 3
    np.testing.assert_allclose(objective.hessp(theta, v), central, rtol=1e-8, atol=1e-8)
    assert w @ objective.hessp(theta, v) == pytest.approx(v @ objective.hessp(theta, w), rel=1e-12)


def test_a_branch_that_depends_on_values_is_refused():
    class Branch(nn.Module):
        def forward(self, x):
            self.save_for_backward(x)
            return 2 * x if x.sum() > 0 else 3 * x

        def backward(self, grad):
            return 2 * grad

    x = nn.Input("x", requires_grad=True)
    graph = nn.Graph([x], Branch()(x).sum())
    with pytest.raises(TypeError, match=r"np\.where"):
        graph.gradient(np.ones(3))
    assert graph(np.ones(3)) == 6


def test_its_vertices_are_named_after_those_whose_value_or_gradient_they_hold(seminar):
    graph, X, t = seminar
    derivative = graph.gradient(X, t)
    assert repr(derivative) == "Graph(x, t -> add, ∂add/∂weight, ∂add/∂bias, 31 vertices)"
    gradients(graph, X, t)
    derivative(X, t)
    for name in ("z", "y", "mse", "l2", "add"):
        np.testing.assert_array_equal(derivative[name].value, graph[name].value)
    for name in ("y", "z", "weight", "bias"):
        np.testing.assert_array_equal(derivative[f"∂add/∂{name}"].value, graph[name].grad)


def test_a_second_derivative_has_the_first_ones_name_in_brackets(seminar):
    graph, X, t = seminar
    derivative = graph.gradient(X, t)
    second = nn.Graph(derivative.inputs, derivative["∂add/∂weight"].sum()).gradient(X, t)
    assert "∂sum/∂(∂add/∂z)" in {node.name for node in second.nodes}


def test_it_leaves_the_names_of_the_parameters_as_they_are():
    x = nn.Input("x")
    graph = nn.Graph([x], nn.Linear(5, 1, rng=0)(x).sum())
    derivative = graph.gradient(np.ones((2, 5)))
    assert [node.name for node in graph.parameters()] == ["linear.weight", "linear.bias"]
    assert derivative["linear.weight"] is graph["linear.weight"]


def test_a_part_of_it_is_specialised_to_the_same_shapes(seminar):
    graph, X, t = seminar
    derivative = graph.gradient(X, t)
    part = nn.Graph(derivative.inputs, derivative.outputs[1])
    np.testing.assert_array_equal(part(X, t), derivative(X, t)[1])
    with pytest.raises(ValueError, match=r"where x has shape \(8, 5\)"):
        part(*data(batch=16))


def test_it_can_stand_in_another_graph(seminar):
    graph, X, t = seminar
    derivative = graph.gradient(X, t)
    x, target = nn.Input("x"), nn.Input("t")
    outer = nn.Graph([x, target], (derivative(x, target)[1] ** 2).sum())
    assert outer.parameters() == graph.parameters()
    assert outer(X, t) == pytest.approx(np.sum(derivative(X, t)[1] ** 2), rel=1e-15)


def test_an_unused_infinite_branch_passes_on_zero_at_other_points_too():
    x = nn.Input("x", requires_grad=True)
    graph = nn.Graph([x], np.where(x < 10, np.exp(x * x), 0).sum())
    derivative = graph.gradient(np.array([1.0, 2.0]))
    with np.errstate(over="ignore", invalid="ignore"):
        _, gradient = derivative(np.array([1.0, 200.0]))
    np.testing.assert_allclose(gradient, [2 * np.e, 0], rtol=1e-15)
