"""Functions that move entries along their axes, repeat them, or subtract neighbours."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from nnlite.core.primitives.base import Primitive, refuse
from nnlite.core.primitives.indexing import along, getitem, scatter
from nnlite.core.primitives.shape import Transposable, transposed
from nnlite.core.rules import RULES, rule
from nnlite.core.value import Value

Shape = tuple[int, ...]
Widths = list[tuple[int, int]]


@transposed(np.flip)
def _flip(grad: Any, shape: Shape, axis: Any = None) -> Any:
    return np.flip(grad, axis)


RULES[np.fliplr] = lambda m: np.flip(m, 1)
RULES[np.flipud] = lambda m: np.flip(m, 0)


@transposed(np.roll)
def _roll(grad: Any, shape: Shape, shift: Any, axis: Any = None) -> Any:
    return np.roll(grad, np.negative(shift), axis)


@transposed(np.rot90)
def _rot90(grad: Any, shape: Shape, k: int = 1, axes: Any = (0, 1)) -> Any:
    return np.rot90(grad, -k, axes)


@transposed(np.tile)
def _tile(grad: Any, shape: Shape, reps: int | Iterable[int]) -> Any:
    given = tuple(reps) if isinstance(reps, Iterable) else (reps,)
    ndim = max(len(shape), len(given))
    lengths = (1,) * (ndim - len(shape)) + shape
    counts = (1,) * (ndim - len(given)) + given
    copies = np.reshape(grad, [n for pair in zip(counts, lengths) for n in pair])
    return np.reshape(np.sum(copies, axis=tuple(range(0, 2 * ndim, 2))), shape)


@rule(np.repeat)
def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each entry along an axis `repeats` times, or a number of times of its own."""
    if isinstance(repeats, Value):
        raise TypeError("np.repeat: the shape depends on repeats, which can be no node")
    return Transposable(np.repeat, _repeat, repeats, axis)(a)


def _repeat(grad: Any, shape: Shape, repeats: Any, axis: int | None) -> Any:
    lengths = (math.prod(shape),) if axis is None else shape
    taken = np.repeat(np.arange(lengths[axis or 0]), repeats)
    if np.size(repeats) == 1 and taken.size:
        place = (axis or 0) % len(lengths)
        split = (*lengths[: place + 1], -1, *lengths[place + 1 :])
        added = np.sum(np.reshape(grad, split), axis=place + 1)
    else:
        added = scatter(grad, along(axis or 0, taken), lengths)
    return np.reshape(added, shape)


@rule(np.pad)
class Pad(Primitive):
    """An array with more entries at both ends of its axes: zeros, or copies of its own.

    Parameters
    ----------
    pad_width
        As for `np.pad`.
    mode : str
        One of `MODES`.
    **options
        Those of `np.pad` for that mode.
    """

    MODES = ("constant", "edge", "reflect", "symmetric", "wrap")

    def __init__(self, pad_width: Any, mode: Any = "constant", **options: Any) -> None:
        if mode not in self.MODES:
            raise NotImplementedError(
                f"np.pad: mode={mode!r} has no derivative rule; these have: {', '.join(self.MODES)}"
            )
        if options.get("reflect_type", "even") != "even":
            raise NotImplementedError("np.pad: only reflect_type='even' has a derivative rule")
        values = {k: item for k, item in options.items() if isinstance(item, Value)}
        refuse("np.pad: a node or a dual number as", values)
        self.pad_width = pad_width
        self.mode = mode
        self.options = options

    def forward(self, x: Any) -> Any:
        self.save_for_backward(np.shape(x))
        return np.pad(x, self.pad_width, self.mode, **self.options)

    def jvp(self, tangent: Any) -> Any:
        return np.pad(tangent, self.pad_width, self.mode)

    def backward(self, grad: Any) -> Any:
        (shape,) = self.saved
        for axis, width in enumerate(self.widths(len(shape))):
            n = shape[axis]
            if self.mode == "constant":
                grad = getitem(grad, along(axis, slice(width[0], width[0] + n)))
            elif any(width):
                source = np.pad(np.arange(n), width, self.mode)
                lengths = (*shape[: axis + 1], *np.shape(grad)[axis + 1 :])
                grad = scatter(grad, along(axis, source), lengths)
        return grad

    def widths(self, ndim: int) -> Widths:
        """How many entries are added before and after, for each axis."""
        given = self.pad_width
        if isinstance(given, dict):
            by_axis = {axis % ndim: width for axis, width in given.items()}
            given = [np.broadcast_to(by_axis.get(axis, 0), 2) for axis in range(ndim)]
        return [(int(a), int(b)) for a, b in np.broadcast_to(given, (ndim, 2))]


def _diff(grad: Any, shape: Shape, n: int, axis: int) -> Any:
    axis %= len(shape)
    if n >= shape[axis]:
        return np.zeros(shape, grad.dtype)
    ends = [(n, n) if i == axis else (0, 0) for i in range(len(shape))]
    return (-1) ** n * np.diff(np.pad(grad, ends), n, axis)


@rule(np.diff)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """The differences of neighbours along an axis, n times."""
    ends = [
        _one_along(axis, end, a) if end is not None and np.ndim(end) == 0 else end
        for end in (prepend, append)
    ]
    parts = [part for part in (ends[0], a, ends[1]) if part is not None]
    joined = np.concatenate(parts, axis=axis) if len(parts) > 1 else a
    return Transposable(np.diff, _diff, n, axis)(joined)


def _one_along(axis: int, number: Any, a: Any) -> Any:
    """A number broadcast to the shape of a, with length 1 along the axis."""
    lengths = list(np.shape(a))
    lengths[axis] = 1
    return np.broadcast_to(number, lengths)
