"""``einsum``: every way of labelling axes, to second order."""

from typing import Any

import numpy as np
import pytest
from derivatives import check_derivatives
from hypothesis import given, settings, strategies as st
from matrices import check_against_autograd, normal

import nnlite as nn
from nnlite.autodiff import grad, vjp

FORMULAS: list[tuple[Any, ...]] = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ki, jk -> ij", (3, 2), (4, 3)),
    ("ba", (2, 3)),
    ("ij->", (2, 3)),
    ("ij->j", (2, 3)),
    ("ii", (3, 3)),
    ("ii->i", (3, 3)),
    ("ii->", (3, 3)),
    ("iii->i", (2, 2, 2)),
    ("iij->j", (2, 2, 3)),
    ("jiij->ij", (3, 2, 2, 3)),
    ("iij,jk->ik", (2, 2, 3), (3, 2)),
    ("ij,jj->i", (2, 3), (3, 3)),
    ("i,j->ij", (2,), (3,)),
    ("i,i->i", (3,), (3,)),
    ("ij,kl->il", (2, 3), (2, 3)),
    ("ij,kl", (2, 3), (2, 2)),
    ("i,ij,j", (2,), (2, 3), (3,)),
    ("ij,jk,kl->il", (2, 3), (3, 2), (2, 4)),
    ("ij,ij,ij->j", (2, 3), (2, 3), (2, 3)),
    (",i->i", (), (3,)),
    (",", (), ()),
    ("...ij,...jk->...ik", (2, 3), (3, 4)),
    ("...ij,...jk->...ik", (5, 2, 3), (3, 4)),
    ("...ij,...jk->...ik", (5, 1, 2, 3), (4, 3, 2)),
    ("...ij,jk", (5, 2, 3), (3, 4)),
    ("i...,i...->...", (3, 2, 4), (3, 4)),
    ("i...j->j...", (2, 5, 4, 3)),
    ("...ii->...i", (4, 3, 3)),
    ("...ii", (4, 2, 3, 3)),
    ("...,...", (2, 3), (3,)),
    ("...,...->...", (2, 1), (1, 3)),
    ("...i->i...", (3,)),
    ("ij,ij->i", (3, 1), (3, 4)),
    ("ij,ij->ij", (3, 1), (1, 4)),
    ("ij,jk->ik", (2, 1), (3, 4)),
    ("ij,jk->ik", (2, 3), (1, 4)),
    ("ij,ij,ij->", (3, 1), (1, 1), (1, 4)),
    ("ii,i->i", (3, 3), (1,)),
    ("ii,i->i", (1, 1), (3,)),
    ("ij->i", (3, 1)),
    ("ij,jk->ik", (2, 0), (0, 3)),
    ("ij->j", (0, 3)),
    ("ii->i", (0, 0)),
    ("ij,ij->i", (2, 1), (2, 0)),
]


@pytest.mark.parametrize("case", FORMULAS, ids=str)
def test_einsum_has_the_right_derivatives(case):
    subscripts, *shapes = case
    xs = [normal(*shape, seed=i) for i, shape in enumerate(shapes)]
    check_derivatives(lambda *xs: np.einsum(subscripts, *xs), *xs)


@pytest.mark.parametrize(
    "case",
    [
        case
        for case in FORMULAS
        if not any(
            part.count(label) > 1 for part in case[0].split("->")[0].split(",") for label in "ij"
        )
        and 1 not in {n for shape in case[1:] for n in shape}
    ],
    ids=str,
)
def test_einsum_agrees_with_autograd(case):
    subscripts, *shapes = case
    xs = [normal(*shape, seed=i) for i, shape in enumerate(shapes)]
    check_against_autograd(lambda m, *xs: m.einsum(subscripts, *xs), *xs)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_einsum_takes_any_formula(data):
    sizes = {label: data.draw(st.integers(0, 3), label) for label in "abcd"}
    operands, shapes = [], []
    for _ in range(data.draw(st.integers(1, 3))):
        labels = "".join(data.draw(st.lists(st.sampled_from("abcd"), max_size=3)))
        stretched = data.draw(st.sets(st.sampled_from("abcd"), max_size=1))
        operands.append(labels)
        shapes.append([1 if label in stretched else sizes[label] for label in labels])
    used = sorted(set("".join(operands)))
    output = "".join(data.draw(st.permutations(used))[: data.draw(st.integers(0, len(used)))])
    arrow = f"->{output}" if data.draw(st.booleans()) else ""
    xs = [normal(*shape, seed=i) for i, shape in enumerate(shapes)]
    subscripts = ",".join(operands) + arrow
    check_derivatives(lambda *xs: np.einsum(subscripts, *xs), *xs)


@pytest.mark.parametrize(
    "optimize", [True, False, "greedy", "optimal", ["einsum_path", (1, 2), (0, 1)]], ids=str
)
def test_einsum_passes_optimize_through(optimize):
    xs = normal(2, 3), normal(3, 4), normal(4, 2)
    check_derivatives(lambda *xs: np.einsum("ij,jk,kl->il", *xs, optimize=optimize), *xs)


def test_einsum_takes_lists_of_numbers_for_labels():
    a, b = normal(2, 3), normal(3, 4)
    stack = normal(5, 3, 3)
    check_derivatives(lambda a, b: np.einsum(a, [0, 1], b, [1, 2]), a, b)
    check_derivatives(lambda a, b: np.einsum(a, [0, 1], b, [1, 30], [30, 0]), a, b)
    check_derivatives(lambda a, b: np.einsum(a, [40, 5], b, [5, 2]), a, b)
    check_derivatives(lambda x: np.einsum(x, [Ellipsis, 0, 0], [0, Ellipsis]), stack)
    check_derivatives(lambda x: np.einsum(x, [..., 7, 7]), stack)
    check_derivatives(lambda x: np.einsum(a, [0, 1], x, [..., 1, 2]), stack)


def test_einsum_of_a_constant_and_a_variable_asks_only_for_the_variable():
    constant = np.arange(6).reshape(2, 3)
    check_derivatives(lambda x: np.einsum("ij,jk,ij->ki", constant, x, constant), normal(3, 4))


def test_einsum_of_the_same_array_twice_adds_its_gradients():
    check_derivatives(lambda x: np.einsum("ij,ik->jk", x, x), normal(3, 4))
    check_derivatives(lambda x: np.einsum("ij,ji", x, x), normal(3, 3))


def test_a_trace_has_the_identity_for_its_gradient():
    np.testing.assert_array_equal(grad(lambda x: np.einsum("ii", x))(normal(3, 3)), np.eye(3))


def test_a_wrong_formula_raises_as_in_numpy():
    for formula in ("ij,jk", "ij->ik", "ijk", "ij->jj"):
        with pytest.raises(ValueError, match=r"subscript|operands"):
            np.einsum(formula, normal(2, 3))
        with pytest.raises(ValueError, match=r"subscript|operands"):
            vjp(lambda x, formula=formula: np.einsum(formula, x), normal(2, 3))


def test_einsum_stands_in_declared_graphs():
    x = nn.Input("x", requires_grad=True)
    graph = nn.Graph([x], np.einsum("ijk,ijk->", x, x))
    graph(normal(2, 3, 4))
    graph.backward()
    np.testing.assert_array_equal(x.grad, 2 * normal(2, 3, 4))
