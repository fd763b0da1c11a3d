"""Train in processes that are killed, go on in others, and see what they leave.

    python killing.py {whenever,after_steps,within_writing} FOLDER SEED KILLS

Prints a line of JSON: the folders of the runs, each of which holds the result.npz of a run that was
killed and resumed until it was done; and of one, "whole", that nobody disturbed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import nnlite as nn
from nnlite import metrics
from nnlite.datasets.loader import DataLoader
from nnlite.files.checkpoint import write_checkpoint
from nnlite.training.callbacks import Callback, EarlyStopping
from nnlite.training.trainer import Trainer

EPOCHS = 7


def make(folder: Path | None, *others: Callback, momentum: bool = False) -> Trainer:
    """A run in which every part of the state matters: nothing in it is the default."""
    rng = np.random.default_rng(4)
    X = rng.standard_normal((75, 5))
    targets = (X[:, :1] * X[:, 1:2] > 0) * 1.0
    x, t = nn.Input("x"), nn.Input("t")
    hidden = nn.BatchNorm1d(6)(nn.Linear(5, 6, rng=rng)(x))
    kept = nn.Dropout(0.3, rng=np.random.default_rng(5))(
        nn.Dropout(0.1, rng=rng)(nn.Tanh()(hidden))
    )
    y = nn.Sigmoid()(nn.Linear(6, 1, rng=rng)(kept))
    graph, predictor = nn.Graph([x, t], nn.BCE()(y, t)), nn.Graph([x], y)
    optimizer: Any = nn.Adam(graph.parameters(), lr=0.02)
    schedule: Any = nn.CosineAnnealingLR(optimizer, T_max=5)
    if momentum:
        optimizer = nn.SGD(graph.parameters(), lr=0.2, momentum=0.9)
        schedule = nn.ReduceLROnPlateau(optimizer, patience=0, factor=0.5)
    return Trainer(
        graph,
        optimizer,
        DataLoader(X[:50], targets[:50], 8, shuffle=True, rng=rng),
        predictor=predictor,
        validation=(X[50:], targets[50:]),
        metrics={"accuracy": metrics.accuracy},
        schedule=schedule,
        early_stopping=EarlyStopping(4, metric="validation_accuracy", mode="max"),
        clip_norm=0.5,
        callbacks=others,
        folder=folder,
        checkpoint_steps=None if folder is None else 2,
        progress=False,
    )


def train(folder: Path, *others: Callback, momentum: bool = False) -> None:
    """The program under test: begin or go on, and write down everything in the end."""
    trainer = make(folder, *others, momentum=momentum)
    trainer.resume()
    trainer.fit(EPOCHS)
    write_checkpoint(folder / "result.npz", trainer.state_dict())


def fork(function: Callable[..., None], *arguments: Any, **keywords: Any) -> int:
    """Run a function in a process of its own, and return its number."""
    child = os.fork()
    if child == 0:
        try:
            function(*arguments, **keywords)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return child


def how_it_ended(child: int) -> int:
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code not in (0, -signal.SIGKILL):
        sys.exit(f"a run failed with {code}")
    return code


def finish(folder: Path, **keywords: Any) -> None:
    if how_it_ended(fork(train, folder, **keywords)) != 0:
        sys.exit("nobody killed this run")


def whenever(folder: Path, rng: np.random.Generator, kills: int) -> list[Path]:
    """Kill at moments spread over the whole run, wherever it is; some runs more than once."""
    start = time.perf_counter()
    finish(folder / "whole")
    length = time.perf_counter() - start
    runs = [folder / f"run-{number}" for number in range(kills)]
    for run in runs:
        moment = rng.uniform(0, length)
        child = fork(train, run)
        time.sleep(moment)
        os.kill(child, signal.SIGKILL)
        while how_it_ended(child) == 0:  # it was quicker than the one that was timed
            for path in run.iterdir():
                path.unlink()
            moment *= 0.8
            child = fork(train, run)
            time.sleep(moment)
            os.kill(child, signal.SIGKILL)
        if rng.random() < 0.3:
            child = fork(train, run)
            time.sleep(rng.uniform(0, length / 2))
            os.kill(child, signal.SIGKILL)
            how_it_ended(child)
        finish(run)
    return runs


class KillAfterStep(Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, trainer: Trainer, loss: float) -> None:
        if trainer.step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


def after_steps(folder: Path, rng: np.random.Generator, kills: int) -> list[Path]:
    """Kill right after a step, most often within an epoch and after a step that was not saved."""
    finish(folder / "whole", momentum=True)
    steps = rng.choice(np.arange(1, 4 * 7), size=kills, replace=False)
    runs = [folder / f"run-{step}" for step in steps]
    for run, step in zip(runs, steps):
        if how_it_ended(fork(train, run, KillAfterStep(step), momentum=True)) == 0:
            sys.exit(f"there was no step {step}")
        finish(run, momentum=True)
    return runs


def killing(name: str, call: int, after: bool) -> None:
    """Have a call of a function of `os`, the how-manieth is given, end the process."""
    real, calls = getattr(os, name), 0

    def function(*arguments: Any, **keywords: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*arguments, **keywords)
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(os, name, function)


def train_and_die(folder: Path, name: str, call: int, after: bool) -> None:
    killing(name, call, after)
    train(folder)


def within_writing(folder: Path, rng: np.random.Generator, kills: int) -> list[Path]:
    """Kill right before and after the system is asked for something as checkpoints are written."""
    finish(folder / "whole")
    runs = []
    for number in range(kills):
        name, after = ("fsync", "replace", "unlink")[number % 3], bool(number // 3 % 2)
        call = int(rng.integers(1, 20))
        run = folder / f"{name}-{call}-{'after' if after else 'before'}-{number}"
        if how_it_ended(fork(train_and_die, run, name, call, after)) == 0:
            sys.exit(f"{name} was not called {call} times")
        finish(run)
        runs.append(run)
    return runs


if __name__ == "__main__":
    how, where, seed, count = sys.argv[1:]
    scenario = {f.__name__: f for f in (whenever, after_steps, within_writing)}[how]
    runs = scenario(Path(where), np.random.default_rng(int(seed)), int(count))
    print(json.dumps([str(run) for run in runs]))
