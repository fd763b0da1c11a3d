"""Functions that move entries along their axes, repeat them, or subtract neighbours."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from nnlite.core.primitives.base import LinearMap, Primitive, refuse
from nnlite.core.primitives.indexing import along, getitem, scatter
from nnlite.core.primitives.shape import Rearranged
from nnlite.core.rules import RULES, rule
from nnlite.core.value import Value

Widths = list[tuple[int, int]]


class Flip(Rearranged):
    """The entries in reverse order along some axes."""

    def transposed(self, grad: Any, shape: tuple[int, ...]) -> Any:
        return self.linear(grad)


for _flip in (np.flip, np.fliplr, np.flipud):
    RULES[_flip] = lambda m, *args, _flip=_flip, **kwargs: Flip(_flip, *args, **kwargs)(m)


@rule(np.roll)
class Roll(LinearMap):
    """The entries moved on by `shift` places; those that leave at the end enter at the start."""

    def __init__(self, shift: int | tuple[int, ...], axis: int | tuple[int, ...] | None = None):
        self.shift = shift
        self.axis = axis

    def linear(self, x: Any) -> Any:
        return np.roll(x, self.shift, self.axis)

    def transposed(self, grad: Any, shape: tuple[int, ...]) -> Any:
        return np.roll(grad, np.negative(self.shift), self.axis)


@rule(np.rot90)
class Rot90(LinearMap):
    """The plane of two axes turned by k quarters."""

    def __init__(self, k: int = 1, axes: tuple[int, int] = (0, 1)) -> None:
        self.k = k
        self.axes = axes

    def linear(self, x: Any) -> Any:
        return np.rot90(x, self.k, self.axes)

    def transposed(self, grad: Any, shape: tuple[int, ...]) -> Any:
        return np.rot90(grad, -self.k, self.axes)


@rule(np.tile)
class Tile(LinearMap):
    """Copies of an array side by side."""

    def __init__(self, reps: int | Iterable[int]) -> None:
        self.reps = tuple([int(n) for n in reps]) if isinstance(reps, Iterable) else (int(reps),)

    def linear(self, x: Any) -> Any:
        return np.tile(x, self.reps)

    def transposed(self, grad: Any, shape: tuple[int, ...]) -> Any:
        ndim = max(len(shape), len(self.reps))
        lengths = (1,) * (ndim - len(shape)) + shape
        reps = (1,) * (ndim - len(self.reps)) + self.reps
        copies = np.reshape(grad, [n for pair in zip(reps, lengths) for n in pair])
        return np.reshape(np.sum(copies, axis=tuple(range(0, 2 * ndim, 2))), shape)


@rule(np.repeat)
class Repeat(LinearMap):
    """Each entry along an axis `repeats` times, or a number of times of its own."""

    def __init__(self, repeats: Any, axis: int | None = None) -> None:
        if isinstance(repeats, Value):
            raise TypeError("np.repeat: the shape depends on repeats, which can be no node")
        self.repeats = repeats
        self.axis = axis

    def linear(self, x: Any) -> Any:
        return np.repeat(x, self.repeats, self.axis)

    def transposed(self, grad: Any, shape: tuple[int, ...]) -> Any:
        lengths = (math.prod(shape),) if self.axis is None else shape
        axis = self.axis or 0
        taken = np.repeat(np.arange(lengths[axis]), self.repeats)
        if np.size(self.repeats) == 1 and taken.size:
            place = axis % len(lengths)
            split = (*lengths[: place + 1], -1, *lengths[place + 1 :])
            added = np.sum(np.reshape(grad, split), axis=place + 1)
        else:
            added = scatter(grad, along(axis, taken), lengths)
        return np.reshape(added, shape)


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


@rule(np.pad)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Any:
    return Pad(pad_width, mode, **options)(array)


class Difference(LinearMap):
    """The differences of neighbours along an axis, n times."""

    def __init__(self, n: int, axis: int) -> None:
        self.n = n
        self.axis = axis

    def linear(self, x: Any) -> Any:
        return np.diff(x, self.n, self.axis)

    def transposed(self, grad: Any, shape: tuple[int, ...]) -> Any:
        n, axis = self.n, self.axis % len(shape)
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
    return Difference(n, axis)(np.concatenate(parts, axis=axis) if len(parts) > 1 else a)


def _one_along(axis: int, number: Any, a: Any) -> Any:
    """A number broadcast to the shape of a, with length 1 along the axis."""
    lengths = list(np.shape(a))
    lengths[axis] = 1
    return np.broadcast_to(number, lengths)
