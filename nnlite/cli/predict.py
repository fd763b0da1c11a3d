"""The command ``nnlite predict``: the target of the samples of a file."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from nnlite.cli.runs.config import Config
from nnlite.cli.runs.run import Run, load_run
from nnlite.files.archive import replacing
from nnlite.files.errors import RunError


def predict(arguments: Namespace) -> None:
    """Write a line for each sample of a file: its class and all probabilities, or a number."""
    run = load_run(arguments.run)
    X = run.load_features(arguments.file)
    with _output(arguments) as stream:
        if not arguments.json:
            csv.writer(stream, lineterminator="\n").writerow(_header(run.config))
        for piece in run.pieces(X):
            stream.write("".join(_lines(run, piece, arguments.json)))


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
