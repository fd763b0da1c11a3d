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

from nnlite.cli.runs.run import Run, load_run
from nnlite.files.archive import replacing
from nnlite.files.errors import RunError


def predict(arguments: Namespace) -> None:
    """Write a line for each sample of a file: its class and all probabilities, or a number.

    Numbers are written so that reading them gives the same bits.
    """
    run = load_run(arguments.run)
    X = run.load_features(arguments.file)
    target, classes = run.config.target, run.config.classes
    with _output(arguments) as stream:
        table = csv.writer(stream, lineterminator="\n")
        if not arguments.json:
            table.writerow([target, *[f"P({name})" for name in classes]])
        for value, p in _predictions(run, X):
            if arguments.json:
                sample = {target: value}
                if classes:
                    sample["probabilities"] = dict(zip(classes, p))
                stream.write(json.dumps(sample, ensure_ascii=False) + "\n")
            else:
                table.writerow([value, *map(repr, p)] if classes else [repr(value)])


def _predictions(run: Run, X: Any) -> Iterator[tuple[Any, list[float]]]:
    """What each sample is, and for classes how probable each of them is."""
    for piece in run.pieces(X):
        if run.config.classes:
            P = run.predict_proba(piece)
            yield from zip(run.names(P).tolist(), P.astype(np.float64).tolist())
        else:
            yield from ((value, []) for value in run.predict(piece).tolist())


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
