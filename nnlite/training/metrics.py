"""How good predictions are: functions of (y, t), which a `Trainer` takes as metrics."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite.core.public import public


def accuracy(y: NDArray[Any], t: NDArray[Any], threshold: float = 0.5) -> float:
    """The share of samples that are put into the right class.

    Parameters
    ----------
    y : ndarray, (m, classes) or (m, 1)
        A score for each class, of which the largest wins; or for two classes a single number.
    t : ndarray, (m,) or (m, 1)
        Class numbers; 0 or 1 for two classes.
    threshold : float
        Above it a single number means class 1: ½ for probabilities, 0 for logits.

    Examples
    --------
    >>> accuracy(np.array([[0.9], [0.2], [0.6], [0.1]]), np.array([[1], [0], [0], [0]]))
    0.75
    >>> accuracy(np.array([[0.1, 0.7, 0.2], [0.8, 0.1, 0.1]]), np.array([1, 2]))
    0.5
    """
    if len(y) != len(t) or t.size != len(t) or y.ndim > 2 or y.size == 0:
        raise ValueError(
            f"accuracy: y of shape {y.shape} and t of shape {t.shape} do not belong together; "
            "expected (m, classes) or (m, 1), and a class number for each of the m samples"
        )
    classes = (y.reshape(-1) > threshold) if y.size == len(y) else np.argmax(y, axis=1)
    return float(np.mean(classes == t.reshape(-1)))


def r2(y: NDArray[Any], t: NDArray[Any]) -> float:
    """R² = 1 − Σ(y − t)² / Σ(t − t̄)²: 1 is perfect, 0 is as good as always saying t̄.

    Parameters
    ----------
    y, t : ndarray, of one shape
        With several columns the result is the mean of their R². It is NaN where t is constant.

    Examples
    --------
    >>> t = np.array([[1.0], [2.0], [3.0]])
    >>> r2(t, t), r2(np.full((3, 1), 2.0), t)
    (1.0, 0.0)
    """
    y, t = _columns("r2", y, t)
    left = np.sum((y - t) ** 2, axis=0)
    spread = np.sum((t - t.mean(axis=0)) ** 2, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.mean(np.where(spread > 0, 1 - left / spread, np.nan)))


def rmse(y: NDArray[Any], t: NDArray[Any]) -> float:
    """√(mean of (y − t)²), in the units of t.

    Examples
    --------
    >>> rmse(np.array([1.0, 2.0]), np.array([4.0, 5.0]))
    3.0
    """
    y, t = _columns("rmse", y, t)
    return float(np.sqrt(np.mean((y - t) ** 2)))


def mae(y: NDArray[Any], t: NDArray[Any]) -> float:
    """The mean of |y − t|, in the units of t.

    Examples
    --------
    >>> mae(np.array([1.0, 5.0]), np.array([1.0, 2.0]))
    1.5
    """
    y, t = _columns("mae", y, t)
    return float(np.mean(np.abs(y - t)))


def _columns(metric: str, y: NDArray[Any], t: NDArray[Any]) -> tuple[Any, Any]:
    """Both in double precision, as (m, columns): (m,) against (m, 1) would become (m, m)."""
    if y.shape != t.shape or y.size == 0:
        raise ValueError(
            f"{metric}: y has shape {y.shape} and t {t.shape}; expected the same for both, with a "
            "sample at least"
        )
    rows = len(y)
    return np.asarray(y, np.float64).reshape(rows, -1), np.asarray(t, np.float64).reshape(rows, -1)


public(globals(), "nnlite.metrics", own=True)
