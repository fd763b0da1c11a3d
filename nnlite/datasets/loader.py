"""Mini-batches out of arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite.core.arguments import FLAG, SIZE, Checked
from nnlite.core.public import public
from nnlite.datasets.lazy import LazyArray


class DataLoader:
    """Passes over the samples in mini-batches of (X, t).

    Parameters
    ----------
    X, t : ndarray or LazyArray
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

    batch_size = Checked(SIZE)
    shuffle = Checked(FLAG)
    drop_last = Checked(FLAG)

    def __init__(
        self,
        X: NDArray[Any] | LazyArray,
        t: NDArray[Any] | LazyArray,
        batch_size: int,
        shuffle: bool = False,
        drop_last: bool = False,
        rng: np.random.Generator | int | None = None,
    ) -> None:
        if len(X) != len(t) or len(X) == 0:
            raise ValueError(
                f"DataLoader: X has {len(X)} rows and t {len(t)}; give as many of each, and some"
            )
        self.X, self.t = X, t
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.rng = np.random.default_rng(rng)
        if len(self) == 0:
            raise ValueError(
                f"DataLoader: batch_size={batch_size} with drop_last makes no batch of {len(X)} "
                "samples; make it smaller"
            )
        self._position = 0
        self._order: dict[str, Any] | None = None
        self._goes_on = False

    def __len__(self) -> int:
        """The number of batches in a pass."""
        whole, rest = divmod(len(self.X), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """A new pass; after `load_state_dict`, the rest of the one that was left."""
        begin, rng = 0, self.rng
        if self._goes_on:
            begin, self._goes_on = self._position, False
            if self._order is not None:
                rng = self._generator(self._order)
        elif self.shuffle:
            self._order = _plain(self.rng.bit_generator.state)
        order = rng.permutation(len(self.X)) if self.shuffle else None
        for position in range(begin, len(self)):
            rows: Any = slice(position * self.batch_size, (position + 1) * self.batch_size)
            if order is not None:
                rows = order[rows]
            self._position = position + 1
            yield self.X[rows], self.t[rows]
        self._position, self._order = 0, None

    def state_dict(self) -> dict[str, Any]:
        """Where the loader is in its pass, in values that JSON can hold.

        Returns
        -------
        dict
            ``position``, the batches that this pass has handed out, 0 between passes; ``order``,
            the state of the generator from which its order was drawn, None if it has none;
            ``rng``, that generator's state now; and the sizes by which another loader is known.
        """
        return {
            "position": self._position,
            "order": self._order,
            "rng": _plain(self.rng.bit_generator.state),
            **self._sizes(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Have the next iteration go on where the loader that gave this state was.

        Parameters
        ----------
        state : dict
            From `state_dict` of a loader of as many samples, made with the same arguments.

        Raises
        ------
        ValueError
            If the state is another loader's.
        """
        for name, own in self._sizes().items():
            if state.get(name) != own:
                raise ValueError(
                    f"this state is of another DataLoader: {name} is {state.get(name)!r} there "
                    f"and {own!r} here; make the loader as it was"
                )
        position: Any = state.get("position")
        order = state.get("order")
        within = isinstance(position, int) and 0 <= position <= len(self)
        if not within or (order is not None) != (self.shuffle and position > 0):
            raise ValueError(
                f"the state of this DataLoader is damaged: position {position!r} of {len(self)} "
                f"with {'no' if order is None else 'an'} order; take an older one"
            )
        now = self._generator(state.get("rng", {}))
        if order is not None:
            self._generator(order)
        self.rng.bit_generator.state = now.bit_generator.state
        self._position, self._order = position, order
        self._goes_on = position > 0

    def _generator(self, state: dict[str, Any]) -> np.random.Generator:
        """A generator as `rng` was when its state was kept."""
        bits = type(self.rng.bit_generator)(0)
        try:
            bits.state = state
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            raise ValueError(
                f"the state of this DataLoader does not fit its generator, a "
                f"{type(bits).__name__} ({error}); make the loader with an rng of the same kind"
            ) from error
        return np.random.Generator(bits)

    def _sizes(self) -> dict[str, Any]:
        return {
            "samples": len(self.X),
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
            "drop_last": self.drop_last,
        }


def _plain(state: Any) -> Any:
    """The state of a bit generator with lists for arrays and plain numbers."""
    if isinstance(state, dict):
        return {name: _plain(value) for name, value in state.items()}
    return state.tolist() if isinstance(state, np.ndarray | np.generic) else state


public(globals(), "nnlite", own=True)
