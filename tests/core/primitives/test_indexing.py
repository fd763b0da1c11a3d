"""Indexing, its transposed, and the operators and methods of nodes and duals."""

from typing import Any

import autograd
import autograd.numpy as hips
import numpy as np
import pytest
from derivatives import check_derivatives
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import array_shapes, basic_indices, integer_array_indices

import nnlite as nn
from nnlite.autodiff import grad, jvp, vjp
from nnlite.core.primitives.indexing import scatter

quick = settings(max_examples=40, deadline=None)
SHAPE = (3, 4, 2)


def sample(*shape, rng=0):
    return np.random.default_rng(rng).normal(size=shape)


def squared(f):
    def of(*xs):
        y = f(*xs)
        return y * y

    return of


KEYS = {
    "an int": 1,
    "a negative int": -2,
    "a NumPy int": np.int64(1),
    "ints": (1, -1),
    "all ints": (1, 2, 0),
    "a slice": slice(1, None),
    "a slice backwards": (slice(None), slice(None, None, -2)),
    "an empty slice": slice(5, None),
    "Ellipsis": (..., 1),
    "None": (None, 0, None),
    "nothing": (),
    "a list": [0, 2, 0],
    "an empty list": [],
    "an array": np.array([[0, 2], [2, 2]]),
    "negative indices that are the same": np.array([0, -3]),
    "an array of one index": np.array([1]),
    "arrays": (np.array([0, 1]), np.array([3, 3])),
    "arrays that broadcast": (np.array([[0], [1]]), np.array([3, 3])),
    "arrays apart": (np.array([0, 1]), slice(None), np.array([1, 1])),
    "an array, a slice and an int": (np.array([0, 0]), slice(1, 3), 1),
    "a list among slices": (slice(None), [1, 1, 3]),
    "a mask": sample(*SHAPE) > 0,
    "a mask of rows": np.array([True, False, True]),
    "a mask of two axes": sample(3, 4) > 0,
    "a mask and an array": (np.array([True, False, True]), np.array([1, 1])),
    "a mask of nothing": np.zeros(3, bool),
    "True": True,
    "np.ix_": np.ix_([0, 2], [3, 3, 0]),
}


