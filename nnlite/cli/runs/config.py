"""The settings of a run, all that is needed to do it again: its ``config.json``."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from nnlite.cli.runs.options import OPTIONS, Option
from nnlite.files.errors import RunError, reading
from nnlite.layers.registry import LOSSES_OF_TASK

FORMAT = "nnlite run 1"


@dataclass(frozen=True)
class Config:
    """The settings of a run: its data, its model, its training.

    Attributes
    ----------
    file : str or None
        The data's path; None stands for the data that come with nnlite.
    sha256 : str
        Of the data file.
    target, features, classes : str, tuple of str, tuple of str
        Names of columns, and of the classes in the order of their numbers; no classes for a
        quantity.
    mean, scale : tuple of float
        How the features are standardised.
    target_mean, target_scale : float
        How a quantity is standardised; 0 and 1 for classes.

    The other attributes are the options of ``nnlite train``.
    """

    file: str | None
    sha256: str
    target: str
    features: tuple[str, ...]
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    target_mean: float
    target_scale: float
    task: str
    hidden: tuple[int, ...]
    activation: str
    dropout: float
    loss: str
    l1: float
    l2: float
    dtype: str
    optimizer: str
    lr: float
    momentum: float
    weight_decay: float
    schedule: str | None
    clip_norm: float | None
    epochs: int
    batch_size: int
    validation: float
    patience: int | None
    checkpoint_steps: int | None
    seed: int

    @property
    def outputs(self) -> int:
        """How many numbers the model gives for a sample."""
        return len(self.classes) if self.task == "multiclass" else 1

    @property
    def is_seminar(self) -> bool:
        """Whether the model is the seminar's own."""
        plain = self.task == "binary" and not self.hidden
        return plain and self.loss == "mse" and self.l1 == 0

    def to_json(self) -> str:
        """The text of ``config.json``."""
        text = json.dumps({"format": FORMAT, **asdict(self)}, indent=2, ensure_ascii=False)
        return text + "\n"


def read_config(path: str | Path) -> Config:
    """Read the settings of a run, which need not be trusted.

    Raises
    ------
    RunError
        If the file is missing, is no JSON, or has a name or a value that no run has.
    """
    with reading(path, RunError, "give the folder of a run of nnlite train"):
        text = Path(path).read_bytes()
    try:
        entries = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RunError(
            f"{path} is no JSON ({error}); restore it, or train again with nnlite train"
        ) from error
    if not isinstance(entries, dict) or entries.pop("format", None) != FORMAT:
        raise RunError(
            f'{path} is not of a run that this nnlite can read: "format" is not "{FORMAT}"'
        )
    names = [field.name for field in fields(Config)]
    odd = [f"{name} is missing" for name in names if name not in entries]
    odd += [f"{name[:60]!r} is unknown" for name in entries if name not in names]
    if odd:
        raise RunError(f"{path}: {'; '.join(odd[:5])}; restore the file")
    try:
        return _checked(entries)
    except ValueError as error:
        raise RunError(f"{path}: {error}; restore the file") from error


def _checked(entries: dict[str, Any]) -> Config:
    values = dict(entries)
    for option in OPTIONS:
        values[option.name] = _check_option(option, entries[option.name])
    if entries["file"] is not None:
        values["file"] = _text("file", entries["file"])
    for name in ("sha256", "target"):
        values[name] = _text(name, entries[name])
    for name in ("features", "classes"):
        values[name] = tuple(_text(name, item) for item in _list(name, entries[name]))
        if len(set(values[name])) != len(values[name]):
            raise ValueError(f"{name} has a name twice")
    for name in ("mean", "scale"):
        values[name] = tuple(_number(name, item) for item in _list(name, entries[name]))
        if len(values[name]) != len(values["features"]):
            n = len(values["features"])
            raise ValueError(f"{name} has {len(values[name])} numbers for {n} features")
    for name in ("target_mean", "target_scale"):
        values[name] = _number(name, entries[name])
    config = Config(**values)
    _check_sense(config)
    return config


def _check_option(option: Option, value: Any) -> Any:
    optional = option.name in _OPTIONAL
    if value is None and optional:
        return None
    try:
        if option.several:
            return tuple(option.check(item) for item in _list(option.name, value))
        return option.check(value)
    except ValueError as error:
        raise ValueError(f"{option.name}: {_short(str(error))}") from None


_OPTIONAL = ("schedule", "clip_norm", "patience", "checkpoint_steps")


def _check_sense(config: Config) -> None:
    """See to it that the settings fit together."""
    if config.loss not in LOSSES_OF_TASK[config.task]:
        raise ValueError(f"loss {config.loss!r} is not one of task {config.task!r}")
    wrong = {
        "binary": len(config.classes) != 2,
        "multiclass": len(config.classes) < 2,
        "regression": len(config.classes) > 0,
    }
    if wrong[config.task]:
        raise ValueError(f"{len(config.classes)} classes do not fit task {config.task!r}")
    if not config.features:
        raise ValueError("there is no feature")
    if not all(item > 0 for item in (*config.scale, config.target_scale)):
        raise ValueError("a scale is above 0")


def _list(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{name} is a list, not {_short(repr(value))}")
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} is text, not {_short(repr(value))}")
    return value


def _number(name: str, value: Any) -> float:
    # A whole number can be too large for a float.
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ValueError(f"{name} is a finite number such as 1.0, not {_short(repr(value))}")


def _short(text: str) -> str:
    return text if len(text) <= 100 else text[:100] + "…"
