"""Functions that reshape, move, join, cut, pad and take diagonals."""

import autograd
import autograd.numpy as hips
import numpy as np
import pytest
from derivatives import check_derivatives
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import array_shapes, broadcastable_shapes
from numpy.lib.stride_tricks import sliding_window_view

import nnlite as nn
from nnlite.autodiff import grad, jvp, vjp
from nnlite.core.primitives.joining import unstack
from nnlite.core.primitives.moving import Pad

quick = settings(max_examples=30, deadline=None)


def sample(*shape, rng=0):
    return np.random.default_rng(rng).normal(size=shape)


def squared(f):
    """f, made nonlinear so that its second derivative is not zero."""

    def of(*xs):
        y = f(*xs)
        return y * y

    return of


# Each function of one array x, and a shape of x.
OF_ONE = {
    "reshape": (lambda x: np.reshape(x, (4, -1)), (2, 2, 3)),
    "reshape to no axes": (lambda x: np.reshape(x, ()), (1, 1)),
    "reshape method, lengths": (lambda x: x.reshape(3, 4), (2, 6)),
    "reshape method, tuple": (lambda x: x.reshape((3, 4)), (2, 6)),
    "ravel": (np.ravel, (2, 3)),
    "ravel a number": (np.ravel, ()),
    "flatten method": (lambda x: x.flatten(), (2, 3)),
    "expand_dims": (lambda x: np.expand_dims(x, -1), (2, 3)),
    "expand_dims, tuple": (lambda x: np.expand_dims(x, (0, -2)), (2, 3)),
    "squeeze": (np.squeeze, (1, 3, 1)),
    "squeeze, axis": (lambda x: np.squeeze(x, (0, -1)), (1, 3, 1, 1)),
    "squeeze method": (lambda x: x.squeeze(0), (1, 3, 1)),
    "atleast_1d": (np.atleast_1d, ()),
    "atleast_2d": (np.atleast_2d, (3,)),
    "atleast_3d": (np.atleast_3d, (2, 3)),
    "transpose": (np.transpose, (2, 3, 4)),
    "transpose, axes": (lambda x: np.transpose(x, (1, -1, 0)), (2, 3, 4)),
    "transpose, axes=": (lambda x: np.transpose(x, axes=(2, 0, 1)), (2, 3, 4)),
    "transpose method": (lambda x: x.transpose(2, 0, 1), (2, 3, 4)),
    "transpose method, tuple": (lambda x: x.transpose((2, 0, 1)), (2, 3, 4)),
    "transpose method, none": (lambda x: x.transpose(), (2, 3, 4)),
    "permute_dims": (lambda x: np.permute_dims(x, (1, 2, 0)), (2, 3, 4)),
    "T": (lambda x: x.T, (2, 3, 4)),
    "mT": (lambda x: x.mT, (2, 3, 4)),
    "matrix_transpose": (np.matrix_transpose, (2, 3, 4)),
    "swapaxes": (lambda x: np.swapaxes(x, 0, -1), (2, 3, 4)),
    "swapaxes method": (lambda x: x.swapaxes(1, 2), (2, 3, 4)),
    "moveaxis": (lambda x: np.moveaxis(x, 0, -1), (2, 3, 4)),
    "moveaxis, tuples": (lambda x: np.moveaxis(x, (0, 1), (-1, 0)), (2, 3, 4)),
    "rollaxis": (lambda x: np.rollaxis(x, 2, 1), (2, 3, 4)),
    "broadcast_to": (lambda x: np.broadcast_to(x, (5, 2, 4, 3)), (2, 1, 3)),
    "broadcast_to from a number": (lambda x: np.broadcast_to(x, (2, 3)), ()),
    "copy": (np.copy, (2, 3)),
    "copy method": (lambda x: x.copy(), (2, 3)),
    "flip": (np.flip, (2, 3)),
    "flip, axis": (lambda x: np.flip(x, -1), (2, 3)),
    "flip, axes": (lambda x: np.flip(x, axis=(0, 2)), (2, 3, 2)),
    "fliplr": (np.fliplr, (2, 3)),
    "flipud": (np.flipud, (2, 3)),
    "roll": (lambda x: np.roll(x, 2), (2, 3)),
    "roll, axis": (lambda x: np.roll(x, -4, axis=-1), (2, 3)),
    "roll, axes": (lambda x: np.roll(x, (1, 2), axis=(0, 1)), (2, 3)),
    "roll, one shift for two axes": (lambda x: np.roll(x, 1, axis=(0, 1)), (2, 3)),
    "rot90": (np.rot90, (2, 3)),
    "rot90, three quarters": (lambda x: np.rot90(x, 3, axes=(1, 2)), (2, 3, 4)),
    "tile": (lambda x: np.tile(x, 2), (2, 3)),
    "tile, fewer reps than axes": (lambda x: np.tile(x, (2,)), (2, 3, 2)),
    "tile, more reps than axes": (lambda x: np.tile(x, (2, 1, 3)), (2, 3)),
    "tile a number": (lambda x: np.tile(x, (2, 3)), ()),
    "tile, not at all": (lambda x: np.tile(x, (2, 0)), (2, 3)),
    "repeat": (lambda x: np.repeat(x, 3), (2, 3)),
    "repeat, axis": (lambda x: np.repeat(x, 2, axis=-1), (2, 3)),
    "repeat, each": (lambda x: np.repeat(x, [2, 0, 3], axis=1), (2, 3)),
    "repeat, one in a list": (lambda x: np.repeat(x, [2], axis=0), (2, 3)),
    "repeat, each of all": (lambda x: np.repeat(x, [1, 0, 2, 3]), (2, 2)),
    "repeat, never": (lambda x: np.repeat(x, 0, axis=0), (2, 3)),
    "repeat a number": (lambda x: np.repeat(x, 3), ()),
    "repeat method": (lambda x: x.repeat(2, 0), (2, 3)),
    "pad": (lambda x: np.pad(x, 1), (2, 3)),
    "pad, pairs": (lambda x: np.pad(x, ((0, 1), (2, 0))), (2, 3)),
    "pad, one pair": (lambda x: np.pad(x, (1, 2)), (2, 3)),
    "pad, values": (lambda x: np.pad(x, 1, constant_values=3.0), (2, 3)),
    "pad, edge": (lambda x: np.pad(x, ((2, 1), (0, 3)), "edge"), (2, 3)),
    "pad, reflect": (lambda x: np.pad(x, ((2, 1), (0, 4)), mode="reflect"), (3, 3)),
    "pad, symmetric": (lambda x: np.pad(x, ((2, 1), (0, 5)), mode="symmetric"), (3, 2)),
    "pad, wrap": (lambda x: np.pad(x, ((2, 1), (3, 0)), mode="wrap"), (3, 2)),
    "diff": (np.diff, (2, 4)),
    "diff, twice": (lambda x: np.diff(x, 2, axis=0), (4, 2)),
    "diff, never": (lambda x: np.diff(x, n=0), (4, 2)),
    "diff, more often than entries": (lambda x: np.diff(x, n=3), (4, 2)),
    "diff, prepend": (lambda x: np.diff(x, prepend=0.5), (2, 3)),
    "diff, append": (lambda x: np.diff(x, axis=0, append=np.ones((2, 3))), (2, 3)),
    "diagonal": (np.diagonal, (3, 4)),
    "diagonal above": (lambda x: np.diagonal(x, 1), (3, 4)),
    "diagonal below": (lambda x: np.diagonal(x, offset=-2), (3, 4)),
    "diagonal outside": (lambda x: np.diagonal(x, 7), (3, 4)),
    "diagonal, axes": (lambda x: np.diagonal(x, -1, -1, 0), (3, 2, 4)),
    "diagonal method": (lambda x: x.diagonal(1), (3, 4)),
    "diag of a matrix": (lambda x: np.diag(x, -1), (3, 4)),
    "diag of a vector": (np.diag, (3,)),
    "diag of a vector, above": (lambda x: np.diag(x, k=2), (3,)),
    "diag of a vector, below": (lambda x: np.diag(x, k=-1), (3,)),
    "diagflat": (lambda x: np.diagflat(x, 1), (2, 2)),
    "trace": (np.trace, (3, 4)),
    "trace, axes": (lambda x: np.trace(x, 1, 2, 0), (3, 2, 4)),
    "trace method": (lambda x: x.trace(), (3, 4)),
    "tril": (np.tril, (3, 4)),
    "tril, batched": (lambda x: np.tril(x, -1), (2, 3, 3)),
    "tril of a vector": (np.tril, (3,)),
    "triu": (lambda x: np.triu(x, k=1), (3, 4)),
    "triu of a vector": (lambda x: np.triu(x, -1), (3,)),
    "windows": (lambda x: sliding_window_view(x, 3), (5,)),
    "windows, one axis": (lambda x: sliding_window_view(x, 2, axis=-1), (2, 4)),
    "windows, two axes": (lambda x: sliding_window_view(x, (2, 3), axis=(2, 0)), (4, 2, 3)),
    "windows, all axes": (lambda x: sliding_window_view(x, (2, 2)), (3, 3)),
    "windows, one axis twice": (lambda x: sliding_window_view(x, (2, 3), axis=(0, 0)), (6,)),
    "split": (lambda x: np.split(x, 3)[1], (6, 2)),
    "split at": (lambda x: np.split(x, [1, 4], axis=-1)[2], (2, 5)),
    "split at, empty": (lambda x: np.split(x, [2, 2, 9], axis=-1)[1], (2, 5)),
    "array_split": (lambda x: np.array_split(x, 3)[0], (7,)),
    "hsplit a vector": (lambda x: np.hsplit(x, 2)[1], (4,)),
    "hsplit a matrix": (lambda x: np.hsplit(x, 2)[1], (3, 4)),
    "vsplit": (lambda x: np.vsplit(x, [1])[1], (3, 4)),
    "dsplit": (lambda x: np.dsplit(x, 2)[1], (1, 3, 4)),
    "unstack": (lambda x: unstack(x, axis=-1)[1], (2, 3)),
    "meshgrid": (lambda x: np.meshgrid(x, np.arange(2.0))[0], (3,)),
    "list of rows": (lambda x: np.stack([*x, x[0]]), (3, 2)),
    "concatenate the rows": (np.concatenate, (3, 2)),
}

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


