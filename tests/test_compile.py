"""graph.compile(): a program that gives what the interpretation of the graph gives."""

from __future__ import annotations

import copy
import pickle
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from catalogue import CASES, Case
from helpers import FLOATS, ROUNDING, data, seminar
from hypothesis import given, settings, strategies as st
from numpy.typing import DTypeLike

import nnlite as nn
from nnlite.compiler.step import PROGRAMS

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
    if not graph.output.requires_grad:
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
OPTIMIZERS: dict[str, Callable[[Any], nn.Optimizer]] = {
    "SGD": lambda parameters: nn.SGD(parameters, 0.1, weight_decay=0.01),
    "momentum": lambda parameters: nn.SGD(parameters, 0.1, momentum=0.9, dampening=0.1),
    "Nesterov": lambda parameters: nn.SGD(parameters, 0.1, momentum=0.9, nesterov=True),
    "Adam": lambda parameters: nn.Adam(parameters, 0.01),
    "AdamW": lambda parameters: nn.AdamW(parameters, 0.01),
    "RMSprop": lambda parameters: nn.RMSprop(parameters, 0.01, momentum=0.5, centered=True),
    "Adagrad": lambda parameters: nn.Adagrad(parameters, 0.1),
}


def samples(network: str, m: int = 7, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(m, 5))
    return X, rng.integers(0, 2, (m, 1)) * 1.0 if network == "seminar" else rng.integers(0, 3, m)


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


def test_what_is_changed_between_two_steps_counts() -> None:
    def changes(graph: nn.Graph) -> list[Callable[[], Any]]:
        sequential = next(m for m in graph.modules() if isinstance(m, nn.Sequential))
        first, norm, _, dropout, last = sequential.layers
        generator = np.random.default_rng(0)
        return [
            lambda: setattr(dropout, "p", 0.7),
            lambda: setattr(norm, "momentum", 0.5),
            lambda: graph.eval(),
            lambda: setattr(norm, "running_mean", np.arange(6.0)),
            lambda: graph.train(),
            lambda: setattr(first.weight, "value", generator.normal(size=(5, 6))),
            lambda: graph.load_state_dict({n: a / 2 for n, a in graph.state_dict().items()}),
            lambda: last.weight.value.__setitem__(0, 7.0),
        ]

    graph, compiled = NETWORKS["noise"](), NETWORKS["noise"]()
    step = compiled.compile()
    assert_same(graph, step, *samples("noise"))
    for one, other in zip(changes(graph), changes(compiled)):
        one()
        other()
        assert_same(graph, step, *samples("noise"))
        assert_same(graph, step, *samples("noise", 4))


def test_a_constant_and_an_attribute_of_ones_own_layer_are_read_anew() -> None:
    def build() -> tuple[nn.Graph, nn.Constant, Net]:
        x, net, weight = nn.Input("x"), Net(), nn.Constant(np.arange(8.0))
        return nn.Graph([x], (net(x) * weight).sum()), weight, net

    (graph, *of_graph), (compiled, *of_compiled) = build(), build()
    step, (X, _) = compiled.compile(), samples("")
    assert_same(graph, step, X)
    for weight, net in (of_graph, of_compiled):
        weight.value = np.ones(8)
        net.scale = 3.0
    assert_same(graph, step, X)


def test_evaluating_the_graph_between_steps_does_no_harm() -> None:
    graph, step = NETWORKS["composite"](), NETWORKS["composite"]().compile()
    assert_same(graph, step, *samples(""))
    program = step.source
    for seed in range(3):
        step.graph(*samples("", 4, seed))
        assert_same(graph, step, *samples(""))
    assert step.source == program


def test_a_parameter_that_was_replaced_is_not_overlooked() -> None:
    x = nn.Input("x")
    linear = nn.Linear(5, 1, rng=0)
    step = nn.Graph([x], linear(x).sum()).compile()
    step(samples("")[0])
    linear.weight = nn.Parameter(np.ones((5, 1)))
    with pytest.raises(TypeError, match="which is not among its parameters; declare"):
        step(samples("")[0])


def test_backward_after_an_optimisers_step_on_the_vector_raises() -> None:
    graph = NETWORKS["perceptron"]()
    step, sgd = graph.compile(), nn.SGD(graph.parameters(), 1e-12)
    step(*samples(""))
    graph(*samples(""))
    sgd.step()  # so small a step that no value may have changed
    with pytest.raises(RuntimeError, match="was given a new value after the forward pass"):
        graph.backward()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda item: pickle.loads(pickle.dumps(item))])
def test_a_copy_trains_on_its_own(copied: Callable[[Any], Any]) -> None:
    graph = NETWORKS["perceptron"]()
    step, adam = graph.compile(), nn.Adam(graph.parameters(), 0.01)
    for seed in range(3):
        step(*samples("", seed=seed))
        adam.step()
    expected = NETWORKS["perceptron"]()
    expected.load_state_dict(graph.state_dict())
    after = nn.Adam(expected.parameters(), 0.01)
    after.load_state_dict(adam.state_dict())
    before = graph.state_dict()
    other, its_adam = copied((step, adam))
    for run, optimizer in ((other, its_adam), (expected.compile(), after)):
        run(*samples("", seed=3))
        optimizer.step()
    for name, array in other.graph.state_dict().items():
        np.testing.assert_array_equal(array, expected.state_dict()[name])
        np.testing.assert_array_equal(graph.state_dict()[name], before[name])
        assert not np.array_equal(array, before[name])


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
