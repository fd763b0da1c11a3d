"""Functions that rearrange entries."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nnlite.core.primitives.joining import unstack


def sample(*shape, rng=0):
    return np.random.default_rng(rng).normal(size=shape)


def squared(f):
    """f, made nonlinear so that its second derivative is not zero."""

    def of(*xs):
        y = f(*xs)
        return y * y

    return of


# Each function of one array x, and a shape of x.
OF_ONE: dict[str, tuple[Callable[..., Any], tuple[int, ...]]] = {
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