class TestTheResultIsNumPys:
    @pytest.mark.parametrize("name", OF_ONE)
    def test_in_a_declared_graph_whose_shapes_are_not_known(self, name):
        f, shape = OF_ONE[name]
        if name in ("list of rows", "concatenate the rows", "diff, prepend", "unstack", "meshgrid"):
            with pytest.raises(ValueError, match="no shape before a forward pass"):
                f(nn.Input("x"))
            return
        x = nn.Input("x", requires_grad=True)
        graph = nn.Graph([x], f(x))
        value = sample(*shape)
        np.testing.assert_array_equal(graph(value), f(value))
        graph.backward(np.ones_like(f(value)))
        np.testing.assert_allclose(x.grad, grad(lambda x: np.sum(f(x)))(value), rtol=1e-15, atol=0)

    @pytest.mark.parametrize("name", OF_ONE)
    def test_in_float32_and_so_are_tangents_and_gradients(self, name):
        f, shape = OF_ONE[name]
        x = sample(*shape).astype(np.float32)
        value, tangent = jvp(f, (x,), (x,))
        assert value.dtype == f(x).dtype
        assert tangent.dtype == value.dtype
        if value.dtype == np.float32:
            again, pullback = vjp(f, x)
            assert pullback(np.ones_like(again))[0].dtype == np.float32

    @pytest.mark.parametrize(
        "f",
        [
            np.ravel,
            np.transpose,
            np.flip,
            np.diff,
            np.tril,
            lambda x: np.tile(x, 2),
            lambda x: np.repeat(x, 2, 0),
            lambda x: np.repeat(x, [1, 2, 0], 1),
            lambda x: np.roll(x, 1),
            lambda x: np.pad(x, 1),
            lambda x: np.concatenate([x, x]),
            lambda x: np.array_split(x, 2)[0],
            lambda x: np.squeeze(x[:0]),
            lambda x: sliding_window_view(x, 2, axis=1),
        ],
    )
    def test_for_empty_arrays(self, f):
        check_derivatives(squared(f), np.zeros((0, 3)))

    def test_for_vectors_of_one_entry_that_cannot_have_a_difference(self):
        check_derivatives(squared(np.diff), np.ones(1))


