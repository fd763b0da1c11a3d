"""The command ``nnlite show``: what a run is, how its training went, where its pictures are."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

import numpy as np

from nnlite.cli.runs.config import read_config
from nnlite.cli.runs.folder import PICTURES, read_history
from nnlite.cli.runs.run import Run, load_run
from nnlite.cli.wording import describe, json_numbers
from nnlite.core.summary import Summary


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
    print(history)
    print("\npictures:", *pictures)


def _summary(run: Run) -> Summary:
    """A table of the model, with the shapes of one sample."""
    graph = run.model.graph
    graph.eval()
    is_number = run.config.task != "multiclass"
    t = np.zeros((1, 1), run.config.dtype) if is_number else np.zeros(1, np.int64)
    return graph.summary(np.zeros((1, len(run.config.features)), run.config.dtype), t)
