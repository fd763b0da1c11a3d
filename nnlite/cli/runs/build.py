"""From the settings of a run to what it is made of: model, optimiser, schedule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nnlite.cli.runs.config import Config
from nnlite.cli.runs.options import parse_schedule
from nnlite.datasets import Dataset, load
from nnlite.graph.graph import Graph
from nnlite.layers.models import Model, perceptron
from nnlite.layers.registry import OPTIMIZERS, SCHEDULES, resolve
from nnlite.optim import Optimizer
from nnlite.optim.schedules import Schedule


def build_model(config: Config, rng: np.random.Generator) -> Model:
    """The model with its initial parameters."""
    return perceptron(
        len(config.features),
        config.outputs,
        config.hidden,
        config.activation,
        task=config.task,
        loss=config.loss,
        l1=config.l1,
        l2=config.l2,
        dropout=config.dropout,
        dtype=config.dtype,
        rng=rng,
    )


def load_columns(config: Config, path: str | Path) -> Dataset:
    """The samples and targets of a file, with the columns and classes of a run.

    Raises
    ------
    DataError
        If a column is missing, or a cell is not what it was in training.
    """
    return load(
        path,
        config.target,
        config.dtype,
        task=config.task,
        features=config.features,
        classes=config.classes or None,
    )


def build_optimizer(config: Config, graph: Graph) -> Optimizer:
    """The optimiser of the graph's parameters."""
    kind = resolve(OPTIMIZERS, config.optimizer)
    options: dict[str, float] = {"lr": config.lr, "weight_decay": config.weight_decay}
    if "momentum" in kind.options:
        options["momentum"] = config.momentum
    optimizer: Optimizer = kind(graph.parameters(), **options)
    return optimizer


def build_schedule(config: Config, optimizer: Optimizer, steps: int) -> Schedule | None:
    """The schedule, if there is one, for `steps` steps an epoch.

    Raises
    ------
    ValueError
        If an argument of it does not fit the others.
    """
    if config.schedule is None:
        return None
    name, given = parse_schedule(config.schedule)
    defaults: dict[str, dict[str, Any]] = {
        "cosine": {"T_max": config.epochs},
        "exponential": {"gamma": 0.95},
        "one_cycle": {"max_lr": config.lr, "total_steps": config.epochs * steps},
        "step": {"step_size": 10},
    }
    schedule: Schedule = resolve(SCHEDULES, name)(optimizer, **(defaults.get(name, {}) | given))
    return schedule


def schedule_each(config: Config) -> str:
    """Whether the schedule makes its step each "epoch" or each "step"."""
    return "step" if (config.schedule or "").startswith("one_cycle") else "epoch"


def counts_epochs(schedule: str | None) -> bool:
    """Whether a schedule would be another one for more epochs."""
    name, given = parse_schedule(schedule) if schedule else ("", {})
    return name == "one_cycle" or (name == "cosine" and "T_max" not in given)
