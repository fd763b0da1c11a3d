"""A derivative graph between whose runs something changes: right, or an error; never stale."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import nnlite as nn

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 2))


class Scale(nn.Module):
    """y = factor · x, where the factor is an attribute of a stranger's layer."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = 1.5

    def forward(self, x: Any) -> Any:
        return self.factor * x

    def backward(self, grad: Any) -> Any:
        return self.factor * grad


class Model:
    """A graph with all that a derivative graph may rest on besides inputs and parameters."""

    def __init__(self) -> None:
        x, t = nn.Input("x", requires_grad=True), nn.Input("t")
        self.norm, self.bend, self.scale = nn.BatchNorm1d(3), nn.LeakyReLU(), Scale()
        self.linear, self.constant = nn.Linear(3, 2, rng=0), nn.Constant(np.array([1.0, 2.0]))
        y = self.scale(self.bend(self.linear(self.norm(x))))
        self.graph = nn.Graph([x, t], nn.MSE()(y * self.constant, t)).eval()

    def gradients(self) -> list[Any]:
        """What forward and backward give now."""
        self.graph.zero_grad()
        value = self.graph(X, T)
        self.graph.backward()
        return [value, *[p.grad for p in self.graph.parameters()], self.graph.inputs[0].grad]


def of_buffer(name: str, number: float) -> Callable[[Model], None]:
    return lambda model: setattr(model.norm, name, np.full(3, 0.5 + number))


def in_place(name: str, number: float) -> Callable[[Model], None]:
    def change(model: Model) -> None:
        getattr(model.norm, name)[...] += number

    return change


NUMBERS = st.sampled_from([0.25, 1.0, 2.5])
READ_ANEW: dict[str, Callable[[float], Callable[[Model], Any]]] = {
    "another mean": lambda a: of_buffer("running_mean", a),
    "another variance": lambda a: of_buffer("running_var", a),
    "the mean in place": lambda a: in_place("running_mean", a),
    "the variance in place": lambda a: in_place("running_var", a),
    "a parameter": lambda a: lambda model: setattr(model.linear.bias, "value", np.full(2, a)),
    "a pass of the graph itself": lambda a: lambda model: model.gradients(),
}
RECORDED: dict[str, Callable[[float], Callable[[Model], Any]]] = {
    "the mode": lambda a: lambda model: model.graph.train(a < 1.0),
    "the mode of one layer": lambda a: lambda model: model.norm.train(a < 1.0),
    "a slope": lambda a: lambda model: setattr(model.bend, "negative_slope", a / 10),
    "epsilon": lambda a: lambda model: setattr(model.norm, "eps", a * 1e-3),
    "an attribute of a stranger's layer": lambda a: lambda model: setattr(model.scale, "factor", a),
    "a constant": lambda a: lambda model: setattr(model.constant, "value", np.array([a, 1.0])),
    "a constant in place": lambda a: lambda model: model.constant.value.__iadd__(a),
}
USES = ("as it is", "composed", "compiled", "its own derivative", "a function")
COPIES: dict[str, Callable[[Any], Any]] = {
    "copied": copy.deepcopy,
    "pickled": lambda item: pickle.loads(pickle.dumps(item)),
}


def used(derivative: nn.Graph, use: str) -> Callable[[], Any]:
    """A way to use a derivative graph; it gives the loss and the gradient of W, or their sum."""
    if use == "as it is":
        return lambda: derivative(X, T)[:2]
    x, t = nn.Input("x"), nn.Input("t")
    loss, weight, *_ = derivative(x, t)
    if use == "composed":
        composed = nn.Graph([x, t], [loss, weight])
        return lambda: composed(X, T)
    summed = nn.Graph([x, t], loss + weight.sum())
    if use == "compiled":
        step = summed.compile()
        return lambda: step(X, T)
    if use == "its own derivative":
        second = summed.gradient(X, T)
        return lambda: second(X, T)[0]
    return lambda: nn.vjp(lambda x: summed(x, T), X)[0]


def flat(values: Any) -> Any:
    parts = values if isinstance(values, tuple) else (values,)
    return np.hstack([np.ravel(part) for part in parts])


