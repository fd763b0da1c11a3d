"""A graph as a function of one flat vector, and SciPy's optimisers on it."""

import numpy as np
import pytest
from scipy.optimize import minimize

import nnlite as nn


@pytest.fixture
def problem():
    """The seminar's model on the breast-cancer data."""
    data = nn.datasets.load_breast_cancer()
    X, t = nn.datasets.Standardizer.fit(data.X)(data.X), data.t
    graph = nn.models.seminar_model(30, lam=0.01, rng=0)
    return graph, nn.Objective(graph, X, t), X, t


def closed_form(theta, X, t, lam=0.01):
    """The seminar's f and ∇f for θ = (ω, b), averaged over the batch."""
    omega, b = theta[:-1], theta[-1]
    y = 1 / (1 + np.exp(-(X @ omega + b)))
    value = np.mean((y - t[:, 0]) ** 2) / 2 + lam * omega @ omega / 2
    z_bar = (y - t[:, 0]) * y * (1 - y) / len(X)
    return value, np.append(X.T @ z_bar + lam * omega, z_bar.sum())


def test_value_and_gradient_are_the_closed_forms(problem):
    _, objective, X, t = problem
    theta = np.random.default_rng(0).normal(size=31) / 5
    value, gradient = closed_form(theta, X, t)
    assert objective.fun(theta) == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(objective.jac(theta), gradient, rtol=1e-12, atol=1e-15)


def test_hessp_is_the_derivative_of_the_gradient(problem):
    _, objective, X, t = problem
    rng = np.random.default_rng(0)
    theta, v = rng.normal(size=(2, 31)) / 5
    columns = [objective.hessp(theta, e) for e in np.eye(31)]
    np.testing.assert_allclose(columns, np.transpose(columns), rtol=1e-10, atol=1e-15)
    h = 1e-5
    central = (closed_form(theta + h * v, X, t)[1] - closed_form(theta - h * v, X, t)[1]) / (2 * h)
    np.testing.assert_allclose(objective.hessp(theta, v), central, rtol=1e-7, atol=1e-10)


def test_leaves_parameters_gradients_and_vertices_as_they_were(problem):
    graph, objective, X, t = problem
    graph(X, t)
    graph.backward()
    before = [(node.value, node.grad) for node in graph.nodes]
    theta = objective.theta
    objective.fun(theta + 1)
    objective.jac(theta + 1)
    objective.hessp(theta + 1, theta)
    for node, (value, grad) in zip(graph.nodes, before, strict=True):
        assert node.value is value
        assert node.grad is grad
    np.testing.assert_array_equal(objective.theta, theta)


def test_a_backward_pass_after_it_asks_for_a_forward_pass(problem):
    graph, objective, X, t = problem
    graph(X, t)
    objective.jac(objective.theta)
    with pytest.raises(RuntimeError, match="forward pass"):
        graph.backward()


def test_store_gives_the_parameters_the_values(problem):
    graph, objective, _, _ = problem
    theta = np.arange(31.0)
    objective.store(theta)
    np.testing.assert_array_equal(objective.theta, theta)
    assert [p.shape for p in graph.parameters()] == [(30, 1), (1,)]


@pytest.mark.parametrize("method", ["trust-ncg", "Newton-CG"])
def test_scipys_second_order_methods_train_the_seminars_model(problem, method):
    graph, objective, X, t = problem
    result = minimize(
        objective.fun,
        objective.theta,
        jac=objective.jac,
        hessp=objective.hessp,
        method=method,
        options={"gtol": 1e-8} if method == "trust-ncg" else {"xtol": 1e-10},
    )
    assert np.linalg.norm(closed_form(result.x, X, t)[1]) < 1e-6
    objective.store(result.x)
    graph(X, t)
    assert np.mean((graph["y"].value > 0.5) == t) > 0.97


def test_float32_parameters_stay_float32():
    graph = nn.models.seminar_model(3, lam=0.1, dtype=np.float32, rng=0)
    objective = nn.Objective(graph, np.ones((2, 3), np.float32), np.ones((2, 1), np.float32))
    objective.store(objective.theta - 0.1 * objective.jac(objective.theta))
    assert {p.value.dtype for p in graph.parameters()} == {np.dtype(np.float32)}
    assert objective.hessp(objective.theta, np.ones(4)).dtype == np.float64


def test_a_vector_of_another_length_is_refused(problem):
    with pytest.raises(ValueError, match=r"shape \(31,\).*got \(30,\)"):
        problem[1].fun(np.zeros(30))


def test_a_graph_without_parameters_is_refused():
    x = nn.Input("x")
    with pytest.raises(ValueError, match="no parameters"):
        nn.Objective(nn.Graph([x], x.sum()), np.ones(3))