class TestDerivativesOfIndexing:
    @pytest.mark.parametrize("name", KEYS)
    def test_are_right_for_each_kind_of_key(self, name):
        check_derivatives(squared(lambda x: x[KEYS[name]]), sample(*SHAPE))

    @pytest.mark.parametrize("name", KEYS)
    def test_are_those_of_an_independent_system(self, name):
        if name == "an empty list":
            return
        x = sample(*SHAPE)
        expected = autograd.grad(lambda x: hips.sum(hips.sin(x[KEYS[name]])))(x)
        found = grad(lambda x: np.sum(np.sin(x[KEYS[name]])))(x)
        np.testing.assert_allclose(found, expected, rtol=1e-14)

    @quick
    @given(array_shapes(min_dims=0, max_dims=3, max_side=4), st.data())
    def test_are_right_for_any_basic_key(self, shape, data):
        key = data.draw(basic_indices(shape, allow_newaxis=True))
        check_derivatives(squared(lambda x: x[key]), sample(*shape))

    @quick
    @given(array_shapes(max_dims=3, max_side=4), st.data())
    def test_are_right_for_any_integer_arrays(self, shape, data):
        key = data.draw(integer_array_indices(shape))
        check_derivatives(squared(lambda x: x[key]), sample(*shape))

    @pytest.mark.parametrize("key", [0, slice(None), [1, 1], np.array([True, False])])
    def test_keep_float32(self, key):
        x = np.ones(2, np.float32)
        y, tangent = jvp(lambda x: x[key], (x,), (x,))
        assert y.dtype == tangent.dtype == np.float32
        y, pullback = vjp(lambda x: x[key], x)
        assert pullback(np.ones_like(y))[0].dtype == np.float32

    @pytest.mark.parametrize(
        "f",
        [
            lambda x: np.take(x, [2, 0, 2]),
            lambda x: np.take(x, 1, axis=0),
            lambda x: np.take(x, [[0, -1], [1, 1]], axis=-1),
            lambda x: np.take(x, [True, False], axis=1),
            lambda x: np.take(x, [], axis=1),
            lambda x: x.take([1, 1], 1),
            lambda x: np.take_along_axis(x, np.array([[0], [2], [1]]), 1),
            lambda x: np.take_along_axis(x, np.array([[0, 1, 1, -2]]), axis=0),
            lambda x: np.take_along_axis(x, np.array([3, 3, 0]), axis=None),
            lambda x: np.compress([True, False, True], x, axis=0),
            lambda x: np.compress([False, True], x),
            lambda x: np.extract(np.arange(12) % 2, x),
            lambda x: np.select([x > 0.85, x > -0.05], [x, np.sin(x)], 3.0),
            lambda x: np.sort(x),
            lambda x: np.sort(x, axis=0, kind="stable"),
            lambda x: np.sort(x, None),
            lambda x: x[:, 0] + sum(row[1] for row in x),
        ],
    )
    def test_are_right_for_functions_that_take_entries(self, f):
        x = np.random.default_rng(0).permutation(np.arange(-6, 6) * 0.3 + 0.1).reshape(3, 4)
        check_derivatives(squared(f), x)

    def test_are_right_where_the_index_depends_on_the_input(self):
        x = np.random.default_rng(0).permutation(np.arange(12) * 0.3).reshape(3, 4)
        check_derivatives(squared(lambda x: x[np.argmax(x, axis=0), np.arange(4)]), x)
        check_derivatives(squared(lambda x: np.take(x, np.argsort(x[0]), axis=1)), x)
        check_derivatives(
            squared(lambda x: np.take_along_axis(x, np.argmin(x, 1, keepdims=True), 1)), x
        )
        check_derivatives(squared(lambda x: x[x > 1] * x[0, 0]), x)
        check_derivatives(squared(lambda x: np.extract(x > 1, x)), x)
        check_derivatives(squared(lambda x: x[np.nonzero(x > 1)]), x)

    def test_are_right_for_entries_of_a_constant_array_at_computed_indices(self):
        table = np.array([1.0, 10.0, 100.0])
        f = lambda x: np.sum(x * np.take_along_axis(table, np.argmax(x, axis=1), 0))
        np.testing.assert_array_equal(grad(f)(np.eye(2)), [[1, 10], [1, 10]])


class TestScatter:
    def test_adds_entries_of_the_same_index_up(self):
        found = scatter(np.array([1.0, 2.0, 4.0]), (np.array([0, 2, 0]),), (3,))
        np.testing.assert_array_equal(found, [5, 0, 2])

    @pytest.mark.parametrize("name", KEYS)
    def test_is_indexing_transposed(self, name):
        key = KEYS[name]
        key = key if isinstance(key, tuple) else (key,)
        key = tuple(np.asarray(part, int) if isinstance(part, list) else part for part in key)
        x = sample(*SHAPE)
        y = sample(*x[key].shape, rng=1)
        left, right = np.vdot(x[key], y), np.vdot(x, scatter(y, key, SHAPE))
        assert abs(left - right) <= 1e-15 * y.size * max(
            1, np.abs(x).max() * np.abs(y).max(initial=0)
        )

    def test_does_not_broadcast_one_entry_to_several_places(self):
        with pytest.raises(ValueError, match=r"entries of shape \(2,\) got them in \(1,\)"):
            scatter(np.ones(1), (np.array([True, True]),), (2,))