class TestRefused:
    @pytest.mark.parametrize(
        ("f", "error", "match"),
        [
            (lambda x: np.reshape(x, (2, 2), order="F"), NotImplementedError, "order='C'"),
            (lambda x: np.ravel(x, "K"), NotImplementedError, "order='C'.*'K'"),
            (lambda x: np.concatenate([x, x], dtype=np.float32), TypeError, "dtype="),
            (lambda x: np.concatenate([x, x], out=np.ones((4, 2))), TypeError, "out="),
            (lambda x: np.stack([x, x], out=np.ones((2, 2, 2))), TypeError, "out="),
            (lambda x: np.trace(x, dtype=np.float32), TypeError, "dtype="),
            (lambda x: np.pad(x, 1, "mean"), NotImplementedError, "'mean'.*constant, edge"),
            (lambda x: np.pad(x, 1, lambda *_: None), NotImplementedError, "np.pad"),
            (lambda x: np.pad(x, 1, "reflect", reflect_type="odd"), NotImplementedError, "even"),
            (lambda x: np.pad(x, 1, constant_values=x[0, 0]), TypeError, "constant_values="),
            (lambda x: np.repeat(x, np.argmax(x)), TypeError, "depends on repeats"),
            (lambda x: sliding_window_view(x, 1, 0, writeable=True), TypeError, "writeable"),
            (lambda x: np.split(x, 0), ValueError, "not positive"),
            (lambda x: np.meshgrid(x, x, indexing="yx"), ValueError, "'yx'"),
        ],
    )
    def test_what_has_no_rule_is_named(self, f, error, match):
        with pytest.raises(error, match=match):
            grad(lambda x: np.sum(f(x)))(np.ones((2, 2)))

    def test_an_uneven_split_as_numpy_does(self):
        with pytest.raises(ValueError, match="equal division"):
            grad(lambda x: np.split(x, 2)[0][0])(np.ones(3))

    @pytest.mark.parametrize(
        "f",
        [np.asarray, np.array, np.asanyarray, np.ascontiguousarray, lambda x: np.array([x, x])],
    )
    def test_a_plain_array_is_never_made_of_a_node_or_a_dual(self, f):
        for derivative in (grad(lambda x: np.sum(f(x))), lambda x: jvp(f, (x,), (x,))):
            for x in (np.ones(2), np.float64(1)):
                with pytest.raises(TypeError, match="its derivative would be lost"):
                    derivative(x)
