"""The options of a training run: what each takes, wherever it comes from.

The command line and the settings in a run's folder are both checked by the same table. Nothing
here imports NumPy, so that ``nnlite train --help`` is quick.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Any

from nnlite.layers.registry import ACTIVATIONS, LOSSES, OPTIMIZERS, SCHEDULES, TASKS


@dataclass(frozen=True)
class Number:
    """Finite numbers of at least `least`, or above it, and below `below`.

    Examples
    --------
    >>> Number(float, 0, below=1)("0.2")
    0.2
    """

    kind: type[int] | type[float]
    least: float
    above: bool = False
    below: float = math.inf

    def __call__(self, text: str) -> Any:
        """The number that a text on the command line means."""
        try:
            value = self.kind(text)
        except ValueError:
            raise ValueError(f"{text!r} is not {self}") from None
        return self.check(value)

    def check(self, value: Any) -> Any:
        """The value itself, if it is such a number; a whole one will do for a float."""
        kinds = (int, float) if self.kind is float else (int,)
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise ValueError(f"{value!r} is not {self}")
        inside = self.least < value if self.above else self.least <= value
        if not (inside and value < self.below and value <= sys.float_info.max):
            raise ValueError(f"{value!r} is not {self}")
        return self.kind(value)

    def __str__(self) -> str:
        kind = "a whole number" if self.kind is int else "a finite number"
        bounds = f" {'above' if self.above else 'of at least'} {self.least:g}"
        return kind + bounds + (f" and below {self.below:g}" if self.below < math.inf else "")


@dataclass(frozen=True)
class Choice:
    """One of some words."""

    words: tuple[str, ...]

    def __call__(self, text: str) -> str:
        return self.check(text)

    def check(self, value: Any) -> str:
        if value not in self.words:
            raise ValueError(f"{value!r} is none of {', '.join(self.words)}")
        return str(value)


@dataclass(frozen=True)
class Schedule:
    """A schedule's name, and numbers for its arguments: ``step:step_size=20,gamma=0.5``."""

    def __call__(self, text: str) -> str:
        parse_schedule(text)
        return text

    def check(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is not a text such as step:step_size=20")
        return self(value)


@dataclass(frozen=True)
class Option:
    """One option.

    Attributes
    ----------
    name : str
        On the command line with dashes, in the settings with underscores.
    takes : Number, Choice or Schedule
    help : str
    metavar : str
    default : object
        What a run has without the option; None where that depends on the task, or where the
        option switches something on.
    several : bool
        Whether it takes one value or more.
    """

    name: str
    takes: Any
    help: str
    metavar: str | None = None
    default: Any = None
    several: bool = False

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")


_SHARE, _COUNT = Number(float, 0, below=1), Number(int, 1)
_WEIGHT, _POSITIVE = Number(float, 0), Number(float, 0, above=True)

MODEL = (
    Option("task", Choice(TASKS), "what the target is (default: what its values look like)"),
    Option("hidden", _COUNT, "units of each hidden layer (default: none)", "N", (), True),
    Option("activation", Choice(tuple(ACTIVATIONS)), "of the hidden layers (default: relu)"),
    Option("dropout", _SHARE, "share of hidden units that a step leaves out (default: 0)", "P"),
    Option(
        "loss",
        Choice(tuple(LOSSES)),
        "default: mse of a number, and of the probability of one of two classes without --hidden; "
        "bce of two classes with it; cross_entropy of more",
    ),
    Option("l1", _WEIGHT, "weight of |w|", "LAMBDA", 0.0),
    Option("l2", _WEIGHT, "weight of |w|^2 / 2", "LAMBDA", 1e-3),
    Option("dtype", Choice(("float32", "float64")), "of all numbers", default="float64"),
)
TRAINING = (
    Option("optimizer", Choice(tuple(OPTIMIZERS)), "how the weights are changed", default="sgd"),
    Option(
        "lr",
        _POSITIVE,
        "learning rate (default: 0.1 with sgd and adagrad, 0.01 with the others or for a number)",
        "RATE",
    ),
    Option("momentum", _SHARE, "of sgd (default: 0.9) and rmsprop (default: 0)", "MU"),
    Option("weight_decay", _WEIGHT, "of the optimizer (default: 0, 0.01 of adamw)", "LAMBDA"),
    Option(
        "schedule",
        Schedule(),
        f"of the learning rate: {', '.join(SCHEDULES)}; with arguments as in "
        "step:step_size=20,gamma=0.5 (default: it stays)",
        "NAME",
    ),
    Option("clip_norm", _POSITIVE, "largest norm of a gradient (default: none)", "NORM"),
    Option("epochs", _COUNT, "passes over the data", "N", 50),
    Option(
        "batch_size",
        _COUNT,
        "rows of a batch (default: 32, or a tenth of the samples if that is less)",
        "N",
    ),
    Option("validation", _SHARE, "share of the samples that is held out", "SHARE", 0.2),
    Option(
        "patience",
        _COUNT,
        "stop after N epochs without a better validation loss, and keep the best weights",
        "N",
    ),
    Option("checkpoint_steps", _COUNT, "save each N steps too, not only each epoch", "N"),
    Option("seed", Number(int, 0), "same seed, same bits", "N", 0),
)
OPTIONS = (*MODEL, *TRAINING)

_SCHEDULE_ARGUMENTS = {
    "cosine": {"T_max": Number(int, 1), "eta_min": _WEIGHT},
    "exponential": {"gamma": _POSITIVE},
    "inverse_scaling": {"power_t": _WEIGHT, "increment": _COUNT},
    "one_cycle": {
        "max_lr": _POSITIVE,
        "pct_start": Number(float, 0, above=True),
        "div_factor": _POSITIVE,
        "final_div_factor": _POSITIVE,
    },
    "plateau": {
        "factor": Number(float, 0, above=True, below=1),
        "patience": Number(int, 0),
        "threshold": _WEIGHT,
        "cooldown": Number(int, 0),
        "min_lr": _WEIGHT,
    },
    "step": {"step_size": _COUNT, "gamma": _POSITIVE},
}


def parse_schedule(text: str) -> tuple[str, dict[str, Any]]:
    """The name of a schedule, and its arguments.

    Raises
    ------
    ValueError
        If the name or an argument is unknown, or a number out of its range.

    Examples
    --------
    >>> parse_schedule("step:step_size=20,gamma=0.5")
    ('step', {'step_size': 20, 'gamma': 0.5})
    """
    name, _, rest = text.partition(":")
    if name not in _SCHEDULE_ARGUMENTS:
        raise ValueError(f"{name!r} is none of {', '.join(SCHEDULES)}")
    known = _SCHEDULE_ARGUMENTS[name]
    arguments: dict[str, Any] = {}
    for item in rest.split(",") if rest else ():
        key, equals, number = item.partition("=")
        if key not in known or not equals:
            raise ValueError(
                f"{item!r} is no argument of {name}; write {name}:ARGUMENT=NUMBER,... with "
                f"{', '.join(known)}"
            )
        if key in arguments:
            raise ValueError(f"{key} is given twice")
        try:
            arguments[key] = known[key](number)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None
    return name, arguments
