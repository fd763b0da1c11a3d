"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from nnlite.plot.axes import Axes, axes
from nnlite.plot.classes import class_names, class_numbers


def confusion_matrix(
    t: ArrayLike,
    predicted: ArrayLike,
    ax: Axes | None = None,
    names: Sequence[str] | None = None,
) -> Axes:
    """Count the samples of each class, in rows, that were taken for each class, in columns.

    A cell is the darker the larger its share of the row is.

    Parameters
    ----------
    t, predicted : array_like, (samples,) or (samples, 1)
        True and predicted classes, as whole numbers from 0.
    ax : Axes, optional
        Where to draw.
    names : sequence of str, optional
        Of the classes.

    Raises
    ------
    ValueError
        If these are no classes, or not as many of one as of the other.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = confusion_matrix([0, 1, 1], [0, 1, 0], ax=Figure().subplots())
    >>> [text.get_text() for text in ax.texts]
    ['1', '', '1', '1']
    """
    from matplotlib.patches import Rectangle

    rows, columns = class_numbers(t, "t"), class_numbers(predicted, "predicted")
    if rows.shape != columns.shape:
        raise ValueError(f"t has {rows.size} classes and predicted {columns.size}; one for each")
    count = int(max(rows.max(), columns.max())) + 1
    count = max(count, 0 if names is None else len(names))
    labels = class_names(names, count)
    counts = np.zeros((count, count), dtype=np.int64)
    np.add.at(counts, (rows, columns), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)

    side = 1.4 + 0.42 * count
    ax = axes(ax, side + 0.3, side)
    ax.imshow(np.sqrt(shares), cmap="Greys", vmin=0, vmax=1.15)
    for (i, j), number in np.ndenumerate(counts):
        ink = "white" if shares[i, j] > 0.4 else "black"
        ax.text(j, i, str(number) if number else "", ha="center", va="center", color=ink)
        if i == j:
            ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, fill=False, lw=0.8))
    slanted = max(map(len, labels)) > 3
    ax.set_xticks(range(count), labels, rotation=45 * slanted, ha="right" if slanted else "center")
    ax.set_yticks(range(count), labels)
    ax.tick_params(length=0)
    if slanted:
        for tick in ax.get_xticklabels():
            tick.set_rotation_mode("anchor")
    ax.set(xlabel="predicted class", ylabel="true class")
    return ax
