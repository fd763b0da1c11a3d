"""The command line: ``nnlite train``.

Exit codes: 0 done, 1 the training failed, 2 the command or the data is wrong.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnlite.datasets import Dataset
    from nnlite.graph import Graph


class UsageError(Exception):
    """A command that cannot be carried out; the message says what to change."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    argv : list of str, optional
        The arguments after the program's name; those of the process if left out.
    """
    arguments = _parser().parse_args(argv)
    from nnlite.table import DataError
    from nnlite.training import DivergenceError

    try:
        train(arguments)
    except (UsageError, DataError) as error:
        return _complain(str(error), 2)
    except (DivergenceError, OSError) as error:
        return _complain(str(error), 1)
    except KeyboardInterrupt:
        return _complain("interrupted; nothing was written", 1)
    return 0


def _complain(message: str, code: int) -> int:
    print(f"nnlite: {message}", file=sys.stderr)
    return code


def _number(kind: type, least: float, beyond: bool = False, below: float = math.inf) -> Any:
    """An argparse type: a finite number of at least `least`, or above it, and below `below`."""

    def parse(text: str) -> Any:
        value = kind(text)
        if value >= below and math.isfinite(value):
            raise argparse.ArgumentTypeError(f"{text} is not below {below:g}")
        if not math.isfinite(value) or value < least or (beyond and value == least):
            bound = "above" if beyond else "of at least"
            raise argparse.ArgumentTypeError(f"{text} is not a finite number {bound} {least:g}")
        return value

    parse.__name__ = kind.__name__
    return parse


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nnlite", description="Neural-network layers on NumPy.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser(
        "train",
        help="train the seminar's model on a table",
        description=(
            "Train f = (sigmoid(w.x + b) - t)^2 / 2 + lambda |w|^2 / 2 with SGD to tell two "
            "classes apart, on the Wisconsin breast-cancer data or on a table of your own; a fifth "
            "of the samples is held out for testing. Writes weights.npz, config.json, history.csv, "
            "loss.png and graph.png into a new folder."
        ),
    )
    command.add_argument(
        "file", nargs="?", metavar="FILE", help="CSV with a header (default: the shipped data)"
    )

    def option(name: str, meaning: str, default: Any, **kwargs: Any) -> None:
        command.add_argument(
            name, default=default, help=f"{meaning} (default: %(default)s)", **kwargs
        )

    share, count = _number(float, 0), _number(int, 1)
    option("--target", "the column to predict", "diagnosis", metavar="COLUMN")
    option("--l2", "weight of |w|^2 / 2", 1e-3, type=share, metavar="LAMBDA")
    option("--lr", "learning rate", 0.1, type=_number(float, 0, True), metavar="RATE")
    option("--momentum", "momentum", 0.9, type=_number(float, 0, below=1), metavar="MU")
    option("--epochs", "passes over the data", 50, type=count, metavar="N")
    option("--batch-size", "rows of a batch", 32, type=count, metavar="N")
    option("--dtype", "of all numbers", "float64", choices=["float32", "float64"])
    option("--seed", "same seed, same bits", 0, type=_number(int, 0), metavar="N")
    command.add_argument(
        "--out", metavar="FOLDER", help="a new folder for the results (default: runs/<name>)"
    )
    command.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser


def train(arguments: argparse.Namespace) -> None:
    """Train, report, and write the run's folder, which appears only when it is complete."""
    import numpy as np
    from tqdm import tqdm

    from nnlite.datasets import Standardizer
    from nnlite.loader import DataLoader
    from nnlite.models import seminar_model
    from nnlite.optim import SGD
    from nnlite.training import DivergenceError, evaluate, steps

    data = _load(arguments)
    folder = _new_folder(arguments, "breast_cancer")
    rng = np.random.default_rng(arguments.seed)
    train_part, test_part = data.split(test=0.2, rng=rng)
    standardize = Standardizer.fit(train_part.X)
    X, t = standardize(train_part.X), train_part.t
    X_test, t_test = standardize(test_part.X), test_part.t
    graph = seminar_model(X.shape[1], arguments.l2, dtype=arguments.dtype, rng=rng)
    optimizer = SGD(graph.parameters(), arguments.lr, momentum=arguments.momentum)
    loader = DataLoader(X, t, arguments.batch_size, shuffle=True, rng=rng)

    history: list[dict[str, float]] = []
    silent = arguments.quiet or not sys.stderr.isatty()
    with tqdm(total=arguments.epochs * len(loader), unit="step", disable=silent) as bar:
        for epoch in range(1, arguments.epochs + 1):
            for loss in steps(graph, optimizer, loader):
                bar.set_postfix(epoch=epoch, loss=f"{loss:.4f}", refresh=False)
                bar.update()
            row: dict[str, float] = {"epoch": epoch}
            for part, (samples, targets) in {"train": (X, t), "test": (X_test, t_test)}.items():
                row[f"{part}_loss"], row[f"{part}_accuracy"] = evaluate(
                    graph, graph["y"], samples, targets
                )
            history.append(row)
    if not np.isfinite(history[-1]["train_loss"]):
        raise DivergenceError("the last step made the loss infinite; a smaller --lr may help")

    graph(X, t)
    graph.zero_grad()
    graph.backward()
    config = {
        **{name: value for name, value in vars(arguments).items() if name not in ("out", "quiet")},
        "features": data.feature_names,
        "classes": data.class_names,
        "mean": standardize.mean.tolist(),
        "scale": standardize.scale.tolist(),
    }
    _write_run(folder, graph, config, history)
    for part in ("train", "test"):
        loss, accuracy = row[f"{part}_loss"], row[f"{part}_accuracy"]
        print(f"{part:>5}  loss {loss:.4f}  accuracy {accuracy:.4f}")
    print(f"wrote {folder}{os.sep}")


