"""Mini-batches out of arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


class DataLoader:
    """Passes over the samples in mini-batches of (X, t).

    Parameters
    ----------
    X, t : ndarray
        Samples and targets, as many rows each, at least one.
    batch_size : int
        Rows of a batch, at least 1; the last of a pass may have fewer.
    shuffle : bool
        Whether each pass has an order of its own.
    drop_last : bool
        Whether a last batch of fewer rows is left out.
    rng : numpy.random.Generator or int, optional
        Where the orders come from.

    Examples
    --------
    >>> loader = DataLoader(np.arange(5), np.arange(5), batch_size=2)
    >>> [X.tolist() for X, t in loader]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        X: NDArray[Any],
        t: NDArray[Any],
        batch_size: int,
        shuffle: bool = False,
        drop_last: bool = False,
        rng: np.random.Generator | int | None = None,
    ) -> None:
        if len(X) != len(t) or len(X) == 0:
            raise ValueError(
                f"DataLoader: X has {len(X)} rows and t {len(t)}; give as many of each, and some"
            )
        if batch_size < 1 or (drop_last and batch_size > len(X)):
            raise ValueError(
                f"DataLoader: batch_size={batch_size} makes no batch of {len(X)} samples"
            )
        self.X, self.t = X, t
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.rng = np.random.default_rng(rng)

    def __len__(self) -> int:
        """The number of batches in a pass."""
        whole, rest = divmod(len(self.X), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        order = self.rng.permutation(len(self.X)) if self.shuffle else None
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            rows: Any = slice(start, start + self.batch_size)
            if order is not None:
                rows = order[rows]
            yield self.X[rows], self.t[rows]
