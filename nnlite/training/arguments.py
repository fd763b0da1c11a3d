"""Which arguments of a Trainer cannot work together."""

from __future__ import annotations

from typing import Any

from nnlite.core.module import Module
from nnlite.datasets.loader import DataLoader
from nnlite.optim import Optimizer
from nnlite.optim.schedules import ReduceLROnPlateau
from nnlite.optim.schedules.schedule import Schedule
from nnlite.training.callbacks import Callback, EarlyStopping


def check_kinds(**arguments: Any) -> None:
    """Refuse what is of another kind than its name says, None excepted."""
    kinds = {
        "graph": (Module, "a graph or a module that gives the loss"),
        "optimizer": (Optimizer, "an optimizer, such as nn.SGD(graph.parameters(), lr=0.1)"),
        "loader": (DataLoader, "an nn.DataLoader(X, t, batch_size)"),
        "predictor": (Module, "a graph or a module that gives predictions"),
        "schedule": (Schedule, "a schedule, such as nn.StepLR(optimizer, 10)"),
        "early_stopping": (EarlyStopping, "an nn.EarlyStopping(patience)"),
        "callback": (Callback, "an nn.Callback"),
    }
    for name, item in arguments.items():
        kind, words = kinds[name]
        if item is not None and not isinstance(item, kind):
            raise TypeError(
                f"Trainer: {name} is {words}, got {item!r}"
                + (" (a class: add parentheses)" if isinstance(item, type) else "")
            )


def check_together(
    optimizer: Optimizer,
    schedule: Schedule | None,
    schedule_each: str,
    early_stopping: EarlyStopping | None,
    has_validation: bool,
) -> None:
    """Refuse a schedule or an early stopping that would not see what it watches."""
    if schedule is not None and schedule.optimizer is not optimizer:
        raise ValueError("Trainer: the schedule drives another optimizer; make it for this one")
    if isinstance(schedule, ReduceLROnPlateau) and schedule_each == "step":
        raise ValueError(
            'Trainer: ReduceLROnPlateau looks at the loss of an epoch; schedule_each is "epoch"'
        )
    watched = early_stopping.metric if early_stopping is not None else ""
    if watched.startswith("validation_") and not has_validation:
        raise ValueError(
            f"Trainer: early stopping watches {watched!r}; give validation=(X, t), or "
            'EarlyStopping(..., metric="train_loss")'
        )
