"""Samples and their targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite.datasets.lazy import LazyArray
from nnlite.files.errors import DataError


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Samples and their targets; unpacks as ``X, t = dataset``.

    Parameters
    ----------
    X : float array or LazyArray, (m, n)
        One sample a row, one feature a column.
    t : array or LazyArray
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

    X: NDArray[np.floating[Any]] | LazyArray
    t: NDArray[Any] | LazyArray
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...] = ()
    target_name: str = "target"

    def __post_init__(self) -> None:
        if self.X.ndim != 2 or self.X.shape != (len(self.t), len(self.feature_names)):
            raise DataError(
                f"X must have the shape (samples, features), here ({len(self.t)}, "
                f"{len(self.feature_names)}) as t and feature_names say, but it has {self.X.shape}"
            )

    @property
    def task(self) -> str:
        """What kind of prediction `t` asks for: "binary", "multiclass" or "regression"."""
        if self.t.ndim == 1:
            return "multiclass"
        return "binary" if self.class_names else "regression"

    def __iter__(self) -> Iterator[Any]:
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
        """Draw a test part from the samples; the rest is for training.

        Arrays are copied in a shuffled order. Lazy arrays are not read, and both parts keep the
        order of the file, so that a pass over one reads the file from front to back.

        Parameters
        ----------
        test : float
            The share of the samples that go to the test part, between 0 and 1.
        rng : numpy.random.Generator or int
            Where the choice comes from; the same seed gives the same parts.

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
        >>> import nnlite as nn
        >>> train, test = nn.datasets.load_digits().split(test=0.25, rng=0)
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
        if isinstance(self.X, LazyArray) or isinstance(self.t, LazyArray):
            held_out.sort()
            kept.sort()
        return self._part(kept), self._part(held_out)

    def _part(self, rows: NDArray[np.int64]) -> Dataset:
        def of(array: Any) -> Any:
            return array.choose(rows) if isinstance(array, LazyArray) else array[rows]

        return replace(self, X=of(self.X), t=of(self.t))
