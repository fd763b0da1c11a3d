"""What the commands ``evaluate``, ``predict`` and ``show`` do; ``train`` has a file of its own."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from nnlite.cli.runs.config import Config, read_config
from nnlite.cli.runs.folder import PICTURES, read_history
from nnlite.cli.runs.run import Run, load_run
from nnlite.core.summary import Summary
from nnlite.files.archive import replacing
from nnlite.files.errors import RunError

_MOST_CLASSES_IN_A_TABLE, _MOST_CLASSES_IN_A_LINE = 30, 12


def evaluate(arguments: Namespace) -> None:
    """Print how well a run predicts the samples of a file."""
    run = load_run(arguments.run)
    data = run.load(arguments.file)
    quality = run.evaluate(*data)
    few = 0 < len(run.config.classes) <= _MOST_CLASSES_IN_A_TABLE
    counts = run.confusion(*data) if few else None
    if arguments.json:
        report = {"run": str(run.folder), "samples": len(data), **json_numbers(quality)}
        if counts is not None:
            report |= {"classes": run.config.classes, "confusion": counts.tolist()}
        print(json.dumps(report, ensure_ascii=False))
        return
    print(f"{len(data)} samples  {in_words(quality)}")
    if counts is not None:
        names = run.config.classes
        head = ["true \\ predicted", *names]
        rows = [[name, *map(str, row)] for name, row in zip(names, counts.tolist())]
        print(*_table([head, *rows]), sep="\n")


def predict(arguments: Namespace) -> None:
    """Write a line for each sample of a file: its class and all probabilities, or a number."""
    run = load_run(arguments.run)
    X = run.load_features(arguments.file)
    with _output(arguments) as stream:
        if not arguments.json:
            csv.writer(stream, lineterminator="\n").writerow(_header(run.config))
        for piece in run.pieces(X):
            stream.write("".join(_lines(run, piece, arguments.json)))


def show(arguments: Namespace) -> None:
    """Print what a run is, how its training went, and where its pictures are."""
    folder = Path(arguments.run)
    config = read_config(folder / "config.json")
    finished = (folder / "weights.npz").exists()
    history = read_history(folder)
    summary = _summary(load_run(folder)) if finished else None
    pictures = [str(folder / name) for name in PICTURES if (folder / name).exists()]
    if arguments.json:
        report = {
            "run": str(folder),
            "finished": finished,
            "config": json.loads(config.to_json()),
            "parameters": None if summary is None else summary.parameters,
            "history": [json_numbers(row) for row in history],
            "pictures": pictures,
        }
        print(json.dumps(report, ensure_ascii=False))
        return
    print(*describe(config), sep="\n")
    if summary is None:
        print(f"\nthe training has not ended; go on with nnlite train --resume {folder}")
        return
    print(f"\n{summary}\n")
    print(*_history_table(history), sep="\n")
    print("\npictures:", *pictures)


def describe(config: Config) -> Iterator[str]:
    """What a run predicts, and how it is trained, in lines."""
    n = len(config.features)
    names, shown = config.classes, _MOST_CLASSES_IN_A_LINE
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


def _header(config: Config) -> list[str]:
    return [config.target, *[f"P({name})" for name in config.classes]]


def _lines(run: Run, X: Any, as_json: bool) -> Iterator[str]:
    """A line for each sample; numbers are written so that reading them gives the same bits."""
    config = run.config
    if config.classes:
        p_of_classes = run.predict_proba(X)
        values, P = run.names(p_of_classes).tolist(), p_of_classes.astype(np.float64).tolist()
    else:
        values = run.predict(X).tolist()
        P = [[]] * len(values)
    for value, p in zip(values, P):
        if as_json:
            sample = {config.target: value}
            if config.classes:
                sample["probabilities"] = dict(zip(config.classes, p))
            yield json.dumps(sample, ensure_ascii=False) + "\n"
        else:
            yield _csv_line([value, *map(repr, p)] if p else [repr(value)])


def _csv_line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


@contextlib.contextmanager
def _output(arguments: Namespace) -> Iterator[IO[str]]:
    """Standard output, or a new file that is there when it is complete."""
    if arguments.out is None:
        yield sys.stdout
        return
    path = Path(arguments.out)
    if path.is_dir() or not path.parent.is_dir():
        what = path if path.is_dir() else path.parent
        raise RunError(
            f"{what} is {'a folder' if path.is_dir() else 'not a folder'}; give --out the name of "
            "a file in a folder that is there"
        )
    if path.exists() and path.samefile(arguments.file):
        raise RunError(f"{path} holds the samples themselves; give --out another name")
    if path.exists() and not arguments.overwrite:
        raise RunError(f"{path} exists and is left as it is; give another --out, or --overwrite")
    with replacing(path) as file:
        stream = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        yield stream
        stream.detach()


def _summary(run: Run) -> Summary:
    """A table of the model, with the shapes of one sample."""
    graph = run.model.graph
    graph.eval()
    is_number = run.config.task != "multiclass"
    t = np.zeros((1, 1), run.config.dtype) if is_number else np.zeros(1, np.int64)
    return graph.summary(np.zeros((1, len(run.config.features)), run.config.dtype), t)


def _history_table(history: list[dict[str, float]]) -> Iterable[str]:
    """The first epochs and the last ones."""
    if not history:
        return
    few = 5
    shown = history if len(history) <= 2 * few else history[:few] + history[-few:]
    rows = [[f"{value:.4g}" for value in row.values()] for row in shown]
    lines = list(_table([list(history[0]), *rows]))
    if len(shown) < len(history):
        lines.insert(few + 1, "…")
    yield from lines


def _table(rows: list[list[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        first, *others = zip(row, widths)
        yield "  ".join([first[0].ljust(first[1]), *[cell.rjust(w) for cell, w in others]])
