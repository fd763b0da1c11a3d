"""What the commands say in the same words: settings, and numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from nnlite.cli.runs.config import Config

MOST_CLASSES = 12  # in a line


def describe(config: Config) -> Iterator[str]:
    """What a run predicts, and how it is trained, in lines."""
    n = len(config.features)
    names, shown = config.classes, MOST_CLASSES
    kind = f"one of {', '.join(names[:shown])}" if names else "a number"
    kind += f" and {len(names) - shown} more" if len(names) > shown else ""
    yield f"target: {config.target!r}, {kind}, from {n} feature{'s' * (n > 1)}"
    layers = [str(n), *map(str, config.hidden), str(config.outputs)]
    model = "the seminar's model" if config.is_seminar else f"layers of {' → '.join(layers)}"
    if config.hidden:
        model += f" with {config.activation}"
        model += f" and dropout {config.dropout:g}" if config.dropout else ""
    penalty = "".join(f" + {w:g} {name}" for name, w in (("L1", config.l1), ("L2", config.l2)) if w)
    yield f"model: {model}; loss {config.loss}{penalty}"
    momentum = f", momentum {config.momentum:g}" if config.momentum else ""
    schedule = f", schedule {config.schedule}" if config.schedule else ""
    yield (
        f"training: {config.optimizer}, lr {config.lr:g}{momentum}{schedule}; "
        f"{config.epochs} epoch{'s' * (config.epochs > 1)} in "
        f"batches of {config.batch_size}, seed {config.seed}"
    )


def in_words(quality: dict[str, Any]) -> str:
    """Numbers with their names."""
    names = {"r2": "R²", "rmse": "RMSE", "mae": "MAE"}
    return "  ".join(f"{names.get(name, name)} {_short(value)}" for name, value in quality.items())


def _short(value: float | None) -> str:
    if value is None:
        return "undefined"
    return f"{value:.4f}" if abs(value) < 1e6 else f"{value:.4g}"


def json_numbers(numbers: dict[str, float]) -> dict[str, Any]:
    """Numbers as JSON has them, where there is no NaN."""
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}
