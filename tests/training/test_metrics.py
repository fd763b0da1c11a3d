"""Metrics agree with scikit-learn's, and refuse what does not belong together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from nnlite import metrics

RNG_SEED = 3


@pytest.fixture
def numbers() -> tuple[Any, Any]:
    rng = np.random.default_rng(RNG_SEED)
    return rng.standard_normal((40, 2)), rng.standard_normal((40, 2))


def test_accuracy_of_two_classes_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(RNG_SEED)
    y, t = rng.random((40, 1)), rng.integers(0, 2, (40, 1)).astype(float)
    assert metrics.accuracy(y, t) == sklearn_metrics.accuracy_score(t, y > 0.5)
    assert metrics.accuracy(y, t[:, 0]) == metrics.accuracy(y, t)
    logits = np.log(y / (1 - y))
    assert metrics.accuracy(logits, t, threshold=0) == metrics.accuracy(y, t)


def test_accuracy_of_many_classes_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(RNG_SEED)
    y, t = rng.random((40, 3)), rng.integers(0, 3, 40)
    assert metrics.accuracy(y, t) == sklearn_metrics.accuracy_score(t, y.argmax(axis=1))


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("r2", "r2_score"),
        ("rmse", "root_mean_squared_error"),
        ("mae", "mean_absolute_error"),
    ],
)
def test_metrics_of_numbers_are_those_of_scikit_learn(
    numbers: tuple[Any, Any], name: str, theirs: str
) -> None:
    y, t = numbers[0][:, :1], numbers[1][:, :1]
    expected = getattr(sklearn_metrics, theirs)(t, y)
    # Both add up 40 numbers of size 1; the order of additions may differ.
    assert getattr(metrics, name)(y, t) == pytest.approx(expected, rel=1e-14)


def test_r2_of_several_columns_is_the_mean_of_theirs(numbers: tuple[Any, Any]) -> None:
    y, t = numbers
    each = [metrics.r2(y[:, [j]], t[:, [j]]) for j in range(2)]
    assert metrics.r2(y, t) == pytest.approx(np.mean(each), rel=1e-14)


def test_r2_says_nothing_where_the_target_is_constant() -> None:
    assert np.isnan(metrics.r2(np.arange(3.0), np.ones(3)))


def test_float32_is_summed_in_double_precision() -> None:
    t = np.full((1000, 1), 1000.0, np.float32)
    assert metrics.mae(t + np.float32(0.5), t) == 0.5


@pytest.mark.parametrize("name", ["r2", "rmse", "mae"])
def test_shapes_that_would_broadcast_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name}: y has shape \(3, 1\) and t \(3,\); expected"):
        getattr(metrics, name)(np.zeros((3, 1)), np.zeros(3))


@pytest.mark.parametrize(
    ("y", "t"),
    [
        (np.zeros((3, 2)), np.zeros(4)),
        (np.zeros((3, 2)), np.zeros((3, 2))),
        (np.zeros((0, 1)),) * 2,
    ],
)
def test_accuracy_refuses_what_does_not_belong_together(y: Any, t: Any) -> None:
    with pytest.raises(ValueError, match=r"accuracy: y of shape .* do not belong together"):
        metrics.accuracy(y, t)
