"""What is saved of a training run, and how a run goes on from it."""

from __future__ import annotations

import math
import os
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from nnlite.core.arguments import SIZE, Checked, Instance, OneOf, OrNone
from nnlite.core.generators import generators_of
from nnlite.core.module import Module
from nnlite.datasets.loader import DataLoader
from nnlite.files.checkpoint import CheckpointError, Checkpoints, Lock, read_checkpoint
from nnlite.optim import Optimizer
from nnlite.optim.schedules.schedule import Schedule
from nnlite.training.callbacks import Callback, EarlyStopping
from nnlite.training.divergence import DivergenceError, is_finite
from nnlite.training.history import History


class Resumable:
    """The part of a `Trainer` that saves it: everything that the bits to come depend on."""

    graph = Checked(Instance(Module, "a graph or a module that gives the loss"))
    optimizer = Checked(Instance(Optimizer, "an optimizer, such as nn.SGD(graph.parameters())"))
    loader = Checked(Instance(DataLoader, "an nn.DataLoader(X, t, batch_size)"))
    predictor = Checked(OrNone(Instance(Module, "a graph or a module that gives predictions")))
    schedule = Checked(OrNone(Instance(Schedule, "a schedule, such as nn.StepLR(optimizer, 10)")))
    schedule_each = Checked(OneOf("epoch", "step"))
    early_stopping = Checked(OrNone(Instance(EarlyStopping, "an nn.EarlyStopping(patience)")))

    def _begin(
        self, callbacks: Iterable[Callback], folder: str | os.PathLike[str] | None, keep: int
    ) -> None:
        """Nothing has been trained yet."""
        is_callback = Instance(Callback, "an nn.Callback")
        self.callbacks = [is_callback.of(self, "callback", callback) for callback in callbacks]
        keep = SIZE.of(self, "keep", keep)
        self.epoch = self.step = 0
        self.stopped = False
        self.history = History()
        self._passing = nothing_yet()
        self._last_weights: dict[str, Any] | None = None  # while the model has its best
        self._checkpoints = None if folder is None else Checkpoints(folder, keep)
        self._newest: int | None = None
        self._saved_at = -math.inf
        self._is_locked = False

    def save(self) -> Path:
        """Write a checkpoint of the run as it is now, and return its path.

        Raises
        ------
        ValueError
            If there is no folder, or it holds the checkpoints of another run.
        OSError
            If it cannot be written, as on a full disk; earlier checkpoints are still whole.
        """
        with self._alone():
            return self._write()

    def resume(self) -> bool:
        """Go on from the newest checkpoint in the folder, if there is one.

        A checkpoint that is damaged or does not fit is passed over, with a warning, for the one
        before it.

        Returns
        -------
        bool
            Whether there was one.

        Raises
        ------
        CheckpointError
            If there are checkpoints and none of them is whole.
        ValueError
            If they are of another model, optimiser, schedule, loader or callback.
        """
        checkpoints = self._folder()
        checkpoints.refuse_a_link()
        with self._alone(known=False):
            paths = checkpoints.paths()
            problems: list[ValueError] = []
            for _, path in paths:
                try:
                    self._load(path)
                except ValueError as error:
                    problems.append(error)
                    continue
                for problem in problems:
                    warnings.warn(f"{problem}; went on from {path.name}", stacklevel=2)
                self._newest = paths[0][0]
                return True
        if problems:
            raise problems[0]
        return False

    def state_dict(self) -> dict[str, Any]:
        """The whole run: nested dicts and lists of numbers, texts and arrays."""
        return {
            "parts": self._parts(),
            "epoch": self.epoch,
            "step": self.step,
            "stopped": self.stopped,
            "history": [dict(row) for row in self.history],
            "passing": dict(self._passing),
            "model": self._last_weights or self.graph.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": None if self.schedule is None else self.schedule.state_dict(),
            "loader": self.loader.state_dict(),
            "generators": [g.bit_generator.state for g in self._generators()],
            "callbacks": [callback.state_dict() for callback in self._keepers()],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where the run that gave `state` was.

        Raises
        ------
        ValueError
            If it is of another model, optimiser, schedule, loader or callback; nothing is changed.
        """
        before, weights, last = self.state_dict(), self.graph.state_dict(), self._last_weights
        try:
            self._check_parts(state["parts"])
            self._set(state)
        except Exception as error:
            self._set(before)
            self.graph.load_state_dict(weights)
            self._last_weights = last
            what = error if isinstance(error, ValueError) else repr(error)
            raise ValueError(f"the saved run does not fit this Trainer: {what}") from error

    def _check_parts(self, saved: Mapping[str, Any]) -> None:
        for part, own in self._parts().items():
            if saved[part] != own:
                raise ValueError(
                    f"{part} is {saved[part]!r} there and {own!r} here; make the Trainer as it was"
                )

    def _parts(self) -> dict[str, Any]:
        """What the run is made of, in words that must be the same when it goes on."""
        return {
            "model": [repr(module) for module in self.graph.modules()],
            "optimizer": type(self.optimizer).__name__,
            "schedule": None if self.schedule is None else type(self.schedule).__name__,
            "schedule_each": self.schedule_each,
            "callbacks": [type(callback).__name__ for callback in self._keepers()],
            "generators": [type(g.bit_generator).__name__ for g in self._generators()],
        }

    def _set(self, state: Mapping[str, Any]) -> None:
        self.graph.load_state_dict(state["model"])
        self._last_weights = None
        if self.schedule is not None:
            self.schedule.load_state_dict(state["schedule"])
        self.optimizer.load_state_dict(state["optimizer"])  # with its own lr, set by hand perhaps
        self.loader.load_state_dict(state["loader"])
        for generator, its_state in zip(self._generators(), state["generators"], strict=True):
            generator.bit_generator.state = its_state
        for callback, its_state in zip(self._keepers(), state["callbacks"], strict=True):
            callback.load_state_dict(its_state)
        self.history = History(dict(row) for row in state["history"])
        self.epoch, self.step = int(state["epoch"]), int(state["step"])
        self.stopped = bool(state["stopped"])
        self._passing = {name: state["passing"][name] for name in nothing_yet()}

    def _load(self, path: Path) -> None:
        state = read_checkpoint(path)
        try:
            self.load_state_dict(state)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    def _write(self) -> Path:
        self._check_parameters()
        path = self._folder().write(self.step, self.state_dict())
        self._newest = self.step
        self._saved_at = time.monotonic()
        return path

    def _set_best_weights(self) -> None:
        best = None if self.early_stopping is None else self.early_stopping.best_weights
        if best is not None:
            self._last_weights = self.graph.state_dict()
            self.graph.load_state_dict(best)

    def _put_back_weights(self) -> None:
        if self._last_weights is not None:
            self.graph.load_state_dict(self._last_weights)
            self._last_weights = None

    def _check_parameters(self) -> None:
        for name, parameter in self.graph.named_parameters():
            if not is_finite(parameter.value):
                raise DivergenceError(
                    f"the parameter {name!r} is not finite after step {self.step}; a smaller "
                    "learning rate may help"
                )

    def _generators(self) -> list[np.random.Generator]:
        modules = [m for model in (self.graph, self.predictor) if model for m in model.modules()]
        return generators_of([*modules, self.optimizer, self.schedule, *self.callbacks])

    def _keepers(self) -> list[Callback]:
        """The callbacks that have a state."""
        return [c for c in self.callbacks if type(c).state_dict is not Callback.state_dict]

    def _folder(self) -> Checkpoints:
        if self._checkpoints is None:
            raise ValueError("the Trainer has no folder for checkpoints; give it one: folder=...")
        return self._checkpoints

    @contextmanager
    def _alone(self, known: bool = True) -> Iterator[None]:
        """Keep others out of the folder; where its newest must be `known`, see to it."""
        if self._checkpoints is None or self._is_locked:
            yield
            return
        with Lock(self._checkpoints.folder):
            self._is_locked = True
            try:
                if known:
                    self._check_known(self._checkpoints)
                yield
            finally:
                self._is_locked = False

    def _check_known(self, checkpoints: Checkpoints) -> None:
        paths = checkpoints.paths()
        if paths and paths[0][0] != self._newest:
            raise CheckpointError(
                f"{checkpoints.folder} holds a run, saved up to step {paths[0][0]}, that this "
                "Trainer does not go on with; call resume() first, or take another folder"
            )


def nothing_yet() -> dict[str, Any]:
    """What is kept of an epoch that begins: batches and rows done, the sum of losses, and lr."""
    return {"batches": 0, "rows": 0, "loss": 0.0, "lr": None, "is_over": False}
