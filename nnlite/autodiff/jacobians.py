"""Whole Jacobians: reverse when n ≫ m, forward when n ≤ m (seminar 3, *Conclusion*)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from nnlite.autodiff.forward import jvp
from nnlite.autodiff.primals import Argnums, Function, as_float, of_chosen, positions_of
from nnlite.autodiff.reverse import vjp
from nnlite.core.bundle import Bundle, NotTogetherError
from nnlite.core.value import next_level

BUNDLE_SIZE = 64


def jacobian(f: Function, *args: Any, argnums: Argnums = 0, mode: str = "auto") -> Any:
    """The Jacobian of f, entry by entry.

    Parameters
    ----------
    f : callable
        From arrays to one array.
    *args : array_like of floats
        The arguments of f.
    argnums : int or sequence of int
        The arguments to differentiate with respect to; for a sequence the result is a tuple.
    mode : {"auto", "forward", "reverse"}
        Whether columns are computed from tangents, or rows from cotangents; "auto" takes reverse
        where the input has more elements than the output (n > m), forward otherwise (seminar 3,
        *Conclusion*). Many columns, or rows, travel together in one pass.

    Returns
    -------
    array of shape ``f(x).shape + x.shape``

    Raises
    ------
    ValueError
        If `mode` or `argnums` is none of these.
    TypeError
        If f has several results, or an argument is not of floats.

    Examples
    --------
    >>> A, X = np.array([[1.0, 2.0]]), np.zeros((2, 3))
    >>> jacobian(lambda X: np.sin(A @ X), X).shape
    (1, 3, 2, 3)
    """
    if mode not in ("auto", "forward", "reverse"):
        raise ValueError(f"jacobian: mode is 'auto', 'forward' or 'reverse', got {mode!r}")
    positions = positions_of(argnums, args)
    xs = [as_float(args[position]) for position in positions]
    chosen = of_chosen(f, args, positions)
    jacobians = None
    if mode != "forward":
        value, pullback = vjp(chosen, *xs)
        if isinstance(value, tuple):
            raise TypeError("jacobian is for functions with one result; this one has several")
        if mode == "reverse" or sum(np.size(x) for x in xs) > np.size(value):
            jacobians = _from_rows(value, pullback, xs)
        del pullback  # and with it all that the recording stores
    if jacobians is None:
        jacobians = _from_columns(chosen, xs)
    return jacobians if isinstance(argnums, Sequence) else jacobians[0]


def _from_rows(value: Any, pullback: Function, xs: list[Any]) -> tuple[Any, ...]:
    """The Jacobian from its rows Jᵀ·e, e the unit cotangents."""
    rows = _propagated(value, pullback)
    found = zip(*rows) if rows else [()] * len(xs)
    return tuple(
        np.reshape(_joined(parts, x), np.shape(value) + np.shape(x)) for parts, x in zip(found, xs)
    )


def _from_columns(f: Function, xs: list[Any]) -> tuple[Any, ...]:
    """The Jacobian from its columns J·e, e the unit tangents."""
    jacobians = []
    for position, x in enumerate(xs):
        alone = of_chosen(f, tuple(xs), (position,))
        value = alone(x)
        if isinstance(value, tuple):
            raise TypeError("jacobian is for functions with one result; this one has several")
        columns = _propagated(x, lambda units, x=x, f=alone: jvp(f, (x,), (units,))[1:])
        joined = _joined([column for (column,) in columns], value)
        jacobians.append(np.reshape(np.moveaxis(joined, 0, -1), np.shape(value) + np.shape(x)))
    return tuple(jacobians)


def _propagated(like: Any, function: Function) -> list[list[Any]]:
    """What `function` makes of all unit arrays of a shape: lists of results with an axis in front.

    The units travel in bundles; where a module has no use for a bundle (it leaves NumPy, or
    branches on a gradient), one by one.
    """
    try:
        return [
            [units.members_of(result) for result in function(units)]
            for units in _unit_bundles(like, BUNDLE_SIZE)
        ]
    except (NotTogetherError, NotImplementedError):
        return [
            [np.expand_dims(result, 0) for result in function(units.members[0])]
            for units in _unit_bundles(like, 1)
        ]


def _joined(parts: Sequence[Any], like: Any) -> Any:
    """The members of all bundles, one after the other; each has the shape of `like`."""
    return np.concatenate(parts) if parts else np.zeros((0, *np.shape(like)), like.dtype)


def _unit_bundles(x: Any, size: int) -> Iterator[Bundle]:
    """The unit arrays of x's shape and dtype, `size` at a time."""
    n = np.size(x)
    for start in range(0, n, size):
        count = min(size, n - start)
        units = np.eye(count, n, start, dtype=x.dtype)
        yield Bundle(units.reshape(count, *np.shape(x)), next_level())
