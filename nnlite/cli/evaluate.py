"""The command ``nnlite evaluate``: how well a run predicts the samples of a file."""

from __future__ import annotations

import json
from argparse import Namespace

from nnlite.cli.runs.run import load_run
from nnlite.cli.wording import in_words, json_numbers
from nnlite.core.text import NUMBERS, as_text

MOST_CLASSES = 30  # in a table


def evaluate(arguments: Namespace) -> None:
    """Print how well a run predicts the samples of a file."""
    run = load_run(arguments.run)
    data = run.load(arguments.file)
    quality = json_numbers(run.evaluate(*data))
    few = 0 < len(run.config.classes) <= MOST_CLASSES
    counts = run.confusion(*data) if few else None
    if arguments.json:
        report = {"run": str(run.folder), "samples": len(data), **quality}
        if counts is not None:
            report |= {"classes": run.config.classes, "confusion": counts.tolist()}
        print(json.dumps(report, ensure_ascii=False))
        return
    print(f"{len(data)} samples  {in_words(quality)}")
    if counts is not None:
        names = run.config.classes
        head = ["true \\ predicted", *names]
        rows = [[name, *map(str, row)] for name, row in zip(names, counts.tolist())]
        print(as_text(head, rows, right=NUMBERS))
