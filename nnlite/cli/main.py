"""The command line: ``nnlite train``, ``evaluate``, ``predict``, ``show`` and ``doctor``.

Exit codes: 0 done; 1 the training failed, or a file could not be written; 2 the command, the data
or a run is wrong; 130 stopped by Ctrl-C, 143 by SIGTERM.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from typing import Any, NoReturn

from nnlite.cli.machine.kernels import prepare
from nnlite.cli.runs.options import MODEL, TRAINING, Option


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    argv : list of str, optional
        The arguments after the program's name; those of the process if left out.
    """
    environ = dict(os.environ)  # which the doctor judges, and not what is made of it here
    prepare()
    arguments = _parser().parse_args(argv)
    if arguments.command != "predict":  # whose output is data, and is never altered
        _spell_out_what_the_screen_lacks()
    try:
        return _carry_out(arguments, environ)
    except KeyboardInterrupt as error:
        return _complain(error, 128 + getattr(error, "signal", signal.SIGINT))


def _spell_out_what_the_screen_lacks() -> None:
    """Write letters that an encoding has not as \\u2192, where that is not UTF-8."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() != "utf-8":
            stream.reconfigure(errors="backslashreplace")


def _carry_out(arguments: argparse.Namespace, environ: dict[str, str]) -> int:
    from nnlite.cli.evaluate import evaluate
    from nnlite.cli.machine import doctor
    from nnlite.cli.predict import predict
    from nnlite.cli.settings import UsageError
    from nnlite.cli.show import show
    from nnlite.cli.train import train
    from nnlite.files.checkpoint import CheckpointError
    from nnlite.files.errors import DataError, RunError
    from nnlite.files.lock import LockedError

    wrong = (UsageError, DataError, RunError, CheckpointError, LockedError)
    try:
        if arguments.command == "doctor":
            doctor.main(arguments.json, environ)
        else:
            commands = {"train": train, "evaluate": evaluate, "predict": predict, "show": show}
            commands[arguments.command](arguments)
        sys.stdout.flush()
    except wrong as error:
        return _complain(error, 2)
    except UnicodeEncodeError as error:
        letter = error.object[error.start]
        return _complain(f"{error.encoding} has no letter {letter!a}; write to a file, --out", 1)
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ArithmeticError, OSError, MemoryError) as error:
        return _complain(error, 1)
    return 0


def _complain(error: BaseException | str, code: int) -> int:
    notes = getattr(error, "__notes__", [])
    message = str(error) or ("out of memory" if code == 1 else "interrupted")
    print(f"nnlite: {'; '.join([message, *notes])}", file=sys.stderr)
    return code


class _Parser(argparse.ArgumentParser):
    """Complains in one sentence, without the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


_TRAIN = (
    "Train a model to predict a column of a table from the others: one of several classes, or a "
    "number. Without FILE it is the seminar's model, f = (sigmoid(w.x + b) - t)^2 / 2 + lambda "
    "|w|^2 / 2, on the Wisconsin breast-cancer data. The run's folder gets weights.npz, "
    "config.json, history.csv, loss.png, graph.png and checkpoints."
)
_PREDICT = (
    "Write CSV: the predicted class and the probability of each class, or the predicted number. "
    "The features are found by name; other columns are ignored."
)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="nnlite", description="Neural-network layers on NumPy.")
    version: str = sys.modules["nnlite"].__version__
    parser.add_argument("--version", action="version", version=f"nnlite {version}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, meaning: str, json: str = "one JSON object", **more: Any) -> Any:
        added = commands.add_parser(name, help=meaning, **more)
        if name in ("evaluate", "predict", "show"):
            added.add_argument("run", metavar="RUN", help="the folder that nnlite train wrote")
        added.add_argument("--json", action="store_true", help=json)
        return added

    json = "one JSON object with the results, in place of text"
    _fill_train(command("train", "train a model on a table", json, description=_TRAIN))
    evaluate = command("evaluate", "say how well a run predicts the samples of a file")
    evaluate.add_argument("file", metavar="FILE", help="a table with the target and all features")
    meaning, json = "predict the target of the samples of a file", "a JSON object a line, not CSV"
    predict = command("predict", meaning, json, description=_PREDICT)
    predict.add_argument("file", metavar="FILE", help="a table with all features")
    predict.add_argument("--out", metavar="FILE", help="where to write (default: to the screen)")
    predict.add_argument("--overwrite", action="store_true", help="replace the file that is there")
    command("show", "show a run: its model, its history, its pictures")
    command("doctor", "say whether NumPy is as quick here as it could be, and what to set if not")
    return parser


def _fill_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="CSV with a header, .npy or .npz (default: the shipped data)",
    )
    parser.add_argument("--target", metavar="NAME", help="the column to predict")
    for title, options in (("the model", MODEL), ("the training", TRAINING)):
        group = parser.add_argument_group(title)
        for option in options:
            _add_option(group, option)
    group = parser.add_argument_group("the run")
    group.add_argument(
        "--out", metavar="FOLDER", help="a new folder for the run (default: runs/<name of FILE>)"
    )
    group.add_argument("--overwrite", action="store_true", help="delete the run that is there")
    group.add_argument(
        "--resume",
        metavar="RUN",
        help="go on with a run from its last checkpoint; a larger --epochs may be given",
    )
    group.add_argument("--quiet", action="store_true", help="no progress bar")


def _add_option(group: Any, option: Option) -> None:
    """An option whose value is None where it was not given."""

    def parse(text: str) -> Any:
        try:
            return option.parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    words = ",".join(option.takes) if isinstance(option.takes, tuple) else ""
    value = option.default
    default = f"{value:g}" if isinstance(value, float) else str(value)
    group.add_argument(
        option.flag,
        type=parse,
        metavar=option.metavar or f"{{{words}}}",
        nargs="+" if option.several else None,
        help=option.help + ("" if value in (None, ()) else f" (default: {default})"),
    )
