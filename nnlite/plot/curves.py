"""The curves of a training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np

from nnlite.plot.axes import CURVES, Axes, axes, open_corner

Record = Mapping[str, Any]


def history(
    history: Record | Sequence[Record],
    ax: Axes | None = None,
    keys: Sequence[str] | None = None,
) -> Axes:
    """Draw what a training run recorded, epoch by epoch.

    Parameters
    ----------
    history : mapping of str to sequence of float, or sequence of mappings of str to float
        One number an epoch, NaN where there is none, column by column or row by row; ``"epoch"``,
        where given, counts them.
    ax : Axes, optional
        Where to draw.
    keys : sequence of str, optional
        What to draw on this scale; by default whatever has "loss" in its name.

    Raises
    ------
    ValueError
        If a key is missing, or has more or fewer numbers than there are epochs.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> record = {"epoch": [1, 2], "train_loss": [0.7, 0.4], "test_loss": [0.7, 0.5]}
    >>> history(record, ax=Figure().subplots()).get_ylabel()
    'loss'
    """
    from matplotlib.ticker import MaxNLocator

    columns = history if isinstance(history, Mapping) else _columns(history)
    if isinstance(keys, str):
        keys = [keys]
    keys = [key for key in columns if "loss" in key] if keys is None else keys
    _check(columns, keys)
    ax = axes(ax)
    quantities = {key.rpartition("_")[2] for key in keys}
    quantity = quantities.pop() if len(quantities) == 1 else ""
    for key, (colour, dashes) in zip(keys, cycle(CURVES), strict=False):
        y = np.asarray(columns[key], dtype=float)
        x = np.asarray(columns.get("epoch", range(1, len(y) + 1)))
        known = ~np.isnan(y)
        marker = "o" if known.sum() == 1 else ""
        label = key.removesuffix(f"_{quantity}").replace("_", " ")
        ax.plot(x[known], y[known], dashes, color=colour, lw=1.5, marker=marker, ms=4, label=label)
    ax.set(xlabel="epoch", ylabel=quantity or "value")
    first, last = ax.dataLim.intervalx
    if first == last:
        ax.set_xlim(first - 1, last + 1)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    open_corner(ax)
    if len(keys) > 1:
        ax.legend(frameon=False)
    return ax


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """Column by column, with NaN where a row has no entry."""
    keys = dict.fromkeys(key for row in rows for key in row)
    return {
        key: [float("nan") if row.get(key) is None else row[key] for row in rows] for key in keys
    }


def _check(columns: Record, keys: Sequence[str]) -> None:
    if not keys or not set(keys) <= set(columns):
        raise ValueError(f"cannot draw keys={list(keys)}: the history has {list(columns)}")
    for key in keys:
        if "epoch" in columns and len(columns[key]) != len(columns["epoch"]):
            raise ValueError(
                f"{key!r} has {len(columns[key])} numbers for {len(columns['epoch'])} epochs; "
                "give NaN for an epoch without one"
            )
