"""Indexing, and its transposed: adding a gradient up where its entries were taken from."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from nnlite.core.primitives.base import Primitive
from nnlite.core.rules import rule
from nnlite.core.value import Value

HOLE = type("Hole", (), {"__repr__": lambda self: "·"})()


class GetItem(Primitive):
    """x[key].

    Parameters
    ----------
    key : tuple
        The key, with holes for those of its parts that are inputs.
    """

    def __init__(self, key: tuple[Any, ...]) -> None:
        self.key = key

    def forward(self, x: Any, *indices: Any) -> Any:
        key = filled(self.key, indices)
        self.save_for_backward(np.shape(x), key, len(indices))
        return getitem(x, key)

    def backward(self, grad: Any) -> Any:
        shape, key, count = self.saved
        return (scatter(grad, key, shape), *[None] * count)

    def jvp(self, tangent: Any, *constants: Any) -> Any:
        _, key, _ = self.saved
        return getitem(tangent, key)


class Scatter(Primitive):
    """Zeros of a shape, with the entries of an array added at a key: x[key] transposed."""

    def __init__(self, key: tuple[Any, ...], shape: tuple[int, ...]) -> None:
        self.key = key
        self.shape = shape

    def forward(self, x: Any, *indices: Any) -> Any:
        key = filled(self.key, indices)
        self.save_for_backward(key, len(indices))
        return scatter(x, key, self.shape)

    def backward(self, grad: Any) -> Any:
        key, count = self.saved
        return (getitem(grad, key), *[None] * count)

    def jvp(self, tangent: Any, *constants: Any) -> Any:
        key, _ = self.saved
        return scatter(tangent, key, self.shape)


def filled(key: tuple[Any, ...], indices: tuple[Any, ...]) -> tuple[Any, ...]:
    """The key with `indices` in its holes."""
    remaining = iter(indices)
    return tuple([next(remaining) if part is HOLE else part for part in key])


@rule(operator.getitem)
def getitem(x: Any, key: Any) -> Any:
    """x[key], where x or parts of the key may be nodes or duals."""
    parts = tuple([_part(item) for item in (key if isinstance(key, tuple) else (key,))])
    holes, indices = _split(parts)
    if not (indices or isinstance(x, Value)):
        return x[parts]
    return GetItem(holes)(x, *indices)


def scatter(x: Any, key: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """Zeros of `shape` with x added at `key`, where x or parts of the key may be nodes or duals."""
    holes, indices = _split(key)
    if indices or isinstance(x, Value):
        return Scatter(holes, shape)(x, *indices)
    y = np.zeros(shape, x.dtype)
    if 1 in x.shape and y[key].shape != x.shape:
        raise ValueError(f"a key for entries of shape {y[key].shape} got them in {x.shape}")
    if any(_may_repeat(part) for part in key):
        np.add.at(y, key, x)
    else:
        y[key] = x
    return y


def _may_repeat(part: Any) -> bool:
    return isinstance(part, np.ndarray) and part.dtype != bool and part.size > 1


def _part(item: Any) -> Any:
    """One part of a key as NumPy understands it: a list as an array."""
    if isinstance(item, list):
        array = np.asarray(item)
        return array if array.size else array.astype(np.intp)
    return item


def _split(parts: tuple[Any, ...]) -> tuple[tuple[Any, ...], list[Any]]:
    """The parts with holes for the nodes among them, and these nodes."""
    indices = [part for part in parts if isinstance(part, Value)]
    return tuple([HOLE if isinstance(part, Value) else part for part in parts]), indices


def along(axis: int, index: Any) -> tuple[Any, ...]:
    """The key that takes `index` along an axis."""
    if axis < 0:
        return (..., index, *(slice(None),) * (-axis - 1))
    return (*(slice(None),) * axis, index)