def check(model: Model, found: Callable[[], Any]) -> bool:
    """Whether the derivative graph gave values; if so, they are those of forward and backward."""
    buffers = model.norm.running_mean.copy(), model.norm.running_var.copy()
    try:
        values = found()
    except ValueError as error:
        if "build another with graph.gradient(...)" not in str(error):
            raise
        return False
    model.norm.running_mean, model.norm.running_var = buffers  # which training changes
    loss, weight, *_ = model.gradients()
    model.norm.running_mean, model.norm.running_var = buffers
    expected = (loss, weight) if isinstance(values, tuple) else loss + weight.sum()
    np.testing.assert_allclose(flat(values), flat(expected), rtol=1e-12, atol=1e-14)
    return True


def some_of(changes: Any) -> Any:
    return st.lists(st.tuples(st.sampled_from(sorted(changes)), NUMBERS), max_size=4)


@pytest.mark.parametrize("use", USES)
@settings(max_examples=40, deadline=None)
@given(changes=some_of(READ_ANEW))
def test_buffers_and_parameters_are_read_where_they_are(
    use: str, changes: list[tuple[str, float]]
) -> None:
    model = Model()
    found = used(model.graph.gradient(X, T), use)
    assert check(model, found)
    for name, number in changes:
        READ_ANEW[name](number)(model)
        assert check(model, found)


@pytest.mark.parametrize("use", USES)
@settings(max_examples=40, deadline=None)
@given(changes=some_of(READ_ANEW | RECORDED))
def test_whatever_else_changes_it_is_right_or_raises(
    use: str, changes: list[tuple[str, float]]
) -> None:
    model = Model()
    found = used(model.graph.gradient(X, T), use)
    for name, number in changes:
        (READ_ANEW | RECORDED)[name](number)(model)
        check(model, found)


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("name", RECORDED)
def test_it_raises_and_goes_on_where_the_change_is_taken_back(use: str, name: str) -> None:
    model = Model()
    found = used(model.graph.gradient(X, T), use)
    parts = (model.norm, model.bend, model.scale)
    attributes = [(part, dict(vars(part))) for part in parts]
    constant, numbers = model.constant.value, model.constant.value.copy()
    RECORDED[name](2.5)(model)
    if "mode" in name:
        RECORDED[name](0.25)(model)
    assert not check(model, found)
    for part, before in attributes:
        vars(part).update(before)
    model.graph.eval()
    model.constant.value = constant
    constant[...] = numbers
    assert check(model, found)


@pytest.mark.parametrize("how", COPIES)
@settings(max_examples=40, deadline=None)
@given(before=some_of(READ_ANEW | RECORDED), after=some_of(READ_ANEW | RECORDED))
def test_a_copy_is_right_or_raises_as_the_original_does(
    how: str, before: list[tuple[str, float]], after: list[tuple[str, float]]
) -> None:
    """A model and its derivative graph, copied together, go ways of their own."""
    model = Model()
    derivative = model.graph.gradient(X, T)
    for name, number in before:
        (READ_ANEW | RECORDED)[name](number)(model)
    was_right = check(model, used(derivative, "as it is"))
    twin, twins = COPIES[how]((model, derivative))
    assert check(twin, used(twins, "as it is")) == was_right
    for name, number in after:
        (READ_ANEW | RECORDED)[name](number)(twin)
        if check(twin, used(twins, "as it is")):
            assert was_right
    assert check(model, used(derivative, "as it is")) == was_right


def test_a_derivative_graph_is_loaded_by_another_process() -> None:
    class_free = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 2, rng=0), nn.GELU(), nn.Sigmoid())
    x = nn.Input("x", requires_grad=True)
    graph = nn.Graph([x], (np.sinc(class_free(x)) ** 2.5 + 2.0 ** class_free(x)).sum()).eval()
    derivative = graph.gradient(X)
    code = "import pickle, sys, numpy as np; d, X = pickle.load(sys.stdin.buffer); "
    code += "sys.stdout.buffer.write(pickle.dumps(d(X)))"
    shown = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps((derivative, X)),
        check=True,
        capture_output=True,
    )
    for found, expected in zip(pickle.loads(shown.stdout), derivative(X), strict=True):
        np.testing.assert_array_equal(found, expected)
