"""Functions that rearrange entries: NumPy's results, and what is refused."""

import numpy as np
import pytest
from derivatives import check_derivatives
from numpy.lib.stride_tricks import sliding_window_view
from rearranged import OF_ONE, sample, squared

import nnlite as nn
from nnlite.autodiff import grad, jvp, vjp


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
            (
                lambda x: np.meshgrid(x, x, indexing="yx"),  # type: ignore[call-overload]
                ValueError,
                "'yx'",
            ),
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
