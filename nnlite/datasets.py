"""Data sets: the two that come with nnlite, and any table in a CSV file.

>>> import nnlite as nn
>>> data = nn.datasets.load_breast_cancer()
>>> train, test = data.split(test=0.2, rng=0)
>>> standardize = nn.datasets.Standardizer.fit(train.X)
>>> X, t = standardize(train.X), train.t
>>> X.shape, t.shape
((455, 30), (455, 1))
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nnlite.table import DataError, number_classes, quote, read_table, to_float

__all__ = ["DataError", "Dataset", "Standardizer", "load_breast_cancer", "load_csv", "load_digits"]


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Samples and their targets; unpacks as ``X, t = dataset``.

    Parameters
    ----------
    X : float array, (m, n)
        One sample a row, one feature a column.
    t : array
        What to predict: (m, 1) numbers of `X`'s dtype, where 0 and 1 stand for two classes; or (m,)
        int64 labels of more than two classes.
    feature_names : tuple of str
        The n names of the columns of `X`.
    class_names : tuple of str
        The name of each class in the order of its number; empty if `t` is a quantity.
    target_name : str
        What `t` is.

    Raises
    ------
    DataError
        If the three sizes do not fit together.
    """

    X: NDArray[np.floating[Any]]
    t: NDArray[Any]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...] = ()
    target_name: str = "target"

    def __post_init__(self) -> None:
        if self.X.ndim != 2 or self.X.shape != (len(self.t), len(self.feature_names)):
            raise DataError(
                f"X must have the shape (samples, features), here ({len(self.t)}, "
                f"{len(self.feature_names)}) as t and feature_names say, but it has {self.X.shape}"
            )

    def __iter__(self) -> Iterator[NDArray[Any]]:
        yield self.X
        yield self.t

    def __len__(self) -> int:
        """Return the number of samples m."""
        return len(self.X)

    def __repr__(self) -> str:
        m, n = self.X.shape
        classes = f" ({', '.join(self.class_names)})" if self.class_names else ""
        return f"<Dataset: {m} samples, {n} features, target {self.target_name!r}{classes}>"

    def split(
        self, test: float = 0.2, *, rng: np.random.Generator | int
    ) -> tuple[Dataset, Dataset]:
        """Shuffle the samples and divide them into a training and a test part.

        Parameters
        ----------
        test : float
            The share of the samples that go to the test part, between 0 and 1.
        rng : numpy.random.Generator or int
            Where the shuffle comes from; the same seed gives the same parts.

        Returns
        -------
        train, test : Dataset
            With m - k and k samples, k = round(test * m).

        Raises
        ------
        DataError
            If a part would be empty.

        Examples
        --------
        >>> train, test = load_digits().split(test=0.25, rng=0)
        >>> len(train), len(test)
        (1348, 449)
        """
        m = len(self)
        k = round(test * m) if 0 < test < 1 else 0
        if not 0 < k < m:
            raise DataError(
                f"test={test} of {m} samples leaves the training or the test part empty; "
                "give a share between 0 and 1 that is at least one sample"
            )
        order = np.random.default_rng(rng).permutation(m)
        held_out, kept = order[:k], order[k:]
        return (
            replace(self, X=self.X[kept], t=self.t[kept]),
            replace(self, X=self.X[held_out], t=self.t[held_out]),
        )


