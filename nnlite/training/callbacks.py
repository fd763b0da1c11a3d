"""What a Trainer tells while it trains, and to whom."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sized
from typing import Any, Protocol

from nnlite.core.arguments import AT_LEAST_0, FLAG, SIZE, Checked, OneOf
from nnlite.core.module import Module
from nnlite.core.signature import called
from nnlite.training.history import History, Row


class Training(Protocol):
    """What a callback sees of a `Trainer`: its model and samples, how far it is, and its end."""

    graph: Module
    epoch: int
    epochs: int
    step: int
    stopped: bool
    history: History

    @property
    def loader(self) -> Sized: ...

    def stop(self) -> None: ...


class Callback:
    """Somebody whom a `Trainer` tells how it goes; a subclass defines what it wants to hear.

    A callback that keeps something that later steps depend on also defines `state_dict` and
    `load_state_dict`; the checkpoints then hold it. After a resume a callback is told again what
    happened since the checkpoint.

    Examples
    --------
    >>> class Tell(Callback):
    ...     def on_epoch(self, trainer, row):
    ...         print(f"epoch {row['epoch']}: {row['train_loss']:.3f}")
    ...         if row["train_loss"] < 0.1:
    ...             trainer.stop()
    """

    def on_start(self, trainer: Any) -> None:
        """`fit` begins, or goes on after a resume."""

    def on_step(self, trainer: Any, loss: float) -> None:
        """The optimiser made a step, number ``trainer.step``; `loss` is the batch's before it."""

    def on_epoch(self, trainer: Any, row: Row) -> None:
        """An epoch is complete; `row` will be in the history, with what is added to it here."""

    def on_end(self, trainer: Any) -> None:
        """`fit` ends, in whatever way: done, stopped, interrupted or failed."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps: numbers, texts, arrays, and lists and dicts of them."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where the callback that gave `state` was."""


class EarlyStopping(Callback):
    """Ends training when a metric has not become better for `patience` epochs in a row.

    Parameters
    ----------
    patience : int
        At least 1.
    metric : str
        A name in the rows of the history, such as "train_loss" or "validation_accuracy".
    mode : {"min", "max"}
        Whether smaller or larger is better.
    min_delta : float
        By how much the metric must beat its best to be better, at least 0. NaN never is.
    restore_best : bool
        Whether the model has the parameters and buffers of its best epoch when `fit` returns. A
        later `fit` goes on from the last epoch all the same.

    Attributes
    ----------
    best : float or None
        The best value so far.
    best_epoch : int
        The epoch of it; 0 before the first.
    best_weights : dict or None
        The model's state after that epoch, if it is to be restored.

    Examples
    --------
    >>> EarlyStopping(patience=5, metric="validation_accuracy", mode="max")
    EarlyStopping(5, metric='validation_accuracy', mode='max')
    """

    patience = Checked(SIZE)
    mode = Checked(OneOf("min", "max"))
    min_delta = Checked(AT_LEAST_0)
    restore_best = Checked(FLAG)

    def __init__(
        self,
        patience: int,
        metric: str = "validation_loss",
        mode: str = "min",
        min_delta: float = 0.0,
        restore_best: bool = True,
    ) -> None:
        self.patience, self.metric, self.mode = patience, metric, mode
        self.min_delta, self.restore_best = min_delta, restore_best
        self.best: float | None = None
        self.best_epoch = 0
        self.best_weights: dict[str, Any] | None = None

    def on_epoch(self, trainer: Training, row: Row) -> None:
        if self.metric not in row:
            raise ValueError(
                f"EarlyStopping watches {self.metric!r}, which no epoch reports; there are "
                f"{', '.join(map(repr, row))}"
            )
        if self._is_better(float(row[self.metric])):
            self.best, self.best_epoch = float(row[self.metric]), row["epoch"]
            if self.restore_best:
                self.best_weights = trainer.graph.state_dict()
        elif row["epoch"] - self.best_epoch >= self.patience:
            trainer.stop()

    def state_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("best", "best_epoch", "best_weights")}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.best, self.best_epoch = state["best"], state["best_epoch"]
        self.best_weights = state["best_weights"]

    def _is_better(self, value: float) -> bool:
        if math.isnan(value):
            return False
        if self.best is None:
            return True
        gain = self.best - value if self.mode == "min" else value - self.best
        return gain > self.min_delta

    __repr__ = called
