"""What a Trainer takes, and how it shows its progress."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from places import ROOT
from trained import Model, samples

import nnlite as nn
from nnlite import metrics
from nnlite.optim.schedules.schedule import Schedule
from nnlite.training.callbacks import Callback, EarlyStopping


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
from trained import Model
Model().trainer(progress=True).fit(2)
"""


def test_in_a_notebook_without_widgets_there_is_a_bar_of_text_and_no_warning() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", NOTEBOOK, str(ROOT / "tests" / "support")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(nn.__path__[0]).parent)},
    )
    assert done.returncode == 0, done.stderr
    assert "8/8" in done.stderr
    assert "IProgress" not in done.stderr
