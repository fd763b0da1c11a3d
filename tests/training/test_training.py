"""Training: epochs, validation, schedules."""

from __future__ import annotations

import gc
import math
import tracemalloc
from typing import Any, ClassVar

import numpy as np
import pytest
from trained import Model, samples, weights

import nnlite as nn
from nnlite import metrics
from nnlite.datasets.loader import DataLoader
from nnlite.training.callbacks import Callback, EarlyStopping
from nnlite.training.trainer import Trainer


def test_training_is_the_loop_that_one_would_write_by_hand() -> None:
    hand, losses = Model(dropout=0.2), []
    for X, t in DataLoader(*samples(), 8, shuffle=True, rng=3):
        losses.append((len(X), float(hand.graph(X, t))))
        hand.optimizer.zero_grad()
        hand.graph.backward()
        nn.clip_grad_norm(hand.optimizer.parameters, 0.5)
        hand.optimizer.step()
    model = Model(dropout=0.2)
    (row,) = model.trainer(clip_norm=0.5, compile=False).fit(1)
    assert weights(model.graph) == weights(hand.graph)
    assert row == {
        "epoch": 1,
        "step": 4,
        "lr": 0.1,
        "train_loss": sum(rows * loss for rows, loss in losses) / 30,
    }


def test_compiled_it_trains_to_the_same_weights_but_for_rounding() -> None:
    plain, compiled = Model(dropout=0.2), Model(dropout=0.2)
    rows = plain.trainer(clip_norm=0.5, compile=False, validation=samples()).fit(3)
    for row, expected in zip(compiled.trainer(clip_norm=0.5, validation=samples()).fit(3), rows):
        assert row == pytest.approx(expected, rel=1e-10)
    for array, other in zip(
        compiled.graph.state_dict().values(), plain.graph.state_dict().values()
    ):
        np.testing.assert_allclose(array, other, rtol=1e-9, atol=1e-12)
    assert all(parameter._vector is not None for parameter in compiled.graph.parameters())
    assert all(parameter._vector is None for parameter in plain.graph.parameters())


def test_it_says_why_steps_are_interpreted() -> None:
    model = Model()
    trainer = model.trainer()
    trainer.fit(1)
    assert trainer.why_interpreted is None
    assert model.trainer(compile=False).why_interpreted == "compile=False"

    class Signed(nn.Module):
        def forward(self, x: Any) -> Any:
            return x if x.sum() > 0 else -x

    x, t = nn.Input("x"), nn.Input("t")
    graph = nn.Graph([x, t], nn.MSE()(Signed()(model.net(x)), t))
    loader = DataLoader(*samples(), 8)
    trainer = Trainer(graph, nn.SGD(graph.parameters(), 0.1), loader, progress=False)
    trainer.fit(1)
    assert "cannot choose a branch" in str(trainer.why_interpreted)


def test_fit_counts_the_epochs_that_are_complete_already() -> None:
    once, twice = Model(), Model()
    history = once.trainer().fit(5)
    trainer = twice.trainer()
    trainer.fit(2)
    assert trainer.fit(5) == history
    assert trainer.fit(3) == history
    assert weights(twice.graph) == weights(once.graph)


def test_a_composite_module_trains_as_a_graph_does() -> None:
    class Loss(nn.Module):
        def __init__(self, net: nn.Module) -> None:
            super().__init__()
            self.net = net

        def forward(self, x: Any, t: Any) -> Any:
            return nn.MSE()(self.net(x), t)

    graph, other = Model(), Model()
    loss = Loss(other.net)
    optimizer = nn.SGD(loss.parameters(), lr=0.1, momentum=0.5)
    loader = DataLoader(*samples(), 8, shuffle=True, rng=3)
    trainer = Trainer(loss, optimizer, loader, validation=samples(), progress=False)
    assert trainer.fit(2) == graph.trainer(validation=samples(), compile=False).fit(2)


@pytest.mark.parametrize("shared", [True, False], ids=["of one graph", "of its own"])
def test_validation_gives_the_loss_and_the_metrics_of_all_samples(shared: bool) -> None:
    model = Model(shared=shared)
    trainer = model.trainer(
        validation=samples(seed=1), metrics={"r2": metrics.r2, "rows": lambda y, t: len(y)}
    )
    row = trainer.fit(1)[0]
    X, t = samples(seed=1)
    y = model.net.eval()(X)
    assert row["validation_loss"] == pytest.approx(np.mean((y - t) ** 2), rel=1e-14)
    assert row["validation_r2"] == metrics.r2(y, t)
    assert row["validation_rows"] == 30
    assert {f"validation_{k}": v for k, v in trainer.evaluate(X, t).items()}.items() <= row.items()


@pytest.mark.parametrize("batch_size", [7, 30])
def test_validation_takes_every_sample_of_a_loader_in_its_order(batch_size: int) -> None:
    seen: list[bytes] = []

    def note(y: Any, t: Any) -> float:
        seen.append(t.tobytes())
        return 0.0

    loader = DataLoader(*samples(), batch_size, shuffle=True, drop_last=True, rng=3)
    trainer = Model().trainer(validation=loader, metrics={"m": note})
    state = loader.state_dict()
    trainer.fit(1)
    assert seen == [samples()[1].tobytes()]
    assert loader.state_dict() == state


