"""Every module of the library, used as people use it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import catalogue
import numpy as np
import pytest
from catalogue_checks import EVERY, assert_close, cast, is_float, of_floats, run, weights_like
from helpers import FLOATS, ROUNDING
from numpy.typing import DTypeLike
from references import Case

import nnlite as nn
from nnlite.core.guard import attributes, changed
from nnlite.core.restoring import exchanged

pytestmark = pytest.mark.filterwarnings("error")


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
            return module._forward_at(nn.Node._alone(), case.inputs)

    parameters = [parameter.value for parameter in module.parameters()]
    if parameters:
        nn.jvp(of_parameters, parameters, parameters)
    if is_float(case.inputs[0]):
        nn.jvp(lambda x: module(x, *case.inputs[1:]), case.inputs[:1], case.inputs[:1])
    assert all(getattr(module, name) is old for name, old in before.items())