@dataclass(frozen=True, eq=False)
class Standardizer:
    """Features to mean 0 and standard deviation 1: (x - mean) / scale.

    Parameters
    ----------
    mean, scale : float64 array, (n,)
        One number a feature.

    Examples
    --------
    >>> X = np.array([[1.0, 7.0], [3.0, 7.0]])
    >>> standardize = Standardizer.fit(X)
    >>> standardize(X)
    array([[-1.,  0.],
           [ 1.,  0.]])
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def fit(cls, X: NDArray[np.floating[Any]]) -> Standardizer:
        """Measure the mean and the standard deviation of each column of the training samples.

        Parameters
        ----------
        X : float array, (m, n)

        Returns
        -------
        Standardizer
            The scale of a constant column is 1.

        Raises
        ------
        DataError
            If `X` is not a float array of that shape, is empty, or holds NaN or infinity.
        """
        if X.ndim != 2 or X.dtype.kind != "f" or len(X) == 0 or not np.isfinite(X).all():
            raise DataError(
                "a Standardizer is fitted to finite floats of shape (samples, features) with at "
                f"least one sample, not to this array of shape {X.shape} and dtype {X.dtype}"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            mean, scale = X.mean(axis=0, dtype=np.float64), X.std(axis=0, dtype=np.float64)
        if not np.isfinite(scale).all():
            column = int(np.argmin(np.isfinite(scale)))
            raise DataError(
                f"the values of column {column + 1} are too large to be standardised, up to "
                f"{np.abs(X[:, column]).max():g}; give them in a larger unit"
            )
        # Rounding can leave a constant column a tiny scale and a mean beside its value.
        constant = (np.ptp(X, axis=0) == 0) | (scale == 0)
        return cls(np.where(constant, X[0], mean), np.where(constant, 1.0, scale))

    def __call__(self, X: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """Return (X - mean) / scale, (m, n), in the dtype of `X`."""
        if X.ndim != 2 or X.dtype.kind != "f" or X.shape[1] != len(self.mean):
            raise DataError(
                f"this Standardizer wants floats of shape (samples, {len(self.mean)}) but got "
                f"shape {X.shape} and dtype {X.dtype}"
            )
        return ((X - self.mean) / self.scale).astype(X.dtype, copy=False)


def load_breast_cancer(dtype: DTypeLike = np.float64) -> Dataset:
    """Load the Wisconsin diagnostic data: is a tumour benign (0) or malignant (1)?

    Parameters
    ----------
    dtype : float dtype

    Returns
    -------
    Dataset
        `X` is (569, 30) and `t` is (569, 1), both in `dtype`.

    Examples
    --------
    >>> load_breast_cancer()
    <Dataset: 569 samples, 30 features, target 'diagnosis' (benign, malignant)>
    """
    return load_csv(_shipped("breast_cancer.csv"), target="diagnosis", dtype=dtype)


def load_digits(dtype: DTypeLike = np.float64) -> Dataset:
    """Load 8 × 8 pictures of handwritten digits, each pixel from 0 (paper) to 16 (ink).

    Parameters
    ----------
    dtype : float dtype

    Returns
    -------
    Dataset
        `X` is (1797, 64) in `dtype` and `t` is (1797,) int64, the digits themselves.

    Examples
    --------
    >>> X, t = load_digits()
    >>> t[:5]
    array([0, 1, 2, 3, 4])
    """
    data = load_csv(_shipped("digits.csv.gz"), target="digit", dtype=dtype)
    return replace(data, t=data.t[:, 0].astype(np.int64), class_names=tuple("0123456789"))


def load_csv(path: str | Path, target: str, dtype: DTypeLike = np.float64) -> Dataset:
    r"""Load a table of numbers with one column to predict.

    The file is UTF-8 text, as it is or in gzip; its first line names the columns, which are
    separated by commas, semicolons or tabs. Every column but the target is a feature.

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
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        raise TypeError(f"dtype must be a float dtype such as np.float32, not {dtype}")
    names, rows, lines = read_table(Path(path))
    if target not in names:
        columns = ", ".join(map(quote, names))
        raise DataError(f"{path} has no column {target!r}; the target must be one of {columns}")
    if len(names) == 1:
        raise DataError(f"{path} has no column but the target {target!r}; add a feature")
    column = names.index(target)
    values = np.array([[to_float(cell) for cell in row] for row in rows])
    class_names: tuple[str, ...] = ()
    if np.isnan(values[:, column]).all():
        values[:, column], class_names = number_classes([row[column] for row in rows])
    if len(class_names) == 1:
        raise DataError(
            f"{path}, column {target!r}: {quote(class_names[0])} is the only class in "
            f"{len(rows)} samples; add samples of another class"
        )
    with np.errstate(over="ignore"):
        table = values.astype(dtype)
    for i, j in np.argwhere(~np.isfinite(table)):
        wanted = "class name" if class_names and j == column else f"finite {dtype} number"
        raise DataError(
            f"{path}, line {lines[i]}, column {names[j]!r}: expected a {wanted} but found "
            f"{quote(rows[i][j])}; correct the cell or delete the line"
        )
    t = values[:, column].astype(np.int64) if len(class_names) > 2 else table[:, [column]]
    features = (*names[:column], *names[column + 1 :])
    return Dataset(np.delete(table, column, axis=1), t, features, class_names, target)


def _shipped(name: str) -> Path:
    """Return where a data file is: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    places = [package / "data" / name, package.parent / "data" / name]
    for place in places:
        if place.is_file():
            return place
    raise DataError(f"{name} is neither at {places[0]} nor at {places[1]}; install nnlite again")
