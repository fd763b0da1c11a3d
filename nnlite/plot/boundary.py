"""Where a classifier of two features changes its mind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlite.plot.axes import Axes, axes
from nnlite.plot.classes import class_names, class_numbers

FILLS = ("#c3d9ec", "#fbebe2", "#d9d9d9", "#e8f4ec", "#dcc6e3", "#faf3d8")
INKS = ("#1f4e79", "#9c3a1f", "#444444", "#2e7d57", "#6b3d7c", "#80691f")
MARKERS = ("o", "^", "s", "D", "v", "P")
POINTS = 201  # of the grid, along each side


def decision_boundary(
    predict: Callable[[Any], Any],
    X: ArrayLike,
    t: ArrayLike,
    ax: Axes | None = None,
    names: Sequence[str] | None = None,
) -> Axes:
    """Draw samples of two features, and the region of each class as a classifier has it.

    The classes differ in colour and marker; a sample in a region of another class is classified
    wrongly.

    Parameters
    ----------
    predict : callable
        A function, Module or Graph from (samples, 2) to probabilities of class 1, (samples,) or
        (samples, 1), where the boundary is at 0.5; or to a score for each class,
        (samples, classes), of which the greatest decides.
    X : array_like, (samples, 2)
    t : array_like, (samples,) or (samples, 1)
        True classes, as whole numbers from 0.
    ax : Axes, optional
        Where to draw.
    names : sequence of str, optional
        Of the classes, for the legend.

    Raises
    ------
    ValueError
        If X or the predictions have another shape, or t is not made of classes.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> X = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> ax = decision_boundary(lambda X: X[:, 0], X, [0, 1], ax=Figure().subplots())
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['0', '1']
    """
    points: NDArray[np.float64] = np.asarray(X, dtype=np.float64)
    classes = class_numbers(t, "t")
    if points.shape != (classes.size, 2):
        raise ValueError(
            f"decision_boundary draws samples of two features: X has shape {points.shape}, and "
            f"there are {classes.size} classes"
        )
    middle, reach = (points.max(0) + points.min(0)) / 2, np.ptp(points, axis=0) * 0.56
    low, high = middle - (reach + (reach == 0)), middle + (reach + (reach == 0))
    first, second = np.meshgrid(*np.linspace(low, high, POINTS).T)
    scores = _scores(predict, np.column_stack([first.ravel(), second.ravel()]))
    count = max(int(classes.max()) + 1, scores.shape[1])
    if count > len(MARKERS):
        raise ValueError(f"{count} classes are more than can be told apart; at most {len(MARKERS)}")
    labels = class_names(names, count)

    ax = axes(ax, 4.6, 3.6)
    for k in range(scores.shape[1]):
        lead = (scores[:, k] - np.delete(scores, k, axis=1).max(axis=1)).reshape(first.shape)
        ax.contourf(first, second, lead, [0, np.inf], colors=[FILLS[k]], zorder=0)
        if lead.min() < 0 < lead.max():
            ax.contour(first, second, lead, [0], colors="#222222", linewidths=1.0, zorder=1)
    for k, label in enumerate(labels[:count]):
        looks: dict[str, Any] = {"marker": MARKERS[k], "label": label, "lw": 0.6, "s": 22}
        looks |= {"color": INKS[k], "edgecolor": "white", "zorder": 2}
        ax.scatter(*points[classes == k].T, **looks)
    ax.set(xlabel="x₁", ylabel="x₂", xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    ax.legend(title="class", framealpha=0.9, edgecolor="none")
    return ax


def _scores(predict: Callable[[Any], Any], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """One for each class, (points, classes)."""
    found = np.asarray(predict(points), dtype=np.float64)
    if found.ndim not in (1, 2) or len(found) != len(points):
        raise ValueError(
            f"predict gave shape {found.shape} for X of shape {points.shape}; it gives "
            f"({len(points)},), ({len(points)}, 1) or ({len(points)}, classes)"
        )
    if found.ndim == 2 and found.shape[1] > 1:
        return found
    probability = found.reshape(-1)
    return np.column_stack([1 - probability, probability])
