"""Features to mean 0 and standard deviation 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from nnlite.datasets.lazy import LazyArray, pieces
from nnlite.files.errors import DataError


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
    def fit(cls, X: NDArray[np.floating[Any]] | LazyArray) -> Standardizer:
        """Measure the mean and the standard deviation of each column of the training samples.

        Parameters
        ----------
        X : float array or LazyArray, (m, n)
            Read in pieces, whose means and variances are combined (Chan, Golub and LeVeque 1979).

        Returns
        -------
        Standardizer
            The scale of a constant column is 1.

        Raises
        ------
        DataError
            If `X` is not a float array of that shape, is empty, or holds NaN or infinity.
        """
        if X.ndim != 2 or X.dtype.kind != "f" or len(X) == 0:
            raise DataError(
                "a Standardizer is fitted to finite floats of shape (samples, features) with at "
                f"least one sample, not to this array of shape {X.shape} and dtype {X.dtype}"
            )
        first = X[0]
        mean, variance = np.zeros((2, len(first)))
        constant = np.ones(len(first), bool)
        m = 0
        for piece in pieces(X):
            for i, j in np.argwhere(~np.isfinite(piece)):
                raise DataError(
                    f"a Standardizer is fitted to finite floats, but row {m + i}, column {j} "
                    f"(both from 0) is {piece[i, j]}; correct the number or leave the row out"
                )
            k = len(piece)
            with np.errstate(over="ignore", invalid="ignore"):
                its_mean = piece.mean(axis=0, dtype=np.float64)
                its_variance = piece.var(axis=0, dtype=np.float64)
                if m == 0:
                    mean, variance = its_mean, its_variance
                else:
                    apart = its_mean - mean
                    share = k / (m + k)
                    mean = mean + share * apart
                    variance = variance + share * (its_variance - variance)
                    variance += share * (1 - share) * apart**2
            constant &= (piece == first).all(axis=0)
            m += k
        # Rounding can leave a constant column a tiny scale and a mean beside its value.
        constant |= variance == 0
        scale = np.where(constant, 1.0, np.sqrt(variance))
        if not np.isfinite(scale).all():
            column = int(np.argmin(np.isfinite(scale)))
            largest = max(np.abs(piece[:, column]).max() for piece in pieces(X))
            raise DataError(
                f"the values of column {column + 1} are too large to be standardised, up to "
                f"{largest:g}; give them in a larger unit"
            )
        return cls(np.where(constant, first, mean), scale)

    @overload
    def __call__(self, X: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]: ...
    @overload
    def __call__(self, X: LazyArray) -> LazyArray: ...
    def __call__(
        self, X: NDArray[np.floating[Any]] | LazyArray
    ) -> NDArray[np.floating[Any]] | LazyArray:
        """Return (X - mean) / scale, (m, n), in the dtype of `X`; rows of it when they are taken
        from a `LazyArray`.
        """
        if X.ndim != 2 or X.dtype.kind != "f" or X.shape[1] != len(self.mean):
            raise DataError(
                f"this Standardizer wants floats of shape (samples, {len(self.mean)}) but got "
                f"shape {X.shape} and dtype {X.dtype}"
            )
        if isinstance(X, LazyArray):
            return X.map(self)
        return ((X - self.mean) / self.scale).astype(X.dtype, copy=False)
