"""Every module of the library: values and derivatives, from one table."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from catalogue import CASES
from catalogue_checks import EVERY, assert_close, cast, is_float, of_floats, run, weights_like
from derivatives import central_difference, check_derivatives
from helpers import FLOATS, ROUNDING
from mistakes import MISTAKES
from numpy.typing import DTypeLike
from references import Case, Mistake

import nnlite as nn
from nnlite.core.primitives.base import Primitive
from nnlite.core.restoring import exchanged
from nnlite.graph.subgraph import Subgraph

pytestmark = pytest.mark.filterwarnings("error")
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
    if not graph.outputs[0].requires_grad:
        return
    _, *got = graph.gradient(*inputs)(*inputs)
    for grad, exact in zip(got, (*of_parameters, *of_inputs), strict=True):
        assert_close(grad, exact, 1e-13)