class TestAComputedKeyInAGraph:
    def test_is_computed_anew_at_each_point(self):
        x = nn.Input("x", requires_grad=True)
        graph = nn.Graph([x], (x[x > 0] ** 2).sum() * x[np.argmax(x)])
        for numbers in ([1.0, -2.0, 3.0], [1.0, 2.0, -3.0], [-1.0, -2.0, 4.0]):
            point = np.array(numbers)
            graph(point)
            graph.backward()
            top, squares = point.max(), np.sum(point[point > 0] ** 2)
            expected = np.where(point > 0, 2 * point * top, 0) + squares * (point == top)
            np.testing.assert_allclose(x.grad, expected, rtol=1e-15)

    def test_is_computed_anew_in_its_derivative_graph_too(self):
        x = nn.Input("x", requires_grad=True)
        graph = nn.Graph([x], x[np.argmax(x)] ** 2)
        derivative = graph.gradient(np.array([1.0, 2.0, 3.0]))
        _, gradient = derivative(np.array([5.0, 2.0, 3.0]))
        np.testing.assert_array_equal(gradient, [10, 0, 0])

    @pytest.mark.parametrize(
        "take",
        [
            lambda x: x[x > 0],
            lambda x: x[np.nonzero(x > 0)],
            lambda x: np.take(x, np.flatnonzero(x > 0)),
            lambda x: np.take_along_axis(x, np.flatnonzero(x > 0), 0),
            lambda x: np.extract(x > 0, x),
        ],
    )
    @pytest.mark.parametrize("reduction", [np.sum, np.mean])
    def test_that_chooses_another_number_of_entries_is_refused_by_a_derivative_graph(
        self, take, reduction
    ):
        class Masked(nn.Module):
            def forward(self, x):
                return reduction(take(x) ** 2)

        x = nn.Input("x", requires_grad=True)
        derivative = nn.Graph([x], Masked()(x)).gradient(np.array([-1.0, 2.0, -3.0]))
        _, gradient = derivative(np.array([-1.0, -2.0, 3.0]))
        np.testing.assert_array_equal(gradient, [0, 0, 6])
        with pytest.raises(ValueError, match=r"np\.where\(mask, x, 0\) in place of x\[mask\]"):
            derivative(np.array([1.0, 2.0, 3.0]))


class TestRefused:
    @pytest.mark.parametrize("name", ["mode", "out"])
    def test_arguments_of_take_that_the_rule_does_not_have(self, name):
        argument: Any = {"mode": "wrap", "out": np.ones(2)}[name]
        with pytest.raises(TypeError, match=rf"np\.take .*{name}="):
            grad(lambda x: np.sum(np.take(x, [0, 1], **{name: argument})))(np.ones(2))

    def test_indices_that_are_no_integers(self):
        with pytest.raises(TypeError, match="indices are integers, got dtype float64"):
            grad(lambda x: np.sum(np.take(x, x)))(np.ones(2))
        with pytest.raises(IndexError):
            grad(lambda x: np.sum(x[x]))(np.ones(2))
        with pytest.raises(IndexError):
            grad(lambda x: x[3])(np.ones(2))

    def test_choices_that_do_not_match_their_conditions(self):
        with pytest.raises(ValueError, match="2 conditions and 1 choices"):
            grad(lambda x: np.sum(np.select([x > 0, x > 1], [x])))(np.ones(2))

    @pytest.mark.parametrize(
        "write",
        [
            lambda a, x: np.copyto(a, x),
            lambda a, x: np.put(a, [0, 1], x),
            lambda a, x: np.place(a, a > 0, x),
            lambda a, x: np.putmask(a, a > 0, x),
            lambda a, x: np.put_along_axis(a, np.array([0, 1]), x, 0),
            lambda a, x: np.fill_diagonal(a.reshape(1, 2), x),
            lambda a, x: np.choose([0, 1], [a, x]),
            lambda a, x: np.add.at(a, [0, 1], x),
            lambda a, x: a.__setitem__(slice(None), x),
            lambda a, x: a.__iadd__(x),
            lambda a, x: np.add(x, x, a),
            lambda a, x: a.__setitem__(slice(None), [x[0], x[1]]),
        ],
    )
    def test_writing_a_node_or_a_dual_into_an_array(self, write):
        a = np.ones(2)
        for derivative in (
            grad(lambda x: write(a, x)),
            lambda x: jvp(lambda x: write(a, x), (x,), (x,)),
        ):
            with pytest.raises(
                (TypeError, NotImplementedError), match=r"lose|lost|no derivative rule"
            ):
                derivative(np.full(2, 2.0))
        np.testing.assert_array_equal(a, 1)

    def test_writing_one_entry_into_an_array(self):
        a = np.ones(2)
        for derivative in (grad, lambda f: lambda x: jvp(f, (x,), (x,))):
            with pytest.raises(ValueError, match="with a sequence") as caught:
                derivative(lambda x: a.__setitem__(0, x[0]))(np.ones(2))
            assert "would lose its derivative" in str(caught.value.__cause__)

    @pytest.mark.parametrize(
        ("f", "match"),
        [
            (lambda x: x.__setitem__(0, 1.0), r"np\.where.* np\.concatenate"),
            (lambda x: x.item(), r"\.item\(\).* lose its derivative"),
            (lambda x: x.tolist(), r"\.tolist\(\).* lose its derivative"),
            (lambda x: len(x[0]), "no axes, so no length"),
            (lambda x: list(x[0]), "no axes, so no length"),
        ],
    )
    def test_what_would_lose_the_derivative(self, f, match):
        for derivative in (grad(f), lambda x: jvp(f, (x,), (x,))):
            with pytest.raises(TypeError, match=match):
                derivative(np.ones(2))


