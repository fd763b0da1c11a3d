"""From what was given on the command line to the settings of a run."""

from __future__ import annotations

import math
import os
from argparse import Namespace
from pathlib import Path
from typing import Any

from nnlite.cli.runs.build import counts_epochs
from nnlite.cli.runs.config import Config
from nnlite.cli.runs.folder import contents, refuse_existing
from nnlite.cli.runs.options import OPTIONS
from nnlite.layers.registry import LOSSES_OF_TASK

_SHIPPED, _SHIPPED_TARGET = "breast_cancer.csv", "diagnosis"
# With 32 rows a batch a small table would make few steps: 50 passes over iris are too few then.
_ROWS, _BATCHES = 32, 10


class UsageError(Exception):
    """A command that cannot be carried out; the message says what to change."""


def data_file(name: str | None) -> Path:
    """The file to train on; without a name, the data that come with nnlite."""
    if name is not None:
        return Path(name)
    from nnlite.datasets.shipped import shipped

    return shipped(_SHIPPED)


def target(arguments: Namespace) -> str:
    """The column to predict."""
    given: str | None = arguments.target
    if arguments.file is None:
        if given not in (None, _SHIPPED_TARGET):
            raise UsageError(
                f"--target {given} needs a FILE; the shipped data predict {_SHIPPED_TARGET!r}"
            )
        return _SHIPPED_TARGET
    if given is None:
        raise UsageError(f"say which column of {arguments.file} is to be predicted: --target NAME")
    return given


def run_folder(arguments: Namespace) -> Path:
    """Where the run will be; there is nothing yet, or what may be overwritten."""
    name = Path(arguments.file or _SHIPPED).name.split(".")[0] or "run"
    folder = Path("runs") / name if arguments.out is None else Path(arguments.out)
    if folder.name in ("", ".."):
        folder = Path(os.path.abspath(folder))
    if arguments.overwrite:
        if folder.exists():
            contents(folder)
        return folder
    if arguments.out is not None:
        refuse_existing(folder)
    count = 1
    while folder.exists():
        count += 1
        folder = folder.with_name(f"{name}-{count}")
    return folder


def chosen(arguments: Namespace) -> dict[str, Any]:
    """Each option as it was given, or its default; None where that depends on the data.

    Raises
    ------
    UsageError
        If options do not go together.
    """
    given = {option.name: getattr(arguments, option.name) for option in OPTIONS}
    values = {o.name: o.default if given[o.name] is None else given[o.name] for o in OPTIONS}
    for name in ("activation", "dropout"):
        if given[name] is not None and not values["hidden"]:
            raise UsageError(f"--{name} is of hidden layers, and there are none; add --hidden N")
    optimizer = values["optimizer"]
    if given["momentum"] is not None and optimizer not in ("sgd", "rmsprop"):
        raise UsageError(f"--momentum is of sgd and rmsprop, not of {optimizer}; leave it out")
    if given["patience"] is not None and values["validation"] == 0:
        raise UsageError("--patience watches the held-out samples; give a --validation above 0")
    defaults = {
        "activation": "relu",
        "dropout": 0.0,
        "momentum": 0.9 if optimizer == "sgd" else 0.0,
        "weight_decay": 0.01 if optimizer == "adamw" else 0.0,
    }
    values |= {name: value for name, value in defaults.items() if given[name] is None}
    return values | {"hidden": tuple(values["hidden"])}


def completed(values: dict[str, Any], task: str, samples: int) -> dict[str, Any]:
    """The options, with those filled in that depend on the task or the number of samples.

    Raises
    ------
    UsageError
        If the loss is not one of the task.
    """
    losses = LOSSES_OF_TASK[task]
    if values["loss"] not in (None, *losses):
        raise UsageError(
            f"--loss {values['loss']} does not fit the task {task}, which takes "
            f"{' or '.join(losses)}; is the task right? --task says it"
        )
    quick = values["optimizer"] in ("sgd", "adagrad") and task != "regression"
    defaults = {
        "task": task,
        "loss": "bce" if task == "binary" and values["hidden"] else losses[0],
        "lr": 0.1 if quick else 0.01,
        "batch_size": min(_ROWS, math.ceil(samples / _BATCHES)),
    }
    return values | {name: value for name, value in defaults.items() if values[name] is None}


def epochs_to_go_on(arguments: Namespace, config: Config) -> int:
    """How many epochs a run that goes on shall have.

    Raises
    ------
    UsageError
        If any other option is given, or a number of epochs that would make it another run.
    """
    names = ["target", "out", *[option.name for option in OPTIONS if option.name != "epochs"]]
    given = [f"--{n.replace('_', '-')}" for n in names if getattr(arguments, n) is not None]
    if arguments.overwrite:
        given.append("--overwrite")
    if given:
        raise UsageError(
            f"{', '.join(given)} cannot be given with --resume: a run goes on with the options in "
            "its config.json; leave it out, or begin a new run"
        )
    epochs: int = config.epochs if arguments.epochs is None else arguments.epochs
    if epochs < config.epochs:
        raise UsageError(f"--epochs {epochs} is less than the {config.epochs} epochs of the run")
    if epochs > config.epochs and counts_epochs(config.schedule):
        raise UsageError(
            f"--epochs {epochs}: the schedule {config.schedule} was made for {config.epochs} "
            "epochs; begin a new run"
        )
    return epochs
