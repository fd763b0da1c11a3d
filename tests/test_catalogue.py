"""What holds for every module of the library, driven by the table in ``catalogue.py``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import catalogue
import numpy as np
import pytest
from catalogue import CASES, MISTAKES, Case, Mistake
from derivatives import central_difference, check_derivatives
from helpers import FLOATS, ROUNDING
from numpy.typing import DTypeLike

import nnlite as nn
from nnlite.core.guard import attributes, changed
from nnlite.core.primitives.base import Primitive
from nnlite.core.restoring import exchanged
from nnlite.graph.subgraph import Subgraph

pytestmark = pytest.mark.filterwarnings("error")

EVERY = pytest.mark.parametrize("case", CASES, ids=str)
OTHERS = (nn.Module, nn.Graph, nn.Sequential, Subgraph)
"""Modules that no formula belongs to, and that have tests of their own."""


def defined_modules() -> set[type[nn.Module]]:
    """Every public module class in every file of the package."""
    found = set()
    for file in pkgutil.walk_packages(nn.__path__, "nnlite."):
        if file.name.endswith("__main__") or file.name.startswith("nnlite.checking"):
            continue
        for name, item in vars(importlib.import_module(file.name)).items():
            if isinstance(item, type) and issubclass(item, nn.Module) and name[0] != "_":
                found.add(item)
    return {cls for cls in found if not issubclass(cls, Primitive)} - {*OTHERS}


def test_every_module_of_the_library_is_in_the_table() -> None:
    missing = defined_modules() - {type(case.module()) for case in CASES}
    assert not missing, f"give these a row in tests/catalogue.py: {missing}"


def test_every_module_of_the_library_has_a_slip_in_the_table() -> None:
    assert not defined_modules() - {mistake.of for mistake in MISTAKES}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: f"{m.of.__name__}: {m.message}")
def test_a_slip_is_explained(mistake: Mistake) -> None:
    with pytest.raises(mistake.error, match=mistake.message) as caught:
        mistake.slip()
    assert mistake.of.__name__ in str(caught.value)


def cast(inputs: Sequence[np.ndarray], dtype: DTypeLike) -> tuple[np.ndarray, ...]:
    """The floats among the inputs in a dtype, as arrays that cannot be written to."""
    arrays = tuple([x.astype(dtype if is_float(x) else x.dtype) for x in inputs])
    for x in arrays:
        x.flags.writeable = False
    return arrays


def is_float(x: np.ndarray) -> bool:
    return x.dtype.kind == "f"


def weights_like(y: Any, seed: int = 1) -> Any:
    """A gradient of the output to start from."""
    weights = np.random.default_rng(seed).normal(size=np.shape(y)).astype(y.dtype)
    weights.flags.writeable = False
    return weights


def run(module: nn.Module, inputs: Sequence[np.ndarray]) -> tuple[Any, list[Any], list[Any]]:
    """The value at one vertex, and the gradients of the float inputs and of the parameters."""
    vertices = [nn.Input(f"x{i}", requires_grad=is_float(x)) for i, x in enumerate(inputs)]
    graph = nn.Graph(vertices, module(*vertices))
    value = graph(*inputs)
    module.zero_grad()
    graph.backward(weights_like(value))
    return (
        value,
        [vertex.grad for vertex in vertices if vertex.requires_grad],
        [parameter.grad for parameter in module.parameters()],
    )


class WithParameters(nn.Module, of=__name__):
    """A new module of a case whose parameters are inputs too: the first of them.

    It counts as nnlite's own, since what it keeps is a module that is used nowhere else.
    """

    def __init__(self, case: Case) -> None:
        self.module = case.module()
        self.owned = self.module.parameters()

    def forward(self, *values: Any) -> Any:
        count = len(self.owned)
        vertex = nn.Node.alone(self.needs_input_grad[count:])
        own = dict(zip(self.owned, values))
        self.save_for_backward(vertex, own)
        with exchanged(own):
            return self.module._forward_at(vertex, values[count:])

    def backward(self, grad: Any) -> Any:
        vertex, own = self.saved
        self.module.zero_grad()
        with exchanged(own), self.module.at(vertex):
            grads = self.module.backward(grad)
        return (
            *[parameter.grad for parameter in own],
            *(grads if isinstance(grads, tuple) else (grads,)),
        )

    def parameters(self) -> list[nn.Parameter]:
        return []


def of_floats(case: Case, inputs: Sequence[np.ndarray]) -> tuple[Callable[..., Any], list[Any]]:
    """The module as a function of its parameters and float inputs; and the values of these."""
    parameters = [parameter.value for parameter in case.module().parameters()]
    count = len(parameters)

    def function(*values: Any) -> Any:
        remaining = iter(values[count:])
        merged = [next(remaining) if is_float(x) else x for x in inputs]
        return WithParameters(case)(*values[:count], *merged)

    return function, [*parameters, *[x for x in inputs if is_float(x)]]


def reference_of(case: Case) -> Callable[..., Any]:
    """The same of the reference."""

    def function(*values: Any) -> Any:
        module = case.module()
        parameters = module.parameters()
        remaining = iter(values[len(parameters) :])
        with exchanged(dict(zip(parameters, values))):
            inputs = [next(remaining) if is_float(x) else x for x in case.inputs]
            return case.reference(module, *inputs)

    return function


@cache
def gradients_of_reference(case: Case) -> list[np.ndarray]:
    """∂/∂x of the weighted sum of the reference, entry by entry, for parameters and inputs."""
    function, (_, values) = reference_of(case), of_floats(case, case.inputs)
    weights = weights_like(np.float64(function(*values)))
    found = []
    for i, value in enumerate(values):
        entries = []
        for unit in np.eye(value.size).reshape(-1, *value.shape):

            def along(s: float, i: int = i, unit: np.ndarray = unit) -> Any:
                moved = [*values[:i], values[i] + s * unit, *values[i + 1 :]]
                return np.sum(weights * function(*moved))

            entries.append(central_difference(along, 0.0, 1.0))
        found.append(np.reshape(entries, value.shape))
    return found


def assert_close(got: Any, expected: Any, tolerance: float) -> None:
    """`got` has the shape of what is expected, and its entries to a share of the largest."""
    assert np.shape(got) == np.shape(expected)
    scale = max(1.0, np.max(np.abs(expected), initial=0.0))
    assert np.max(np.abs(np.float64(got) - expected), initial=0.0) <= tolerance * scale


@EVERY
@FLOATS
def test_the_value_is_the_reference_s_in_the_dtype_of_the_input(
    case: Case, dtype: DTypeLike
) -> None:
    inputs = cast(case.inputs, dtype)
    module = case.module(dtype)
    value = module(*inputs)
    assert value.dtype == dtype
    expected = case.reference(
        case.module(dtype), *[np.float64(x) if is_float(x) else x for x in inputs]
    )
    assert_close(value, expected, ROUNDING[np.dtype(dtype)])


@EVERY
@FLOATS
def test_gradients_are_those_of_the_reference_in_the_dtype_of_the_input(
    case: Case, dtype: DTypeLike
) -> None:
    module = case.module(dtype)
    _, of_inputs, of_parameters = run(module, cast(case.inputs, dtype))
    assert all(grad.dtype == dtype for grad in (*of_inputs, *of_parameters))
    expected = gradients_of_reference(case)
    # Central differences of smooth functions are good to about 1e-11.
    tolerance = 1e-9 if dtype == np.float64 else 4 * ROUNDING[np.dtype(dtype)]
    for got, exact in zip((*of_parameters, *of_inputs), expected, strict=True):
        assert_close(got, exact, tolerance)


@EVERY
def test_first_and_second_derivatives_are_right_in_every_mixture_of_modes(case: Case) -> None:
    function, values = of_floats(case, case.inputs)
    check_derivatives(function, *values)


@EVERY
def test_the_tangent_is_that_of_the_reference(case: Case) -> None:
    function, values = of_floats(case, case.inputs)
    directions = [np.random.default_rng(i).normal(size=x.shape) for i, x in enumerate(values)]
    _, tangent = nn.jvp(function, values, directions)
    reference = reference_of(case)

    def along(s: float) -> Any:
        return reference(*[x + s * v for x, v in zip(values, directions)])

    assert_close(tangent, central_difference(along, 0.0, 1.0), 1e-9)


@EVERY
def test_its_derivative_graph_gives_the_gradients_of_backward(case: Case) -> None:
    inputs = cast(case.inputs, np.float64)
    _, of_inputs, of_parameters = run(case.module(), inputs)
    vertices = [nn.Input(f"x{i}", requires_grad=is_float(x)) for i, x in enumerate(inputs)]
    weights = nn.Constant(weights_like(case.module()(*inputs)))
    graph = nn.Graph(vertices, (case.module()(*vertices) * weights).sum())
    if not graph.output.requires_grad:
        return
    _, *got = graph.gradient(*inputs)(*inputs)
    for grad, exact in zip(got, (*of_parameters, *of_inputs), strict=True):
        assert_close(grad, exact, 1e-13)


@EVERY
def test_shared_by_two_vertices_it_has_the_gradients_of_both(case: Case) -> None:
    first, second = case.inputs, tuple([x[::-1] for x in case.inputs])
    vertices = [
        nn.Input(f"x{i}", requires_grad=is_float(x)) for i, x in enumerate((*first, *second))
    ]
    module = case.module()
    count = len(first)
    graph = nn.Graph(vertices, [module(*vertices[:count]), module(*vertices[count:])])
    values = graph(*first, *second)
    graph.backward(tuple(map(weights_like, values)))
    alone = case.module()  # a dropout draws its masks in the order of the vertices
    runs = [run(alone, first), run(alone, second)]
    for value, (expected, _, _) in zip(values, runs, strict=True):
        np.testing.assert_array_equal(value, expected)
    got = [vertex.grad for vertex in vertices if vertex.requires_grad]
    for grad, exact in zip(got, (*runs[0][1], *runs[1][1]), strict=True):
        assert_close(grad, exact, 1e-14)
    for parameter, a, b in zip(module.parameters(), runs[0][2], runs[1][2], strict=True):
        assert_close(parameter.grad, a + b, 1e-13)


@EVERY
def test_an_empty_batch_has_an_empty_result_or_is_refused(case: Case) -> None:
    inputs = [x[:0] for x in case.inputs]
    if case.empty is not None:
        with pytest.raises(ValueError, match=case.empty):
            case.module()(*inputs)
        return
    value, of_inputs, of_parameters = run(case.module(), inputs)
    shape = np.shape(case.module()(*case.inputs))
    assert np.shape(value) == ((0, *shape[1:]) if shape else ())
    assert [grad.shape for grad in of_inputs] == [x.shape for x in inputs if is_float(x)]
    assert not any(grad.any() for grad in of_parameters)


def spread(x: np.ndarray) -> np.ndarray:
    """x on every second place of every axis, backwards along the last."""
    y = np.zeros([2 * n for n in x.shape], x.dtype)
    places = tuple([slice(None, None, 2)] * (x.ndim - 1) + [slice(None, None, -2)])
    y[places] = x
    return y[places]


@EVERY
@pytest.mark.parametrize("layout", [np.asfortranarray, spread], ids=["Fortran", "strided"])
def test_the_layout_of_the_inputs_in_memory_does_not_matter(
    case: Case, layout: Callable[[np.ndarray], np.ndarray]
) -> None:
    expected = run(case.module(), case.inputs)
    got = run(case.module(), [layout(x) for x in case.inputs])
    for a, b in zip((got[0], *got[1], *got[2]), (expected[0], *expected[1], *expected[2])):
        assert_close(a, b, 1e-13)


@EVERY
@FLOATS
def test_where_it_saturates_value_and_derivatives_are_finite(case: Case, dtype: DTypeLike) -> None:
    given = case.extreme or tuple([np.where(x > 0, 1000.0, -1000.0) for x in case.inputs])
    inputs = [
        e if is_float(x) else x for e, x in zip((*given, *case.inputs[len(given) :]), case.inputs)
    ]
    module = case.module(dtype)
    value, of_inputs, of_parameters = run(module, cast(inputs, dtype))
    assert all(np.isfinite(item).all() for item in (value, *of_inputs, *of_parameters))
    with np.errstate(all="ignore"):
        expected = case.reference(case.module(dtype), *inputs)
    if np.isfinite(expected).all():
        assert_close(value, expected, ROUNDING[np.dtype(dtype)])
    if dtype == np.float64:
        check_consistency(*of_floats(case, inputs))


def check_consistency(function: Callable[..., Any], values: Sequence[np.ndarray]) -> None:
    """Both modes agree, and second derivatives are finite."""
    directions = [np.ones_like(x) for x in values]
    value, tangent = nn.jvp(function, values, directions)
    weights = weights_like(value)
    everything = tuple(range(len(values)))

    def scalar(*xs: Any) -> Any:
        return np.sum(weights * function(*xs))

    gradients = nn.grad(scalar, everything)(*values)
    size = sum(np.abs(g).sum() for g in gradients) + np.abs(weights * tangent).sum()
    difference = sum(g.sum() for g in gradients) - np.vdot(weights, tangent)
    assert abs(difference) <= 1e-13 * size
    _, curvatures = nn.jvp(nn.grad(scalar, everything), values, directions)
    assert all(np.isfinite(c).all() for c in curvatures)


@EVERY
def test_its_repr_shows_the_sizes_and_python_reads_it(case: Case) -> None:
    module = case.module()
    assert repr(module) == case.repr
    assert repr(eval(case.repr, vars(catalogue))) == case.repr


@EVERY
def test_forward_and_backward_keep_nothing_on_the_module(case: Case) -> None:
    module = case.module()
    names, before = set(vars(module)), attributes(module)
    run(module, cast(case.inputs, np.float64))
    module(*cast(case.inputs, np.float64))
    module.zero_grad()
    assert changed(before, attributes(module)) == []
    assert all(name[0] == "_" for name in set(vars(module)) - names)


@EVERY
def test_a_derivative_leaves_the_buffers_as_they_are(case: Case) -> None:
    module = case.module()
    before = {name: getattr(module, name) for name in module.buffers}

    def of_parameters(*values: Any) -> Any:
        with exchanged(dict(zip(module.parameters(), values))):
            return module._forward_at(nn.Node.alone(), case.inputs)

    parameters = [parameter.value for parameter in module.parameters()]
    if parameters:
        nn.jvp(of_parameters, parameters, parameters)
    if is_float(case.inputs[0]):
        nn.jvp(lambda x: module(x, *case.inputs[1:]), case.inputs[:1], case.inputs[:1])
    assert all(getattr(module, name) is old for name, old in before.items())
