"""The two networks of the benchmark learn the digits."""

from __future__ import annotations

import digits
import pytest


@pytest.mark.parametrize("network", digits.NETWORKS)
def test_reaches_a_test_accuracy_of_097_in_under_a_minute(network: str) -> None:
    accuracy, seconds = digits.train(network, epochs=12)
    assert accuracy >= 0.97
    assert seconds < 60


def test_the_same_seed_gives_the_same_network() -> None:
    accuracies = {digits.train("perceptron", seed=5, epochs=1)[0] for _ in range(2)}
    assert len(accuracies) == 1