def _load(arguments: argparse.Namespace) -> Dataset:
    """The data to train on: two classes, as the model has one output between 0 and 1."""
    import numpy as np

    from nnlite.datasets import load_breast_cancer, load_csv

    if arguments.file is None:
        if arguments.target != "diagnosis":
            raise UsageError(
                f"--target {arguments.target} needs a FILE; the shipped data predict 'diagnosis'"
            )
        return load_breast_cancer(arguments.dtype)
    data = load_csv(arguments.file, arguments.target, arguments.dtype)
    if data.t.ndim != 2 or not np.isin(data.t, (0, 1)).all():
        found = f"{len(data.class_names)} classes" if data.class_names else "other numbers"
        raise UsageError(
            f"{arguments.file}, column {arguments.target!r} has {found}; this model separates two "
            "classes: two words, true and false, or 0 and 1"
        )
    return data


def _new_folder(arguments: argparse.Namespace, default: str) -> Path:
    if arguments.out is not None:
        folder = Path(arguments.out)
        if folder.exists():
            raise UsageError(f"{folder} exists and is left as it is; give another folder to --out")
        return folder
    name = default if arguments.file is None else Path(arguments.file).name.split(".")[0]
    folder = Path("runs") / name
    count = 1
    while folder.exists():
        count += 1
        folder = Path("runs") / f"{name}-{count}"
    return folder


def _write_run(
    folder: Path, graph: Graph, config: dict[str, Any], history: list[dict[str, float]]
) -> None:
    """Write everything into a folder beside `folder`, and rename that when it is whole."""
    import matplotlib.pyplot as plt
    import numpy as np
    from matplotlib.figure import Figure

    from nnlite import plot

    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}")
    unfinished.mkdir(parents=True)
    try:
        np.savez(unfinished / "weights.npz", **graph.state_dict())  # type: ignore[arg-type]
        text = json.dumps(config, indent=2, ensure_ascii=False)
        (unfinished / "config.json").write_text(text + "\n", encoding="utf-8")
        with open(unfinished / "history.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, history[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(history)
        columns = {name: [row[name] for row in history] for name in history[0]}
        curves = Figure(figsize=(6, 4), layout="constrained")
        plot.history(columns, ax=curves.add_subplot())
        curves.savefig(unfinished / "loss.png", dpi=150)
        picture: Any = graph.plot(values=True, gradients=True).figure
        picture.savefig(unfinished / "graph.png", dpi=150)
        plt.close(picture)
        os.rename(unfinished, folder)
    except BaseException:
        shutil.rmtree(unfinished)
        raise
