"""A model with samples, and a callback that writes down what it is told."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlite as nn
from nnlite.datasets.loader import DataLoader
from nnlite.training.callbacks import Callback
from nnlite.training.trainer import Trainer


def samples(m: int = 30, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((m, 3))
    return X, X @ np.array([[1.0], [-2.0], [0.5]]) + 0.1 * rng.standard_normal((m, 1))


class Model:
    """A perceptron with a loss graph, a predictor, and an optimiser."""

    def __init__(self, lr: float = 0.1, shared: bool = True, dropout: float = 0.0) -> None:
        x, t = nn.Input("x"), nn.Input("t")
        self.net: Any = nn.Sequential(
            nn.Linear(3, 4, rng=0),
            nn.BatchNorm1d(4),
            nn.Tanh(),
            nn.Dropout(dropout, rng=1),
            nn.Linear(4, 1, rng=2),
        )
        y = self.net(x)
        self.graph = nn.Graph([x, t], nn.MSE()(y, t))
        self.predictor: nn.Module = nn.Graph([x], y) if shared else self.net
        self.optimizer = nn.SGD(self.graph.parameters(), lr=lr, momentum=0.5)

    def trainer(self, loader: Any = None, **options: Any) -> Trainer:
        loader = loader or DataLoader(*samples(), 8, shuffle=True, rng=3)
        return Trainer(
            self.graph,
            self.optimizer,
            loader,
            **{"predictor": self.predictor, "progress": False, **options},
        )


def weights(model: nn.Module) -> bytes:
    return b"".join(array.tobytes() for array in model.state_dict().values())


class Told(Callback):
    """Remembers what it was told, and does something when told it."""

    def __init__(self, **actions: Any) -> None:
        self.heard: list[Any] = []
        self.actions = actions

    def _hear(self, name: str, trainer: Trainer, *item: Any) -> None:
        self.heard.append((name, trainer.epoch, trainer.step))
        if name in self.actions:
            self.actions[name](trainer, *item)

    def on_start(self, trainer: Trainer) -> None:
        self._hear("start", trainer)

    def on_step(self, trainer: Trainer, loss: float) -> None:
        self._hear("step", trainer, loss)

    def on_epoch(self, trainer: Trainer, row: dict[str, Any]) -> None:
        self._hear("epoch", trainer, row)

    def on_end(self, trainer: Trainer) -> None:
        self._hear("end", trainer)
