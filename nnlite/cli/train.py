"""What ``nnlite train`` does: from a file and options to a run, or on from a run's checkpoint."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import warnings
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nnlite.cli.runs.build import (
    build_model,
    build_optimizer,
    build_schedule,
    load_columns,
    schedule_each,
)
from nnlite.cli.runs.config import Config, read_config
from nnlite.cli.runs.folder import create, remove_temporaries, write_config, write_results
from nnlite.cli.runs.run import Run
from nnlite.cli.settings import (
    UsageError,
    chosen,
    completed,
    data_file,
    epochs_to_go_on,
    run_folder,
    target,
)
from nnlite.cli.wording import describe, in_words, json_numbers
from nnlite.datasets import Dataset, Standardizer, load
from nnlite.datasets.loader import DataLoader
from nnlite.datasets.table import to_float
from nnlite.files.errors import DataError, reading
from nnlite.files.lock import Lock
from nnlite.training import metrics
from nnlite.training.callbacks import EarlyStopping
from nnlite.training.evaluation import Evaluator
from nnlite.training.interruption import Interrupted, sigterm_raises
from nnlite.training.trainer import Trainer

_ROWS_OF_THE_PICTURE = 1024
_FEW = 50  # different numbers, which may stand for classes
_SECONDS_BETWEEN_CHECKPOINTS = 1.0

Parts = tuple[Dataset, Dataset | None]
"""What is trained on, and what is held out."""


def train(arguments: Namespace) -> Run:
    """Train a model on a file and write the run's folder; or go on with a run."""
    with sigterm_raises():
        return _begin(arguments) if arguments.resume is None else _go_on(arguments)


def _begin(arguments: Namespace) -> Run:
    file, column, folder = data_file(arguments.file), target(arguments), run_folder(arguments)
    values = chosen(arguments)
    digest = _sha256(file)
    data = load(file, column, values["dtype"], task=values["task"])
    rng = np.random.default_rng(values["seed"])
    parts = _split(data, values["validation"], rng)
    config = Config(
        file=None if arguments.file is None else os.path.abspath(file),
        sha256=digest,
        target=column,
        features=data.feature_names,
        classes=data.class_names,
        **_standardisation(parts[0]),
        **completed(values, data.task, len(parts[0])),
    )
    training = _Training(folder, config, parts, rng)
    create(folder, config, arguments.overwrite)
    if not arguments.json:
        print(*_announcement(config, parts, guessed=arguments.task is None), sep="\n", flush=True)
    return training.carry_out(arguments)


def _go_on(arguments: Namespace) -> Run:
    folder = Path(arguments.resume)
    config = read_config(folder / "config.json")
    epochs = epochs_to_go_on(arguments, config)
    file = data_file(arguments.file or config.file)
    if _sha256(file) != config.sha256:
        raise UsageError(
            f"{file} is not the file that {folder} was trained on, or it was changed since: its "
            "SHA-256 differs; restore it, or begin a new run without --resume"
        )
    data = load_columns(config, file)
    rng = np.random.default_rng(config.seed)
    parts = _split(data, config.validation, rng)
    return _Training(folder, replace(config, epochs=epochs), parts, rng).carry_out(arguments)


