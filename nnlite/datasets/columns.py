"""The columns of a .npy or .npz file, by their names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite.datasets.lazy import LazyArray, pieces
from nnlite.datasets.table import Column, Columns, choose_columns
from nnlite.files.archive import open_npy, read_npz
from nnlite.files.errors import DataError, quote, reading

_NUMBERS = "fiub"
_TARGETS = "fiubUS"


def content(path: Path) -> str:
    """What a file holds by its first bytes: "npy", "npz", or else "csv"."""
    with reading(path), open(path, "rb") as file:
        start = file.read(6)
    if start.startswith((b"PK\3\4", b"PK\5\6")):
        return "npz"
    return "npy" if start == b"\x93NUMPY" else "csv"


def read_columns(
    path: Path,
    dtype: np.dtype[Any],
    features: Sequence[str] | None = None,
    target: str | None = None,
) -> Columns:
    """Read columns of a .npz file, or see those of a .npy file without keeping them in memory.

    Parameters
    ----------
    path : Path
        A .npy file of two axes, whose columns are called "0", "1" and so on, or of one axis with
        named fields; or a .npz file of such an array and one of targets.
    dtype : float dtype
    features : sequence of str, optional
        The columns to take; every column but the target if left out.
    target : str, optional
        The column, or the array of the .npz file, to predict.

    Raises
    ------
    DataError
        If the file cannot be read, a column is missing, or a feature is not a finite number; the
        message names file, row and column.
    """
    lazy = content(path) == "npy"
    values: NDArray[Any] | LazyArray = np.empty(0)
    if lazy:
        table = open_npy(path)
        rows = LazyArray(table)
        names = choose_columns(path, _names(path, table), features, target)
        if target is not None:
            _checked(path, target, _column(table, target), _TARGETS)
            values = rows.map(lambda block: _column(block, target))
    else:
        table, vector = _parts(path, read_npz(path), target)
        names = choose_columns(path, _names(path, table), features, None)
        if target is not None and vector is not None:
            values = _checked(path, target, vector, _TARGETS)
    if len(table) == 0:
        raise DataError(f"{path} has columns but no samples; add at least one row")
    for name in names:
        _checked(path, name, _column(table, name), _NUMBERS)

    def features_of(block: NDArray[Any]) -> NDArray[Any]:
        with np.errstate(over="ignore"):
            if block.ndim == 2:
                return np.take(block, numbers, axis=1).astype(dtype, "C", copy=False)
            X = np.empty((len(block), len(names)), dtype)
            for j, name in enumerate(names):
                X[:, j] = block[name]
            return X

    numbers = [int(name) for name in names] if table.ndim == 2 else []
    X = rows.map(features_of) if lazy else features_of(table)
    _check_finite(path, names, X)
    return Columns(names, X, values, Column(path, str(target)))


def _names(path: Path, table: NDArray[Any]) -> tuple[str, ...]:
    if table.ndim == 2 and table.dtype.names is None:
        return tuple(map(str, range(table.shape[1])))
    if table.ndim == 1 and table.dtype.names is not None:
        return table.dtype.names
    raise DataError(
        f"{path} holds an array of shape {table.shape} and dtype {table.dtype}; a table has two "
        "axes, (samples, columns), or one axis and named fields"
    )


def _column(table: NDArray[Any], name: str) -> NDArray[Any]:
    return table[:, int(name)] if table.ndim == 2 else table[name]


def _checked(path: Path, name: str, column: NDArray[Any], kinds: str) -> NDArray[Any]:
    """The column, if it holds one number, or for a target one text, a sample."""
    if column.ndim == 1 and column.dtype.kind in kinds:
        return column
    raise DataError(
        f"{path}, column {name!r}: expected one number {'or text ' if 'U' in kinds else ''}a "
        f"sample but found shape {column.shape} and dtype {column.dtype}; convert it, for "
        "instance with array.astype(float)"
    )


def _check_finite(path: Path, names: Sequence[str], X: NDArray[Any] | LazyArray) -> None:
    start = 0
    for piece in pieces(X):
        for i, j in np.argwhere(~np.isfinite(piece)):
            column = Column(path, names[j])
            raise column.error(start + int(i), f"finite {X.dtype} number", str(piece[i, j]))
        start += len(piece)


def _parts(
    path: Path, arrays: dict[str, NDArray[Any]], target: str | None
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """The features and, if it is asked for, the target of a .npz file."""
    shapes = ", ".join(f"{quote(name)} {array.shape}" for name, array in arrays.items())
    if target is not None and target not in arrays:
        raise DataError(f"{path} has no array {target!r}; the target must be one of {shapes}")
    vector = None if target is None else arrays[target]
    if vector is not None and vector.ndim == 2 and vector.shape[1] == 1:
        vector = vector[:, 0]
    tables = [
        name
        for name, array in arrays.items()
        if name != target and (array.ndim == 2 or array.dtype.names is not None)
    ]
    if "X" in tables:
        tables = ["X"]
    if len(tables) != 1:
        raise DataError(
            f"{path} has {len(tables)} arrays that may be the features, of {shapes}; call the one "
            "of shape (samples, features) 'X'"
        )
    table = arrays[tables[0]]
    if vector is not None and vector.shape[:1] != table.shape[:1]:
        raise DataError(
            f"{path}: {quote(tables[0])} has {len(table)} rows but the target {target!r} has "
            f"shape {vector.shape}; give one target a sample"
        )
    return table, vector
