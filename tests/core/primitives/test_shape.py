"""Functions that rearrange entries: their derivatives."""

import autograd
import autograd.numpy as hips
import numpy as np
import pytest
from derivatives import check_derivatives
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import array_shapes, broadcastable_shapes
from rearranged import OF_ONE, sample, squared

from nnlite.autodiff import grad, jvp
from nnlite.core.primitives.moving import Pad

quick = settings(max_examples=30, deadline=None)

# Each function of two arrays, and their shapes.
OF_TWO = {
    "concatenate": (lambda a, b: np.concatenate([a, b]), (2, 3), (1, 3)),
    "concatenate, axis": (lambda a, b: np.concatenate((a, b, a), axis=-1), (2, 3), (2, 1)),
    "concatenate, flattened": (lambda a, b: np.concatenate((a, b), axis=None), (2, 3), (2,)),
    "concatenate with a constant": (lambda a, b: np.concatenate([np.ones(2), a, b]), (2,), (3,)),
    "concat": (lambda a, b: np.concat([a, b]), (2, 3), (1, 3)),
    "stack": (lambda a, b: np.stack([a, b]), (2, 3), (2, 3)),
    "stack, axis": (lambda a, b: np.stack([a, b], axis=-1), (2, 3), (2, 3)),
    "stack, numbers": (lambda a, b: np.stack([a, b]), (), ()),
    "vstack": (lambda a, b: np.vstack([a, b]), (3,), (2, 3)),
    "hstack vectors": (lambda a, b: np.hstack([a, b]), (3,), (2,)),
    "hstack matrices": (lambda a, b: np.hstack([a, b]), (2, 3), (2, 1)),
    "hstack numbers": (lambda a, b: np.hstack([a, b, 1.0]), (), ()),
    "dstack": (lambda a, b: np.dstack([a, b]), (2, 3), (2, 3)),
    "column_stack": (lambda a, b: np.column_stack([a, b]), (3,), (3, 2)),
    "append": (np.append, (2, 3), (2,)),
    "append, axis": (lambda a, b: np.append(a, b, axis=1), (2, 3), (2, 1)),
    "broadcast_arrays": (lambda a, b: np.broadcast_arrays(a, b)[1], (2, 3), (2, 1)),
    "atleast_2d of several": (lambda a, b: np.atleast_2d(a, b)[1], (), (3,)),
    "meshgrid, xy": (lambda a, b: np.multiply(*np.meshgrid(a, b)), (2,), (3,)),
    "meshgrid, ij": (lambda a, b: np.multiply(*np.meshgrid(a, b, indexing="ij")), (2,), (3,)),
    "meshgrid, sparse": (lambda a, b: np.multiply(*np.meshgrid(a, b, sparse=True)), (2,), (3,)),
    "diff, prepend": (lambda a, b: np.diff(a, prepend=b), (2, 3), ()),
}


class TestDerivativesAreRight:
    @pytest.mark.parametrize("name", OF_ONE)
    def test_of_one_array(self, name):
        f, shape = OF_ONE[name]
        check_derivatives(squared(f), sample(*shape))

    @pytest.mark.parametrize("name", OF_TWO)
    def test_of_two_arrays(self, name):
        f, *shapes = OF_TWO[name]
        check_derivatives(squared(f), *[sample(*shape, rng=i) for i, shape in enumerate(shapes)])

    @quick
    @given(array_shapes(max_dims=4, max_side=3), st.data())
    def test_of_every_permutation_of_axes(self, shape, data):
        axes = data.draw(st.permutations(range(len(shape))))
        signed = [axis - len(shape) * data.draw(st.booleans()) for axis in axes]
        check_derivatives(squared(lambda x: np.transpose(x, signed)), sample(*shape))

    @quick
    @given(array_shapes(max_dims=4, max_side=3), st.data())
    def test_of_moveaxis_between_any_axes(self, shape, data):
        axis = st.integers(-len(shape), len(shape) - 1)
        source, destination = data.draw(axis), data.draw(axis)
        check_derivatives(squared(lambda x: np.moveaxis(x, source, destination)), sample(*shape))

    @quick
    @given(array_shapes(max_dims=3, max_side=3), st.data())
    def test_of_broadcast_to_any_shape(self, shape, data):
        small = data.draw(broadcastable_shapes(shape, max_dims=len(shape)))
        common = np.broadcast_shapes(small, shape)
        check_derivatives(squared(lambda x: np.broadcast_to(x, common)), sample(*small))

    @quick
    @given(array_shapes(max_dims=3, max_side=3), st.data())
    def test_of_concatenation_along_any_axis(self, shape, data):
        axis = data.draw(st.integers(-len(shape), len(shape) - 1))
        other = list(shape)
        other[axis] = data.draw(st.integers(0, 3))
        check_derivatives(
            squared(lambda a, b: np.concatenate([a, b], axis)), sample(*shape), sample(*other)
        )

    @quick
    @given(
        st.sampled_from(["constant", "edge", "reflect", "symmetric", "wrap"]),
        st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=2),
    )
    def test_of_padding_by_any_width(self, mode, widths):
        check_derivatives(squared(lambda x: np.pad(x, widths, mode)), sample(2, 3))

    def test_of_padding_whose_widths_are_given_for_some_axes_only(self):
        assert Pad({-1: (1, 2), 0: 3}).widths(3) == [(3, 3), (0, 0), (1, 2)]

    def test_of_all_pieces_of_a_split_together(self):
        def f(x):
            a, b, c = np.split(x, 3, axis=1)
            return a * b * np.sin(c)

        check_derivatives(f, sample(2, 6))

    def test_where_only_one_of_the_joined_arrays_is_differentiated(self):
        a, b = sample(2), sample(3)
        check_derivatives(squared(lambda x: np.concatenate([a, x, b])), sample(2))
        _, tangent = jvp(lambda x: np.concatenate([a, x]), (b,), (b,))
        np.testing.assert_array_equal(tangent, [0, 0, *b])

    @pytest.mark.parametrize(
        "f",
        [
            lambda np, x: np.tile(x, (2, 3)),
            lambda np, x: np.repeat(x, 2, axis=1),
            lambda np, x: np.roll(x, 3, axis=0),
            lambda np, x: np.pad(x, 2, "constant"),
            lambda np, x: np.diff(x, axis=0),
            lambda np, x: np.trace(x),
            lambda np, x: np.rot90(x),
            lambda np, x: np.concatenate([x, x], axis=1),
            lambda np, x: np.stack([x, x], axis=1),
            lambda np, x: np.triu(x, 1),
            lambda np, x: np.moveaxis(x, 0, 1),
            lambda np, x: np.array_split(x, 2)[1],
        ],
    )
    def test_as_an_independent_system_has_them(self, f):
        x = sample(3, 4)
        expected = autograd.grad(lambda x: hips.sum(hips.exp(f(hips, x))))(x)
        found = grad(lambda x: np.sum(np.exp(f(np, x))))(x)
        np.testing.assert_allclose(found, expected, rtol=1e-13)
