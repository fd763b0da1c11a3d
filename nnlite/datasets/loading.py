"""Tables in files, as data sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nnlite.datasets.columns import content, read_columns
from nnlite.datasets.dataset import Dataset
from nnlite.datasets.lazy import LazyArray
from nnlite.datasets.table import Columns, read_table
from nnlite.datasets.targets import TASKS, encode


def load(
    path: str | Path,
    target: str,
    dtype: DTypeLike = np.float64,
    *,
    task: str | None = None,
    features: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
) -> Dataset:
    r"""Load a table with one column to predict from a CSV, .npy or .npz file.

    A CSV file is UTF-8 text, as it is or in gzip; its first line names the columns, which are
    separated by commas, semicolons or tabs. The columns of a .npy file are called "0", "1" and so
    on, or are the named fields of an array of one axis. A .npz file holds such an array and one
    of targets, called `target`. Which of them a file is, its first bytes tell.

    A .npy file may be larger than memory: it is looked through once and not kept, and `X` and `t`
    are lazy arrays that read rows when they are taken. Leave the file as it is meanwhile.

    Parameters
    ----------
    path : str or Path
    target : str
        The name of the column to predict: numbers, booleans or text.
    dtype : float dtype
    task : {"binary", "multiclass", "regression"}, optional
        If left out it follows from the target. Text and booleans are classes. So are two different
        numbers, and up to 20 different whole ones that come 5 times each on average. Other
        numbers are a quantity. Two classes are binary, more are multiclass.
    features : sequence of str, optional
        The columns to take, in this order, whatever else the file has; every column but the
        target if left out.
    classes : sequence of str, optional
        The names of the classes in the order of their numbers, as in another data set's
        `class_names`; if left out, those in the file: numbers in their order, text sorted.

    Returns
    -------
    Dataset
        `X` is (m, n) in `dtype`; `t` is (m, 1) in `dtype`, with 0 and 1 for two classes, or (m,)
        int64 labels if the task is multiclass.

    Raises
    ------
    DataError
        If the file cannot be read or a value cannot be used; the message names the file, the line
        or row, and the column.
    TypeError
        If `dtype` is not a float dtype.
    ValueError
        If there is no such task.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "fruit.csv"
    ...     _ = path.write_text("mass;ripe\n0.2;True\n0.3;False\n")
    ...     data = load(path, target="ripe")
    >>> data
    <Dataset: 2 samples, 1 features, target 'ripe' (false, true)>
    >>> data.task
    'binary'
    """
    if task is not None and task not in TASKS:
        raise ValueError(f"task is one of {', '.join(map(repr, TASKS))} or None, got {task!r}")
    return _dataset(_read(path, dtype, features, target), task, classes)


def load_features(
    path: str | Path, features: Sequence[str], dtype: DTypeLike = np.float64
) -> NDArray[np.floating[Any]] | LazyArray:
    r"""Load the named columns of a CSV, .npy or .npz file, whatever else it has.

    Parameters
    ----------
    path : str or Path
        As for `load`; the target need not be there.
    features : sequence of str
        The columns to take, in this order.
    dtype : float dtype

    Returns
    -------
    array or LazyArray, (m, n)
        In `dtype`; lazy from a .npy file.

    Raises
    ------
    DataError, TypeError
        As by `load`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "fruit.csv"
    ...     _ = path.write_text("name,mass,length\nAda,0.2,0.07\n")
    ...     load_features(path, ["length", "mass"])
    array([[0.07, 0.2 ]])
    """
    return _read(path, dtype, features).X


def load_csv(path: str | Path, target: str, dtype: DTypeLike = np.float64) -> Dataset:
    r"""Load a CSV file; like `load`, but a numeric target is always a quantity.

    Parameters
    ----------
    path : str or Path
    target : str
        The name of the column to predict.
    dtype : float dtype

    Returns
    -------
    Dataset
        `X` is (m, n) in `dtype`. A numeric target becomes a `t` of (m, 1) in `dtype`. Text, and
        true and false in any case, become classes, numbered in the order of their sorted names:
        two give a `t` of (m, 1) with 0 and 1 in `dtype`, more give a `t` of (m,) int64.

    Raises
    ------
    DataError
        If the file cannot be read or a cell cannot be used; the message names file, line and
        column.
    TypeError
        If `dtype` is not a float dtype.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "fruit.csv"
    ...     _ = path.write_text("mass;length;fruit\n0.2;0.07;apple\n0.3;0.2;banana\n")
    ...     X, t = load_csv(path, target="fruit")
    >>> X, t
    (array([[0.2 , 0.07],
           [0.3 , 0.2 ]]), array([[0.],
           [1.]]))
    """
    columns = read_table(Path(path), _floating(dtype), target=target)
    return _dataset(columns, None if columns.values.dtype == object else "regression")


def _read(
    path: str | Path, dtype: DTypeLike, features: Sequence[str] | None, target: str | None = None
) -> Columns:
    path, dtype = Path(path), _floating(dtype)
    read = read_table if content(path) == "csv" else read_columns
    return read(path, dtype, features, target)


def _dataset(columns: Columns, task: str | None, classes: Sequence[str] | None = None) -> Dataset:
    X, target = columns.X, columns.target
    t, class_names = encode(columns.values, target, X.dtype, task, classes)
    return Dataset(X, t, columns.names, class_names, target.name)


def _floating(dtype: DTypeLike) -> np.dtype[Any]:
    if np.dtype(dtype).kind != "f":
        raise TypeError(f"dtype must be a float dtype such as np.float32, not {np.dtype(dtype)}")
    return np.dtype(dtype)
