"""Training: passes over the data, checkpoints on the way, and what came of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite.core.arguments import AT_LEAST_0, POSITIVE, SIZE, Checked, OrNone
from nnlite.core.module import Module
from nnlite.datasets.loader import DataLoader
from nnlite.optim import Optimizer
from nnlite.optim.schedules import ReduceLROnPlateau
from nnlite.optim.schedules.schedule import Schedule
from nnlite.training.callbacks import Callback, EarlyStopping
from nnlite.training.divergence import DivergenceError
from nnlite.training.evaluation import Evaluator, Metric
from nnlite.training.history import History, Row
from nnlite.training.interruption import Interrupted, Signals, signals_noted
from nnlite.training.progress import Progress
from nnlite.training.state import Resumable, nothing_yet
from nnlite.training.step import TrainingStep


class Trainer(Resumable):
    """Trains a model for epochs, and can be stopped at any moment without losing the run.

    An epoch is one pass over `loader`, with a step of `optimizer` for each batch. With a `folder`
    the state of the whole run is saved after epochs: the same program, with `resume` before
    `fit`, goes on from there and ends with the same bits as a run that was never stopped (on the
    same machine, with the same BLAS and number of threads).

    Parameters
    ----------
    graph : Graph or Module
        From (x, t) to the loss: one number, the mean over the batch.
    optimizer : Optimizer
        Of the parameters to train.
    loader : DataLoader
        The samples to train on.
    predictor : Graph or Module, optional
        From x to the prediction y, of the same parameters; the metrics need it.
    validation : (X, t), Dataset or DataLoader, optional
        Samples that are not trained on, to look at after each epoch.
    metrics : mapping of str to function, optional
        ``f(y, t)`` for all predictions and targets of the validation, such as
        ``nn.metrics.accuracy``.
    schedule : Schedule, optional
        Of the same optimiser. `ReduceLROnPlateau` is given the validation loss, or without a
        validation the training loss.
    schedule_each : {"epoch", "step"}
        When the schedule makes its step.
    clip_norm : float, optional
        The largest norm of all gradients together; see `clip_grad_norm`.
    early_stopping : EarlyStopping, optional
    callbacks : iterable of Callback
    folder : str or path, optional
        Where checkpoints go; made if it is not there. One process at a time works in it.
    checkpoint_steps : int, optional
        Save after each so many steps, too.
    checkpoint_seconds : float
        Save after an epoch only if so many seconds have passed since the last checkpoint, or if it
        is the last epoch: where epochs are short, saving each would take longer than training.
    keep : int
        How many of the newest checkpoints stay.
    compile : bool
        Whether a graph runs as a compiled program where that can be; see `Graph.compile`. Its
        parameters then are parts of one vector, which each step writes to, and its vertices hold
        no values.
    progress : bool
        Whether to show a bar, or in a file or a pipe now and then a line, on standard error.

    Attributes
    ----------
    epoch, step : int
        How many are complete.
    epochs : int
        How many epochs `fit` was asked for.
    history : History, a list of dict
        A row for each epoch: ``epoch``, ``step``, ``lr`` (of its last step), ``train_loss`` (the
        average over its batches, each before its step), and ``validation_loss`` and
        ``validation_`` + the name of each metric.
    stopped : bool
        Whether training was ended before its time, by `stop`.
    why_interpreted : str or None
        Why the steps are not made by a compiled program, if they are not.

    Notes
    -----
    Ctrl-C and SIGTERM finish the step, save, and raise `Interrupted`; a second one acts at once.
    Outside of the main thread signals are not Python's to handle, and are left alone.

    A model in ``eval()`` mode is set to ``train()``; where only some modules of it are in
    ``eval()`` mode, they stay so. Random generators are saved with the run where an attribute of
    a module, of the loader or of a callback holds them.

    Examples
    --------
    A line through points, with a slope and an offset to find:

    >>> import numpy as np
    >>> import nnlite as nn
    >>> from nnlite.datasets.loader import DataLoader
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-1, 1, (200, 1))
    >>> x, t = nn.Input("x"), nn.Input("t")
    >>> line = nn.Linear(1, 1, rng=rng)
    >>> graph = nn.Graph([x, t], nn.MSE()(line(x), t))

    Train on most of them, and look at the others after each epoch:

    >>> trainer = Trainer(
    ...     graph,
    ...     nn.SGD(graph.parameters(), lr=0.1),
    ...     DataLoader(X[:150], 3 * X[:150] + 1, batch_size=10, shuffle=True, rng=rng),
    ...     validation=(X[150:], 3 * X[150:] + 1),
    ...     early_stopping=EarlyStopping(patience=3),
    ... )
    >>> history = trainer.fit(epochs=20)
    >>> round(history[-1]["validation_loss"], 6)
    0.0
    >>> line.weight.value.round(2), line.bias.value.round(2)
    (array([[3.]]), array([1.]))
    """

    checkpoint_steps = Checked(OrNone(SIZE))
    checkpoint_seconds = Checked(AT_LEAST_0)
    clip_norm = Checked(OrNone(POSITIVE))

    def __init__(
        self,
        graph: Module,
        optimizer: Optimizer,
        loader: DataLoader,
        *,
        predictor: Module | None = None,
        validation: Any = None,
        metrics: Mapping[str, Metric] | None = None,
        schedule: Schedule | None = None,
        schedule_each: str = "epoch",
        clip_norm: float | None = None,
        early_stopping: EarlyStopping | None = None,
        callbacks: Iterable[Callback] = (),
        folder: str | os.PathLike[str] | None = None,
        checkpoint_steps: int | None = None,
        checkpoint_seconds: float = 0.0,
        keep: int = 2,
        compile: bool = True,
        progress: bool = True,
    ) -> None:
        heard = [*callbacks, *([Progress()] if progress else ())]
        heard += [early_stopping] if early_stopping else []
        self.graph, self.optimizer, self.loader = graph, optimizer, loader
        self.predictor, self.early_stopping = predictor, early_stopping
        self.schedule, self.schedule_each = schedule, schedule_each
        self._begin(heard, folder, keep)
        self.validation = validation
        self._check_together()
        self.checkpoint_steps = checkpoint_steps
        if checkpoint_steps is not None:
            self._folder()
        self.checkpoint_seconds, self.clip_norm = checkpoint_seconds, clip_norm
        self.epochs = 0
        self._step = TrainingStep(graph, optimizer, clip_norm, compile)
        self._evaluator = Evaluator(graph, predictor, metrics or {})

    @property
    def why_interpreted(self) -> str | None:
        return self._step.why_interpreted

    def fit(self, epochs: int) -> History:
        """Train until `epochs` epochs are complete, those before a resume or an earlier `fit` too.

        Parameters
        ----------
        epochs : int
            At least 1.

        Returns
        -------
        History
            A list of dicts, which ``print`` and a notebook show as a table.

        Raises
        ------
        DivergenceError
            If a loss, a gradient or a parameter is not finite. The message names the step and the
            first vertex at fault; the step was not made, and what was saved before stays.
        Interrupted
            After Ctrl-C or SIGTERM, when the step is complete and saved.
        CheckpointError
            If the folder holds a run that this one does not go on with.
        LockedError
            If another process works in the folder.
        """
        self.epochs = SIZE.of(self, "epochs", epochs)
        with self._alone(), signals_noted() as signals:
            if not self.graph.training:
                self.graph.train()
            self._put_back_weights()
            if self._passing["batches"]:  # goes on within the epoch, after the last whole step
                state = self.loader.state_dict()
                state["position"] = min(state["position"], self._passing["batches"])
                self.loader.load_state_dict(state)
            try:
                for callback in self.callbacks:
                    callback.on_start(self)
                while self.epoch < self.epochs and not self.stopped:
                    self._run_epoch(signals)
            finally:
                with ExitStack() as ends:
                    for callback in reversed(self.callbacks):
                        ends.callback(callback.on_end, self)
            self._set_best_weights()
        return self.history

    def stop(self) -> None:
        """Let training end with the present epoch; for callbacks. A later `fit` does nothing."""
        self.stopped = True

    def evaluate(self, X: NDArray[Any], t: NDArray[Any]) -> dict[str, float]:
        """The loss, and each metric, on the given samples, with the model in ``eval()`` mode.

        Parameters
        ----------
        X, t : array, of as many rows each
        """
        return self._evaluator((X, t))

    def _run_epoch(self, signals: Signals) -> None:
        passing = self._passing
        for X, t in () if passing["is_over"] else self.loader:
            loss = self._make_step(X, t)
            self.step += 1
            passing["batches"] += 1
            passing["rows"] += len(X)
            passing["loss"] += len(X) * loss
            for callback in self.callbacks:
                callback.on_step(self, loss)
            if passing["batches"] == len(self.loader):
                continue  # the loader ends its pass, and the epoch is saved as a whole
            if signals.number is not None:
                self._interrupt(signals.number)
            if self.checkpoint_steps and self.step % self.checkpoint_steps == 0:
                self._save_if_asked()
        passing["is_over"] = True
        self._end_epoch()
        if signals.number is not None:
            self._interrupt(signals.number)

    def _make_step(self, X: Any, t: Any) -> float:
        try:
            loss = self._step(X, t)
        except DivergenceError as error:
            where = f"step {self.step + 1}, of epoch {self.epoch + 1}"
            raise DivergenceError(f"in {where}, {error}") from None
        self._passing["lr"] = float(self.optimizer.lr)
        if self.schedule is not None and self.schedule_each == "step":
            self.schedule.step()
        return loss

    def _end_epoch(self) -> None:
        self._check_parameters()
        passing = self._passing
        loss = passing["loss"] / passing["rows"]
        row: Row = {"epoch": self.epoch + 1, "step": self.step, "lr": passing["lr"]}
        row["train_loss"] = loss
        if self.validation is not None:
            row |= self._validate()
        self.epoch += 1
        self.history.append(row)
        self._passing = nothing_yet()
        if isinstance(self.schedule, ReduceLROnPlateau):
            self.schedule.step(row.get("validation_loss", loss))
        elif self.schedule is not None and self.schedule_each == "epoch":
            self.schedule.step()
        for callback in self.callbacks:
            callback.on_epoch(self, row)
        row |= {name: item.item() for name, item in row.items() if isinstance(item, np.generic)}
        if (
            self.epoch >= self.epochs
            or self.stopped
            or time.monotonic() - self._saved_at >= self.checkpoint_seconds
        ):
            self._save_if_asked()

    def _validate(self) -> dict[str, float]:
        try:
            scores = self._evaluator(self.validation)
        except DivergenceError as error:
            raise DivergenceError(f"after step {self.step}, {error}") from None
        return {f"validation_{name}": score for name, score in scores.items()}

    def _save_if_asked(self) -> None:
        if self._checkpoints is not None:
            self._write()

    def _interrupt(self, number: int) -> None:
        where = f"stopped after step {self.step}, in epoch {self.epoch + 1}"
        if self._checkpoints is None:
            raise Interrupted(
                number, f"{where}; nothing was saved, but this Trainer's fit({self.epochs}) goes on"
            )
        raise Interrupted(
            number,
            f"{where}; saved as {self._write()}: a Trainer made in the same way goes on with "
            f"resume() and fit({self.epochs})",
        )

    def _check_together(self) -> None:
        """Refuse a schedule or an early stopping that would not see what it watches."""
        schedule, early_stopping = self.schedule, self.early_stopping
        if schedule is not None and schedule.optimizer is not self.optimizer:
            raise ValueError("Trainer: the schedule drives another optimizer; make it for this one")
        if isinstance(schedule, ReduceLROnPlateau) and self.schedule_each == "step":
            raise ValueError(
                'Trainer: ReduceLROnPlateau looks at the loss of an epoch; schedule_each is "epoch"'
            )
        watched = early_stopping.metric if early_stopping is not None else ""
        if watched.startswith("validation_") and self.validation is None:
            raise ValueError(
                f"Trainer: early stopping watches {watched!r}; give validation=(X, t), or "
                'EarlyStopping(..., metric="train_loss")'
            )
