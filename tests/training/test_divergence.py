"""Numbers that are not finite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trained import Model, Told, samples, weights

import nnlite as nn
from nnlite.datasets.loader import DataLoader
from nnlite.training.divergence import DivergenceError
from nnlite.training.trainer import Trainer


def exploding(rows: int = 12) -> tuple[Any, Any]:
    """Samples of which the tenth is too large for its square to be finite."""
    X, t = samples(rows)
    t[9] = 1e200
    return X, t


@pytest.mark.parametrize("composite", [False, True])
def test_a_loss_that_is_not_finite_names_step_epoch_and_vertex_and_changes_nothing(
    composite: bool,
) -> None:
    net = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 1, rng=0))

    class Loss(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, x: Any, t: Any) -> Any:
            return ((self.net(x) - t) ** 2).mean()

    x, t = nn.Input("x"), nn.Input("t")
    graph = Loss() if composite else nn.Graph([x, t], ((net(x) - t) ** 2).mean())
    before: list[bytes] = []
    trainer = Trainer(
        graph,
        nn.SGD(net.parameters(), lr=0.01),
        DataLoader(*exploding(), 4),
        callbacks=[Told(step=lambda *_: before.append(weights(net)))],
        progress=False,
    )
    with pytest.raises(
        DivergenceError, match=r"in step 3, of epoch 1, the loss became inf: .* is 'power'"
    ):
        trainer.fit(2)
    assert trainer.step == 2
    assert weights(net) == before[-1]


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_gradient_that_is_not_finite_names_the_vertex_next_to_the_output() -> None:
    class Steep(nn.Module):
        """y = x, with the gradient of something steeper."""

        def forward(self, x: Any) -> Any:
            return x

        def backward(self, grad: Any) -> Any:
            return grad * np.inf

    x, t = nn.Input("x"), nn.Input("t")
    linear = nn.Linear(3, 1, rng=0)
    z = linear(x)
    z.name = "z"
    graph = nn.Graph([x, t], nn.MSE()(Steep()(z), t))
    before = weights(graph)
    trainer = Trainer(
        graph, nn.SGD(graph.parameters(), 0.1), DataLoader(*samples(), 8), progress=False
    )
    with pytest.raises(
        DivergenceError,
        match=r"in step 1, of epoch 1, .* a gradient is not: .* is 'z', Linear\(3, 1",
    ):
        trainer.fit(1)
    assert weights(graph) == before


def test_a_parameter_that_leaves_the_finite_numbers_in_the_last_step_is_noticed(
    tmp_path: Path,
) -> None:
    model = Model(lr=1e308)
    trainer = model.trainer(DataLoader(*samples(8), 8), folder=tmp_path)
    model.optimizer.momentum = 0.0
    model.net[4].weight.value = np.full((4, 1), 1e3)
    with pytest.raises(DivergenceError, match=r"parameter '.*' is not finite after step 1;"):
        trainer.fit(1)
    assert list(tmp_path.glob("*.npz")) == []


def test_a_validation_loss_that_is_not_finite_is_divergence() -> None:
    trainer = Model().trainer(validation=exploding())
    with pytest.raises(
        DivergenceError, match=r"after step 4, .* under evaluation is inf; .* is 'mse'"
    ):
        trainer.fit(1)


def test_divergence_leaves_the_last_good_checkpoint(tmp_path: Path) -> None:
    def leap(trainer: Trainer, row: dict[str, Any]) -> None:
        if row["epoch"] == 2:
            trainer.optimizer.lr = 1e300

    model = Model()
    trainer = model.trainer(folder=tmp_path, callbacks=[Told(epoch=leap)])
    with pytest.raises(DivergenceError):
        trainer.fit(9)
    again = Model()
    resumed = again.trainer(folder=tmp_path)
    assert resumed.resume()
    assert all(np.isfinite(array).all() for array in again.graph.state_dict().values())


def test_a_loss_for_each_sample_is_refused_with_the_remedy() -> None:
    x, t = nn.Input("x"), nn.Input("t")
    graph = nn.Graph([x, t], (nn.Linear(3, 1, rng=0)(x) - t) ** 2)
    trainer = Trainer(
        graph, nn.SGD(graph.parameters(), 0.1), DataLoader(*samples(), 8), progress=False
    )
    with pytest.raises(ValueError, match=r"the loss has shape \(8, 1\), .* take its mean"):
        trainer.fit(1)
