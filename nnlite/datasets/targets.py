"""What to predict: two classes, several, or a quantity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite.datasets.lazy import LazyArray, pieces
from nnlite.datasets.table import Column
from nnlite.files.errors import DataError, quote

TASKS = ("binary", "multiclass", "regression")

_MOST_CLASSES = 10_000
_MOST_GUESSED = 20
_FEWEST_OF_A_CLASS = 5


def encode(
    values: NDArray[Any] | LazyArray,
    column: Column,
    dtype: np.dtype[Any],
    task: str | None = None,
    classes: Sequence[str] | None = None,
) -> tuple[NDArray[Any] | LazyArray, tuple[str, ...]]:
    """Return t and the names of its classes, as `nnlite.datasets.loading.load` describes them.

    Parameters
    ----------
    values : array or LazyArray, (m,)
        Numbers, booleans or text.
    column : Column
        Where they come from.
    dtype : float dtype
        Of t, where it is not made of labels.
    task : {"binary", "multiclass", "regression"}, optional
        Guessed if left out.
    classes : sequence of str, optional
        The names in the order of their numbers; those of `values`, sorted, if left out.
    """
    numeric = values.dtype.kind in "fiu"
    found = _distinct(values, column, dtype)
    if task is None and not classes:
        task = _guess(found, len(values)) if numeric else None
    if task == "regression":
        if not numeric:
            raise column.error(0, f"finite {dtype} number", quote(str(values[0])))
        return _each(values, lambda piece: piece.astype(dtype)[:, None]), ()
    if found is None:
        raise DataError(
            f"{column.path}, column {column.name!r} has more than {_MOST_CLASSES:,} different "
            "values, too many for classes; choose another target"
        )
    names = [_name(value) for value in found]
    if {name.lower() for name in (*names, *(classes or ()))} <= {"true", "false"}:
        names = [name.lower() for name in names]
    if not classes:
        classes = tuple(dict.fromkeys(names) if numeric else sorted(set(names)))
        _check_classes(classes, task, column, len(values))
    numbers = {name: number for number, name in enumerate(classes)}
    for value, name in zip(found, names):
        if name not in numbers:
            expected = f"class ({' or '.join(map(quote, classes[:20]))})"
            raise column.error(_first(values, value), expected, quote(str(value)))
    labels = np.array([numbers[name] for name in names])
    several = task == "multiclass" or (task is None and len(classes) > 2)

    def number(piece: NDArray[Any]) -> NDArray[Any]:
        label = labels[np.searchsorted(found, piece)]
        return label if several else label.astype(dtype)[:, None]

    return _each(values, number), tuple(classes)


def _guess(found: NDArray[Any] | None, m: int) -> str:
    """The task that m numbers with these distinct values set."""
    if found is None:
        return "regression"
    if len(found) <= 2:
        return "binary"
    few = len(found) <= min(_MOST_GUESSED, m / _FEWEST_OF_A_CLASS)
    return "multiclass" if few and (found == np.round(found)).all() else "regression"


def _check_classes(classes: Sequence[str], task: str | None, column: Column, m: int) -> None:
    where = f"{column.path}, column {column.name!r}"
    if len(classes) == 1:
        raise DataError(
            f"{where}: {quote(classes[0])} is the only class in {m} samples; add samples of "
            "another class"
        )
    if task == "binary" and len(classes) > 2:
        raise DataError(
            f"{where} has {len(classes)} classes, {', '.join(map(quote, classes[:20]))}, but the "
            "task 'binary' has two; give the task 'multiclass', or another target"
        )


def _distinct(
    values: NDArray[Any] | LazyArray, column: Column, dtype: np.dtype[Any]
) -> NDArray[Any] | None:
    """The sorted distinct values, None if they are too many; every value is looked at."""
    found: NDArray[Any] | None = np.empty(0, values.dtype)
    start = 0
    for piece in pieces(values):
        if piece.dtype.kind in "fiu":
            with np.errstate(over="ignore"):
                finite = np.isfinite(piece.astype(dtype))
            for i in np.flatnonzero(~finite):
                raise column.error(start + int(i), f"finite {dtype} number", str(piece[i]))
        if found is not None:
            here = np.unique(piece)
            for value in here:
                if _name(value).lower() in ("", "nan"):
                    row = start + int(np.flatnonzero(piece == value)[0])
                    raise column.error(row, "class name", quote(str(value)))
            found = np.union1d(found, here)
            if len(found) > _MOST_CLASSES:
                found = None
        start += len(piece)
    return found


def _first(values: NDArray[Any] | LazyArray, value: Any) -> int:
    """The row in which this value stands first."""
    start = 0
    for piece in pieces(values):
        for i in np.flatnonzero(piece == value):
            return start + int(i)
        start += len(piece)
    raise AssertionError(f"{value!r} is not there any more")


def _name(value: Any) -> str:
    """What a class is called: whole numbers without a point, 2 for 2.0."""
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, np.bool_):
        return "true" if value else "false"
    return str(int(value)) if value == int(value) else str(value)


def _each(
    values: NDArray[Any] | LazyArray, function: Callable[[NDArray[Any]], NDArray[Any]]
) -> NDArray[Any] | LazyArray:
    return values.map(function) if isinstance(values, LazyArray) else function(values)