def test_a_dataset_can_be_the_validation() -> None:
    train, test = nn.datasets.load_digits(np.float64).split(test=0.3, rng=0)
    x, t = nn.Input("x"), nn.Input("t")
    linear = nn.Linear(64, 10, rng=0)
    graph = nn.Graph([x, t], nn.CrossEntropy()(linear(x), t))
    loader = DataLoader(train.X[:] / 16, train.t, 64)
    trainer = Trainer(
        graph, nn.SGD(graph.parameters(), 0.1), loader, validation=test, progress=False
    )
    assert np.isfinite(trainer.fit(1)[0]["validation_loss"])


def test_evaluation_draws_no_random_number_and_leaves_buffers_and_modes() -> None:
    model = Model(dropout=0.5)
    trainer = model.trainer()
    trainer.fit(1)
    batch_norm, dropout = model.net[1], model.net[3]
    batch_norm.eval()
    before = weights(model.graph), repr(dropout.rng.bit_generator.state)
    first = trainer.evaluate(*samples())
    assert first == trainer.evaluate(*samples())
    assert (weights(model.graph), repr(dropout.rng.bit_generator.state)) == before
    assert [module.training for module in (model.graph, batch_norm, dropout)] == [True, False, True]


def test_a_model_in_eval_mode_is_trained_and_a_part_that_is_frozen_stays_so() -> None:
    model = Model(dropout=0.5)
    model.graph.eval()
    trainer = model.trainer()
    trainer.fit(1)
    assert model.net[3].training
    model.net[1].eval()
    mean = model.net[1].running_mean
    trainer.fit(2)
    assert model.net[1].running_mean is mean


def test_a_schedule_steps_after_each_epoch_or_after_each_step() -> None:
    for each, lrs in (("epoch", [0.1, 0.05, 0.025]), ("step", [0.0125, 0.00078125])):
        model = Model()
        schedule = nn.StepLR(model.optimizer, step_size=1, gamma=0.5)
        history = model.trainer(schedule=schedule, schedule_each=each).fit(len(lrs))
        # γ·0.5ⁿ is exact but for γ itself.
        assert [row["lr"] for row in history] == pytest.approx(lrs, rel=1e-15)


@pytest.mark.parametrize("validated", [True, False])
def test_a_plateau_is_looked_for_in_the_validation_or_else_in_the_training(
    validated: bool,
) -> None:
    model = Model()
    seen: list[float] = []
    schedule = nn.ReduceLROnPlateau(model.optimizer)
    step = schedule.step

    def noted(metric: Any) -> None:
        seen.append(metric)
        step(metric)

    schedule.step = noted  # type: ignore[method-assign]
    options: dict[str, Any] = {"validation": samples(seed=1)} if validated else {}
    history = model.trainer(schedule=schedule, **options).fit(2)
    assert seen == [row["validation_loss" if validated else "train_loss"] for row in history]


def test_training_keeps_nothing_of_its_steps() -> None:
    class Measure(Callback):
        held: ClassVar[list[int]] = []

        def on_step(self, trainer: Trainer, loss: float) -> None:
            if trainer.step in (100, 500):
                gc.collect()
                self.held.append(tracemalloc.get_traced_memory()[0])

    trainer = Model().trainer(DataLoader(*samples(1200), 2), callbacks=[Measure()])
    tracemalloc.start()
    try:
        trainer.fit(1)
    finally:
        tracemalloc.stop()
    # A number for each of the 400 steps between would be 24 bytes and a pointer to it.
    assert Measure.held[1] - Measure.held[0] < 400 * 32 / 2


def test_a_step_that_failed_is_made_when_fit_goes_on() -> None:
    expected = Model()
    expected.trainer().fit(2)
    model = Model()
    trainer = model.trainer()
    make = trainer._step
    calls: list[int] = []

    def fails_once(X: Any, t: Any) -> float:
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("once")
        return make(X, t)

    trainer._step = fails_once  # type: ignore[assignment]
    with pytest.raises(RuntimeError, match="once"):
        trainer.fit(2)
    trainer.fit(2)
    assert weights(model.graph) == weights(expected.graph)


def test_the_state_of_another_model_is_refused_and_nothing_is_changed() -> None:
    model, other = Model(), Model()
    trainer = model.trainer(validation=samples(), early_stopping=EarlyStopping(1))
    trainer.fit(3)
    state = other.trainer(validation=samples(), early_stopping=EarlyStopping(1)).state_dict()
    state["parts"]["model"][-1] = "Tanh()"
    before = weights(model.graph)
    for wrong in (state, {**trainer.state_dict(), "epoch": math.inf}):
        with pytest.raises(ValueError, match="does not fit this Trainer"):
            trainer.load_state_dict(wrong)
        assert weights(model.graph) == before