OPERATORS = {
    "x == y": lambda x, y: x == y,
    "x != y": lambda x, y: x != y,
    "x < y": lambda x, y: x < y,
    "x <= y": lambda x, y: x <= y,
    "x > y": lambda x, y: x > y,
    "x >= y": lambda x, y: x >= y,
    "and": lambda x, y: (x > 0) & (y > 1),
    "or": lambda x, y: (x > 0) | (y > 1),
    "xor": lambda x, y: (x > 0) ^ (y > 1),
    "not": lambda x, y: ~(x > y),
    "and with an array": lambda x, y: np.array([True, False]) & (x > y),
    "x + y": lambda x, y: 1 + x + y,
    "x - y": lambda x, y: 1 - x - y,
    "x * y": lambda x, y: 2 * x * y,
    "x / y": lambda x, y: 2 / x / y,
    "x // y": lambda x, y: 7 // x // y,
    "x % y": lambda x, y: 7 % x % y,
    "x ** y": lambda x, y: 2**x**y,
    "x @ y": lambda x, y: x @ y,
    "array @ x": lambda x, y: np.ones((2, 2)) @ x,
    "-x": lambda x, y: -x,
    "+x": lambda x, y: +x,
    "abs": lambda x, y: abs(x - y),
    "divmod": lambda x, y: np.stack(divmod(x, y)),
    "methods": lambda x, y: (
        np.dot(x.clip(1, 2), y) + x.round().sum() + x.any() + x.all() + x.argmax()
    ),
    "astype": lambda x, y: x.astype(np.float32),
    "argsort": lambda x, y: x.argsort() + x.argmin(),
    "mask times": lambda x, y: (x > y) * x,
    "iteration": lambda x, y: sum(a * b for a, b in zip(x, y, strict=True)),
    "length": lambda x, y: x * len(y) + x.ndim + x.size,
}


class TestOperatorsAndMethods:
    @pytest.mark.parametrize("name", OPERATORS)
    def test_give_what_they_give_for_arrays(self, name):
        f, x, y = OPERATORS[name], np.array([1.5, 4.0]), np.array([2.0, 4.0])
        expected = f(x, y)
        np.testing.assert_array_equal(jvp(f, (x, y), (x, y))[0], expected)
        np.testing.assert_array_equal(vjp(f, x, y)[0], expected)
        np.testing.assert_array_equal(jvp(lambda x: f(x, y), (x,), (x,))[0], expected)
        np.testing.assert_array_equal(vjp(lambda y: f(x, y), y)[0], expected)

    def test_comparisons_of_vertices_are_vertices_and_vertices_are_told_apart_by_identity(self):
        x, y = nn.Input("x"), nn.Input("y")
        assert isinstance(x == y, nn.Node)
        assert {x: 1, y: 2}[y] == 2
        graph = nn.Graph([x, y], np.where(x == y, 1.0, 2.0))
        np.testing.assert_array_equal(graph(np.array([1.0, 2.0]), np.array([1.0, 3.0])), [1, 2])

    def test_a_comparison_chooses_a_branch_where_the_value_is_known(self):
        f = grad(lambda x: x**2 if x > 1 else -x)
        assert f(3.0) == 6
        assert f(0.5) == -1
