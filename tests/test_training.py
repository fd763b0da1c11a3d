"""The Trainer does what a hand-written loop does, says what happened, and stops where it must."""

from __future__ import annotations

import gc
import io
import math
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import nnlite as nn
from nnlite import metrics
from nnlite.datasets.loader import DataLoader
from nnlite.optim.schedules.schedule import Schedule
from nnlite.training.callbacks import Callback, EarlyStopping
from nnlite.training.divergence import DivergenceError
from nnlite.training.trainer import Trainer


def samples(m: int = 30, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((m, 3))
    return X, X @ np.array([[1.0], [-2.0], [0.5]]) + 0.1 * rng.standard_normal((m, 1))


class Model:
    """A perceptron with a loss graph, a predictor, and an optimiser."""

    def __init__(self, lr: float = 0.1, shared: bool = True, dropout: float = 0.0) -> None:
        x, t = nn.Input("x"), nn.Input("t")
        self.net = nn.Sequential(
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
    seen = []
    loader = DataLoader(*samples(), batch_size, shuffle=True, drop_last=True, rng=3)
    trainer = Model().trainer(
        validation=loader, metrics={"m": lambda y, t: seen.append(t.tobytes()) or 0.0}
    )
    state = loader.state_dict()
    trainer.fit(1)
    assert seen == [samples()[1].tobytes()]
    assert loader.state_dict() == state


def test_a_dataset_can_be_the_validation() -> None:
    train, test = nn.datasets.load_digits(np.float64).split(test=0.3, rng=0)
    x, t = nn.Input("x"), nn.Input("t")
    linear = nn.Linear(64, 10, rng=0)
    graph = nn.Graph([x, t], nn.CrossEntropy()(linear(x), t))
    loader = DataLoader(train.X / 16, train.t, 64)
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
    model, seen = Model(), []
    schedule = nn.ReduceLROnPlateau(model.optimizer)
    step = schedule.step
    schedule.step = lambda metric: (seen.append(metric), step(metric))  # type: ignore[assignment]
    options: dict[str, Any] = {"validation": samples(seed=1)} if validated else {}
    history = model.trainer(schedule=schedule, **options).fit(2)
    assert seen == [row["validation_loss" if validated else "train_loss"] for row in history]


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
    model, after = Model(), []
    report = Told(
        epoch=lambda trainer, row: (
            row.update(m=[3, 1, 2, 2][row["epoch"] - 1]),
            after.append(weights(trainer.graph)),
        )
    )
    stopping = EarlyStopping(2, metric="m", restore_best=restore)
    trainer = model.trainer(early_stopping=stopping, callbacks=[report])
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
    model = Model()
    trainer = model.trainer(
        folder=tmp_path,
        callbacks=[
            Told(epoch=lambda t, row: row["epoch"] == 2 and setattr(t.optimizer, "lr", 1e300))
        ],
    )
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


class OtherSchedule(Schedule):
    def __init__(self) -> None:
        super().__init__(Model().optimizer)


BAD = {
    "schedule_each": (
        {"schedule_each": "batch"},
        "schedule_each is 'epoch' or 'step', got 'batch'",
    ),
    "clip_norm": ({"clip_norm": 0}, "clip_norm is a finite number above 0, got 0"),
    "keep": ({"keep": 0, "folder": "x"}, "keep is a whole number of at least 1, got 0"),
    "checkpoint_steps": (
        {"checkpoint_steps": 0, "folder": "x"},
        "checkpoint_steps is a whole number of at least 1, got 0",
    ),
    "no folder": ({"checkpoint_steps": 5}, "no folder for checkpoints"),
    "no predictor": (
        {"metrics": {"r2": metrics.r2}, "predictor": None},
        "metrics look at predictions; give a predictor",
    ),
    "no validation": (
        {"early_stopping": EarlyStopping(3)},
        "early stopping watches 'validation_loss'; give validation=",
    ),
    "another optimizer": ({"schedule": OtherSchedule()}, "the schedule drives another optimizer"),
    "callback": ({"callbacks": [print]}, "callback is an nn.Callback, got <built-in"),
    "callback class": ({"callbacks": [Callback]}, "got <class .* add parentheses"),
    "loader": ({"loader": samples()}, r"loader is an nn.DataLoader\(X, t, batch_size\), got"),
    "predictor": ({"predictor": np.tanh}, "predictor is a graph or a module .*, got <ufunc"),
    "early_stopping": ({"early_stopping": 3}, r"an nn.EarlyStopping\(patience\), got 3"),
    "schedule": ({"schedule": "step"}, "schedule is a schedule, such as .* got 'step'"),
}


@pytest.mark.parametrize(("options", "complaint"), BAD.values(), ids=BAD)
def test_arguments_that_cannot_work_are_refused_when_the_trainer_is_made(
    options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=complaint):
        Model().trainer(**options)
    assert not os.path.exists("x")


def test_a_plateau_cannot_be_looked_for_in_each_step() -> None:
    model = Model()
    schedule = nn.ReduceLROnPlateau(model.optimizer)
    with pytest.raises(ValueError, match="looks at the loss of an epoch"):
        model.trainer(schedule=schedule, schedule_each="step")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"patience": 0}, "patience is a whole number of at least 1"),
        ({"patience": 1, "mode": "least"}, "mode is 'min' or 'max'"),
        ({"patience": 1, "min_delta": -1}, "min_delta is a finite number of at least 0"),
    ],
)
def test_early_stopping_refuses_what_makes_no_sense(arguments: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        EarlyStopping(**arguments)


@pytest.mark.parametrize("epochs", [0, -1])
def test_fit_takes_a_number_of_epochs(epochs: int) -> None:
    with pytest.raises(ValueError, match="epochs is a whole number of at least 1"):
        Model().trainer().fit(epochs)


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


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_in_a_terminal_there_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    Model().trainer(progress=True).fit(3)
    assert "12/12" in screen.getvalue()
    assert "epoch 3, loss" in screen.getvalue()


def test_in_a_pipe_there_is_now_and_then_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", pipe := io.StringIO())
    trainer = Model().trainer(progress=True, validation=samples(seed=1))
    trainer.fit(2)
    assert pipe.getvalue() == ""
    monkeypatch.setattr("nnlite.training.progress._SECONDS_BETWEEN_LINES", -1.0)
    row = trainer.fit(3)[-1]
    assert pipe.getvalue() == (
        f"epoch 3 of 3: train_loss {row['train_loss']:.4g}, "
        f"validation_loss {row['validation_loss']:.4g}\n"
    )


NOTEBOOK = """
import sys, types
class Shell:
    config = {"IPKernelApp": {}}
sys.modules["IPython"] = types.SimpleNamespace(get_ipython=Shell)
sys.modules["ipywidgets"] = None
sys.path.insert(0, sys.argv[1])
from test_training import Model
Model().trainer(progress=True).fit(2)
"""


def test_in_a_notebook_without_widgets_there_is_a_bar_of_text_and_no_warning() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", NOTEBOOK, str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(nn.__path__[0]).parent)},
    )
    assert done.returncode == 0, done.stderr
    assert "8/8" in done.stderr
    assert "IProgress" not in done.stderr


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

    trainer._step = fails_once
    with pytest.raises(RuntimeError, match="once"):
        trainer.fit(2)
    trainer.fit(2)
    assert weights(model.graph) == weights(expected.graph)


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
