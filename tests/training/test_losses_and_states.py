"""Losses with a backward of their own, and callbacks whose state begins with what they inherit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trained import Model, samples

import nnlite as nn
from nnlite.datasets.loader import DataLoader
from nnlite.training.divergence import DivergenceError
from nnlite.training.trainer import Trainer


class Squares(nn.Module):
    """The mean of (x W − t)², without a graph."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(np.zeros((3, 1)))

    def forward(self, x: Any, t: Any) -> Any:
        error = x @ self.weight.value - t
        self.save_for_backward(x, error)
        return np.mean(error**2)

    def backward(self, grad: Any) -> Any:
        x, error = self.saved
        grad = 2 * grad * error / error.size
        self.weight.accumulate_grad(x.T @ grad)
        return grad @ self.weight.value.T, -grad


def trainer_of(loss: Squares, lr: float) -> Trainer:
    optimizer = nn.SGD(loss.parameters(), lr)
    return Trainer(loss, optimizer, DataLoader(*samples(), 8), progress=False)


def test_a_loss_without_a_graph_is_trained_and_of_its_divergence_no_vertex_is_known() -> None:
    loss = Squares()
    X, t = samples()
    trainer_of(loss, 0.1).fit(200)
    best = np.linalg.lstsq(X, t)[0]
    np.testing.assert_allclose(loss.weight.value, best, atol=0.05)
    loss = Squares()
    with pytest.raises(DivergenceError, match="the first vertex that is not finite is not known"):
        trainer_of(loss, 1e6).fit(200)
    assert np.isfinite(loss.weight.value).all()


class Counted(nn.Callback):
    """Counts the steps; its state is put together with that of the class above."""

    def __init__(self) -> None:
        self.steps = 0

    def on_step(self, trainer: Any, loss: float) -> None:
        self.steps += 1

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "steps": self.steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        super().load_state_dict(state)
        self.steps = state["steps"]


def test_a_callback_adds_to_the_state_that_it_inherits(tmp_path: Path) -> None:
    assert nn.Callback().state_dict() == {}
    first, second = Counted(), Counted()
    Model().trainer(callbacks=[first], folder=tmp_path / "run").fit(2)
    trainer = Model().trainer(callbacks=[second], folder=tmp_path / "run")
    assert trainer.resume()
    assert second.steps == first.steps == trainer.step > 0
    trainer.fit(3)
    assert second.steps == trainer.step > first.steps
