"""The options of a training run: what each takes, wherever it comes from.

The command line and the settings in a run's folder are both checked by the same table, with the
kinds that constructors use. Nothing here imports NumPy before an option is given, so that
``nnlite train --help`` is quick.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nnlite.layers.registry import ACTIVATIONS, LOSSES, OPTIMIZERS, SCHEDULES, TASKS, resolve


@dataclass(frozen=True)
class Option:
    """One option.

    Attributes
    ----------
    name : str
        On the command line with dashes, in the settings with underscores.
    takes : str or tuple of str
        The kind of number, by its name in ``nnlite.core.arguments``; or words to choose from; or
        "schedule", for the text that `parse_schedule` takes.
    help : str
    metavar : str
    default : object
        What a run has without the option; None where that depends on the task, or where the
        option switches something on.
    several : bool
        Whether it takes one value or more.
    """

    name: str
    takes: str | tuple[str, ...]
    help: str
    metavar: str | None = None
    default: Any = None
    several: bool = False

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    def parse(self, text: str) -> Any:
        """What a text on the command line means; a ValueError says what is wrong with it."""
        return self.check(text if self._is_text else _number(self.takes, text, "parse"))

    def check(self, value: Any) -> Any:
        """A value, if the option may have it; a ValueError says what is wrong with it."""
        if not self._is_text:
            return _number(self.takes, value, "convert")
        if self.takes == "schedule":
            parse_schedule(value)
        elif value not in self.takes:
            raise ValueError(f"{value!r} is none of {', '.join(self.takes)}")
        return str(value)

    @property
    def _is_text(self) -> bool:
        return isinstance(self.takes, tuple) or self.takes == "schedule"


def _number(kind: Any, value: Any, how: str) -> Any:
    from nnlite.core import arguments  # NumPy, which the help does without

    of_kind = getattr(arguments, kind)
    try:
        return getattr(of_kind, how)(value)
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is not {of_kind}") from None


MODEL = (
    Option("task", TASKS, "what the target is (default: what its values look like)"),
    Option("hidden", "SIZE", "units of each hidden layer (default: none)", "N", (), True),
    Option("activation", tuple(ACTIVATIONS), "of the hidden layers (default: relu)"),
    Option("dropout", "SHARE", "share of hidden units that a step leaves out (default: 0)", "P"),
    Option(
        "loss",
        tuple(LOSSES),
        "default: mse of a number, and of the probability of one of two classes without --hidden; "
        "bce of two classes with it; cross_entropy of more",
    ),
    Option("l1", "AT_LEAST_0", "weight of |w|", "LAMBDA", 0.0),
    Option("l2", "AT_LEAST_0", "weight of |w|^2 / 2", "LAMBDA", 1e-3),
    Option("dtype", ("float32", "float64"), "of all numbers", default="float64"),
)
TRAINING = (
    Option("optimizer", tuple(OPTIMIZERS), "how the weights are changed", default="sgd"),
    Option(
        "lr",
        "POSITIVE",
        "learning rate (default: 0.1 with sgd and adagrad, 0.01 with the others or for a number)",
        "RATE",
    ),
    Option("momentum", "SHARE", "of sgd (default: 0.9) and rmsprop (default: 0)", "MU"),
    Option("weight_decay", "AT_LEAST_0", "of the optimizer (default: 0, 0.01 of adamw)", "LAMBDA"),
    Option(
        "schedule",
        "schedule",
        f"of the learning rate: {', '.join(SCHEDULES)}; with arguments as in "
        "step:step_size=20,gamma=0.5 (default: it stays)",
        "NAME",
    ),
    Option("clip_norm", "POSITIVE", "largest norm of a gradient (default: none)", "NORM"),
    Option("epochs", "SIZE", "passes over the data", "N", 50),
    Option(
        "batch_size",
        "SIZE",
        "rows of a batch (default: 32, or a tenth of the samples if that is less)",
        "N",
    ),
    Option("validation", "SHARE", "share of the samples that is held out", "SHARE", 0.2),
    Option(
        "patience",
        "SIZE",
        "stop after N epochs without a better validation loss, and keep the best weights",
        "N",
    ),
    Option("checkpoint_steps", "SIZE", "save each N steps too, not only each epoch", "N"),
    Option("seed", "COUNT", "same seed, same bits", "N", 0),
)
OPTIONS = (*MODEL, *TRAINING)


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
    if not isinstance(text, str):
        raise ValueError(f"{text!r} is not a text such as step:step_size=20")
    name, _, rest = text.partition(":")
    if name not in SCHEDULES:
        raise ValueError(f"{name!r} is none of {', '.join(SCHEDULES)}")
    from nnlite.core.arguments import Number, kinds_of

    kinds = kinds_of(resolve(SCHEDULES, name))
    known = {n: k for n, k in kinds.items() if isinstance(k, Number) and n != "total_steps"}
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
            arguments[key] = known[key].parse(number)
        except ValueError:
            raise ValueError(f"{key}: {number!r} is not {known[key]}") from None
    return name, arguments
