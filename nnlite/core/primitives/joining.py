"""Functions that join several arrays, or cut one into several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from nnlite.core.primitives.base import LinearMap, Primitive, refuse_given
from nnlite.core.primitives.indexing import along, scatter
from nnlite.core.primitives.shape import Reshape
from nnlite.core.rules import RULES, rule

Arrays = Sequence[Any]


class Concatenate(Primitive):
    """Arrays one after another along an axis."""

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def along(self, xs: Arrays) -> int:
        """The axis, which may depend on the arrays."""
        return self.axis

    def forward(self, *xs: Any) -> Any:
        y = np.concatenate(xs, axis=self.along(xs))
        self.save_for_backward([np.shape(x) for x in xs], self.along(xs), y.dtype)
        return y

    def backward(self, grad: Any) -> Any:
        shapes, axis, _ = self.saved
        grads, end = [], 0
        for shape, needed in zip(shapes, self.needs_input_grad):
            start, end = end, end + shape[axis]
            grads.append(grad[along(axis, slice(start, end))] if needed else None)
        return tuple(grads)

    def jvp(self, *tangents: Any) -> Any:
        shapes, axis, dtype = self.saved
        given = [
            np.zeros(shape, dtype) if tangent is None else tangent
            for shape, tangent in zip(shapes, tangents)
        ]
        return np.concatenate(given, axis=axis)


class HStack(Concatenate):
    """Vectors one after another, other arrays side by side."""

    def __init__(self) -> None:
        super().__init__(0)

    def along(self, xs: Arrays) -> int:
        return 0 if np.ndim(xs[0]) == 1 else 1


@rule(np.concatenate)
def concatenate(
    arrays: Arrays, /, axis: int | None = 0, out: None = None, **unsupported: Any
) -> Any:
    """Arrays one after another along an axis; flattened, if the axis is None."""
    refuse_given("np.concatenate", unsupported, out=out)
    if axis is None:
        return Concatenate(0)(*[np.ravel(x) for x in arrays])
    return Concatenate(axis)(*arrays)


@rule(np.stack)
def stack(arrays: Arrays, axis: int = 0, out: None = None, **unsupported: Any) -> Any:
    """Arrays of one shape along a new axis."""
    refuse_given("np.stack", unsupported, out=out)
    return Concatenate(axis)(*[np.expand_dims(x, axis) for x in arrays])


@rule(np.vstack)
def vstack(tup: Arrays, **unsupported: Any) -> Any:
    """Arrays one below another, a vector being a row."""
    refuse_given("np.vstack", unsupported)
    return Concatenate(0)(*[np.atleast_2d(x) for x in tup])


@rule(np.hstack)
def hstack(tup: Arrays, **unsupported: Any) -> Any:
    """Vectors one after another, other arrays side by side."""
    refuse_given("np.hstack", unsupported)
    return HStack()(*[np.atleast_1d(x) for x in tup])


@rule(np.dstack)
def dstack(tup: Arrays) -> Any:
    """Arrays one behind another, along the third axis."""
    return Concatenate(2)(*[np.atleast_3d(x) for x in tup])


def as_columns(x: Any) -> Any:
    """A vector as a matrix of one column."""
    return x if np.ndim(x) > 1 else np.reshape(x, (-1, 1))


@rule(np.column_stack)
def column_stack(tup: Arrays) -> Any:
    """Vectors as the columns of a matrix."""
    return Concatenate(1)(*[Reshape(as_columns)(x) for x in tup])


@rule(np.append)
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """`values` after `arr`."""
    return np.concatenate([arr, values], axis=axis)


class Piece(LinearMap):
    """One of the pieces that an axis is cut into.

    Parameters
    ----------
    position : int
        Which of the pieces.
    indices_or_sections : int or tuple of int
        How many there are, or where the cuts are.
    axis : int or None
        None for the axis of `np.hsplit`.
    cut : callable
        `np.split`, or `np.array_split`, whose pieces may be unequal.
    """

    def __init__(
        self,
        position: int,
        indices_or_sections: int | tuple[int, ...],
        axis: int | None,
        cut: Callable[..., Any],
    ) -> None:
        self.position = position
        self.indices_or_sections = indices_or_sections
        self.axis = axis
        self.cut = cut

    def place(self, shape: tuple[int, ...]) -> slice:
        """Where the piece lies along the axis."""
        numbers = np.arange(shape[self.axis_of(shape)])
        piece = self.cut(numbers, self.indices_or_sections)[self.position]
        return slice(piece[0], piece[-1] + 1) if piece.size else slice(0, 0)

    def axis_of(self, shape: tuple[int, ...]) -> int:
        if self.axis is None:
            return 0 if len(shape) == 1 else 1
        return self.axis

    def linear(self, x: Any) -> Any:
        shape = np.shape(x)
        return x[along(self.axis_of(shape), self.place(shape))]

    def transposed(self, grad: Any, shape: tuple[int, ...]) -> Any:
        return scatter(grad, along(self.axis_of(shape), self.place(shape)), shape)


def split(
    ary: Any, indices_or_sections: Any, axis: int | None = 0, cut: Callable[..., Any] = np.split
) -> list[Any]:
    """The pieces that an axis is cut into, each of them a vertex."""
    if np.ndim(indices_or_sections) == 0:
        count = where = int(indices_or_sections)
        if count < 1:
            raise ValueError(f"np.{cut.__name__}: the number of sections is {count}, not positive")
        return [Piece(i, where, axis, cut)(ary) for i in range(count)]
    cuts = tuple([int(i) for i in indices_or_sections])
    return [Piece(i, cuts, axis, cut)(ary) for i in range(len(cuts) + 1)]


RULES[np.split] = split
RULES[np.array_split] = partial(split, cut=np.array_split)
RULES[np.hsplit] = partial(split, axis=None)
RULES[np.vsplit] = split
RULES[np.dsplit] = partial(split, axis=2)


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """The entries along an axis, which disappears."""
    return tuple(np.moveaxis(x, axis, 0))


if hasattr(np, "unstack"):  # since NumPy 2.1
    rule(np.unstack)(unstack)