class _Training:
    """A run with its data, ready to be trained; `rng` was used for the split of the data only."""

    def __init__(
        self, folder: Path, config: Config, parts: Parts, rng: np.random.Generator
    ) -> None:
        try:
            model = build_model(config, rng)
        except (MemoryError, OverflowError, ValueError) as error:
            raise UsageError(
                f"a model with --hidden {' '.join(map(str, config.hidden))} cannot be made "
                f"({error}); take fewer units"
            ) from error
        self.config = config
        self.run = Run(config, model, folder)
        self.train = self._standardised(parts[0])
        self.validation = None if parts[1] is None else self._standardised(parts[1])
        self.loader = DataLoader(*self.train, config.batch_size, shuffle=True, rng=rng)
        self.optimizer = build_optimizer(config, model.graph)
        try:
            self.schedule = build_schedule(config, self.optimizer, len(self.loader))
        except ValueError as error:
            raise UsageError(f"--schedule {config.schedule}: {error}") from error
        metric = metrics.r2 if config.task == "regression" else metrics.accuracy
        self.metrics = {metric.__name__: metric}

    def carry_out(self, arguments: Namespace) -> Run:
        """Train, write the results, and tell them."""
        folder = self.run.folder
        try:
            with Lock(folder):
                remove_temporaries(folder)
                trainer = self._trainer(progress=not arguments.quiet)
                if arguments.resume is not None:
                    _resume(trainer, arguments)
                    write_config(folder, self.config)
                self._fit(trainer)
                report = self._report(trainer)
        except ArithmeticError as error:
            error.add_note("begin again with a smaller --lr; --overwrite replaces this run")
            raise
        except (OSError, KeyboardInterrupt) as error:
            error.add_note(f"go on with: nnlite train --resume {folder}")
            raise
        print(json.dumps(report, ensure_ascii=False) if arguments.json else _in_lines(report))
        return self.run

    def _trainer(self, progress: bool) -> Trainer:
        config = self.config
        return Trainer(
            self.run.model.graph,
            self.optimizer,
            self.loader,
            predictor=self.run.model.predictor,
            validation=self.validation,
            metrics=self.metrics if self.validation else None,
            schedule=self.schedule,
            schedule_each=schedule_each(config),
            clip_norm=config.clip_norm,
            early_stopping=None if config.patience is None else EarlyStopping(config.patience),
            folder=self.run.folder / "checkpoints",
            checkpoint_steps=config.checkpoint_steps,
            checkpoint_seconds=_SECONDS_BETWEEN_CHECKPOINTS,
            progress=progress,
        )

    def _fit(self, trainer: Trainer) -> None:
        try:
            history = trainer.fit(self.config.epochs)
        except Interrupted as error:
            message = f"stopped and saved after step {trainer.step}"
            raise Interrupted(error.signal, message) from None
        X, t = (item[:_ROWS_OF_THE_PICTURE] for item in self.train)
        write_results(self.run.folder, self.run.model.graph, history, X, t)

    def _report(self, trainer: Trainer) -> dict[str, Any]:
        """What came of it, as JSON has it."""
        model = self.run.model
        evaluate = Evaluator(model.graph, model.predictor, self.metrics)
        report = {
            "run": str(self.run.folder),
            "task": self.config.task,
            "target": self.config.target,
            "classes": self.config.classes,
            "epochs": trainer.epoch,
            "steps": trainer.step,
        }
        for part, samples in (("train", self.train), ("validation", self.validation)):
            if samples is not None:
                report[part] = json_numbers(evaluate(samples))
        return report

    def _standardised(self, part: Dataset) -> tuple[Any, Any]:
        config, t = self.config, part.t
        if config.task == "regression":
            t = Standardizer(np.array([config.target_mean]), np.array([config.target_scale]))(t)
        return self.run.standardize(part.X), t


def _resume(trainer: Trainer, arguments: Namespace) -> None:
    """Go on from the last whole checkpoint, if there is one, and say so."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = trainer.resume()
        except ValueError as error:
            raise UsageError(str(error)) from error
    for warning in caught:
        print(f"nnlite: warning: {warning.message}", file=sys.stderr)
    if not arguments.json:
        where = f"step {trainer.step}" if found else "the beginning, as there is no checkpoint yet"
        print(f"going on from {where}", flush=True)


def _announcement(config: Config, parts: Parts, guessed: bool) -> Iterator[str]:
    """What is going to be done, and what to do if the guess at the task is wrong."""
    held_out = 0 if parts[1] is None else len(parts[1])
    yield f"{len(parts[0])} samples to train on, {held_out} held out"
    yield from describe(config)
    if guessed and config.task == "regression" and len(np.unique(parts[0].t[:])) <= _FEW:
        yield "if these numbers stand for classes: --task multiclass (or binary)"
    elif guessed and not np.isnan(list(map(to_float, config.classes))).any():
        yield "if the classes are numbers on a scale: --task regression"


def _in_lines(report: dict[str, Any]) -> str:
    parts = [part for part in ("train", "validation") if part in report]
    width = max(map(len, parts))
    lines = [f"{part:>{width}}  {in_words(report[part])}" for part in parts]
    return "\n".join([*lines, f"wrote {report['run']}{os.sep}"])


def _sha256(path: Path) -> str:
    with reading(path), open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _split(data: Dataset, share: float, rng: np.random.Generator) -> Parts:
    if not share:
        return data, None
    try:
        return data.split(test=share, rng=rng)
    except DataError as error:
        raise UsageError(
            f"--validation {share:g} of {len(data)} samples leaves the training or the held-out "
            "part empty; give another share, or 0"
        ) from error


def _standardisation(part: Dataset) -> dict[str, Any]:
    """How the features are standardised, and the target if it is a quantity."""
    features = Standardizer.fit(part.X)
    target_mean, target_scale = 0.0, 1.0
    if part.task == "regression":
        quantity = Standardizer.fit(part.t)
        target_mean, target_scale = float(quantity.mean[0]), float(quantity.scale[0])
    return {
        "mean": tuple(features.mean.tolist()),
        "scale": tuple(features.scale.tolist()),
        "target_mean": target_mean,
        "target_scale": target_scale,
    }
