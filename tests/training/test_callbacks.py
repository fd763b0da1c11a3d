"""Callbacks and early stopping."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trained import Model, Told, samples, weights

from nnlite.training.callbacks import Callback, EarlyStopping
from nnlite.training.trainer import Trainer


def told(values: list[float], **options: Any) -> tuple[int, EarlyStopping]:
    """After how many epochs early stopping ends a run with these metrics."""
    stopping = EarlyStopping(metric="m", **options)
    report = Told(epoch=lambda trainer, row: row.update(m=values[row["epoch"] - 1]))
    trainer = Model().trainer(early_stopping=stopping, callbacks=[report])
    return len(trainer.fit(len(values))), stopping


@pytest.mark.parametrize(
    ("values", "options", "epochs", "best"),
    [
        ([3, 2, 2, 2, 1], {"patience": 2}, 4, 2),
        ([3, 2, 2, 1, 1], {"patience": 2}, 5, 4),
        ([1, 2, 3, 2, 2], {"patience": 2, "mode": "max"}, 5, 3),
        ([3, 2.9, 2.8, 1], {"patience": 2, "min_delta": 0.25}, 3, 1),
        ([np.nan, np.nan, 1], {"patience": 2}, 2, 0),
        ([2, np.nan, 1, np.nan], {"patience": 2}, 4, 3),
    ],
)
def test_early_stopping_waits_for_its_patience(
    values: list[float], options: dict[str, Any], epochs: int, best: int
) -> None:
    ended, stopping = told(values, **options)
    assert (ended, stopping.best_epoch) == (epochs, best)


@pytest.mark.parametrize("restore", [True, False])
def test_the_model_ends_with_its_best_weights(restore: bool) -> None:
    model = Model()
    after: list[bytes] = []

    def measure(trainer: Trainer, row: dict[str, Any]) -> None:
        row["m"] = [3, 1, 2, 2][row["epoch"] - 1]
        after.append(weights(trainer.graph))

    stopping = EarlyStopping(2, metric="m", restore_best=restore)
    trainer = model.trainer(early_stopping=stopping, callbacks=[Told(epoch=measure)])
    trainer.fit(9)
    assert trainer.stopped
    assert after.index(weights(model.graph)) == (1 if restore else 3)
    assert len(trainer.fit(9)) == 4


def test_a_later_fit_goes_on_from_the_last_epoch_and_not_from_the_best(tmp_path: Path) -> None:
    def trainer(model: Model) -> Trainer:
        report = Told(epoch=lambda trainer, row: row.update(m=row["epoch"]))
        return model.trainer(early_stopping=EarlyStopping(9, "m"), callbacks=[report])

    once, twice = Model(), Model()
    whole, parts = trainer(once), trainer(twice)
    whole.fit(4)
    parts.fit(2)
    kept = parts.state_dict()
    parts.fit(4)
    assert weights(twice.graph) == weights(once.graph)
    assert repr(parts.state_dict()) == repr(whole.state_dict())
    resumed = trainer(Model())
    resumed.load_state_dict(kept)
    resumed.fit(4)
    assert repr(resumed.state_dict()) == repr(whole.state_dict())


def test_early_stopping_names_what_it_could_watch() -> None:
    trainer = Model().trainer(early_stopping=EarlyStopping(1, metric="loss"))
    with pytest.raises(ValueError, match="'loss', which no epoch reports; there are 'epoch', 'st"):
        trainer.fit(1)


def test_callbacks_are_told_in_order_and_can_stop_with_the_epoch() -> None:
    callback = Told(step=lambda trainer, loss: trainer.step == 6 and trainer.stop())
    trainer = Model().trainer(callbacks=[callback])
    trainer.fit(9)
    steps = [("step", 0, n) for n in (1, 2, 3, 4)], [("step", 1, n) for n in (5, 6, 7, 8)]
    assert callback.heard == [
        ("start", 0, 0),
        *steps[0],
        ("epoch", 1, 4),
        *steps[1],
        ("epoch", 2, 8),
        ("end", 2, 8),
    ]


def test_callbacks_hear_of_the_end_when_training_fails() -> None:
    def fail(*_: Any) -> None:
        raise KeyError("mine")

    callback = Told(step=fail)
    with pytest.raises(KeyError, match="mine"):
        Model().trainer(callbacks=[callback]).fit(1)
    assert [name for name, *_ in callback.heard] == ["start", "step", "end"]


def test_what_a_callback_adds_to_a_row_is_in_the_history_as_a_plain_number() -> None:
    report = Told(epoch=lambda trainer, row: row.update(norm=np.float32(1.5)))
    (row,) = Model().trainer(callbacks=[report]).fit(1)
    assert type(row["norm"]) is float


def test_an_epoch_whose_validation_failed_is_not_trained_again() -> None:
    model, other = Model(), Model()
    broken = [True]

    def metric(y: Any, t: Any) -> float:
        if broken.pop() if broken else False:
            raise RuntimeError("mine")
        return 0.0

    trainer = model.trainer(validation=samples(), metrics={"m": metric})
    with pytest.raises(RuntimeError, match="mine"):
        trainer.fit(2)
    history = trainer.fit(2)
    assert history == other.trainer(validation=samples(), metrics={"m": metric}).fit(2)
    assert weights(model.graph) == weights(other.graph)


def test_what_a_callback_keeps_is_saved(tmp_path: Path) -> None:
    class Count(Callback):
        steps = 0

        def on_step(self, trainer: Trainer, loss: float) -> None:
            self.steps += 1

        def state_dict(self) -> dict[str, Any]:
            return {"steps": self.steps}

        def load_state_dict(self, state: Any) -> None:
            self.steps = state["steps"]

    Model().trainer(callbacks=[Count()], folder=tmp_path).fit(2)
    again = Count()
    Model().trainer(callbacks=[again], folder=tmp_path).resume()
    assert again.steps == 8


def test_every_callback_hears_the_end_though_one_fails() -> None:
    class Fails(Callback):
        def on_end(self, trainer: Trainer) -> None:
            raise RuntimeError("at the end")

    class Hears(Callback):
        heard = False

        def on_end(self, trainer: Trainer) -> None:
            self.heard = True

    first, last = Hears(), Hears()
    with pytest.raises(RuntimeError, match="at the end"):
        Model().trainer(callbacks=[first, Fails(), last]).fit(1)
    assert first.heard
    assert last.heard
