"""Test accuracy of the default training over seeds, beside scikit-learn's LogisticRegression.

    python tests/benchmarks/default_training.py [--seeds 20]

Each seed draws a split, the initial parameters and the order of the batches as `nnlite train
--seed N` does; scikit-learn is fitted on the same standardised training part.
"""

import argparse
import contextlib
import io
import json
import tempfile
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

import nnlite as nn
from nnlite.cli.main import main


def nnlite_accuracy(seed, folder):
    """The test accuracy of `nnlite train --seed SEED`, from what it wrote."""
    run = Path(folder) / str(seed)
    with contextlib.redirect_stdout(io.StringIO()):
        assert main(["train", "--quiet", "--seed", str(seed), "--out", str(run)]) == 0
    header, *rows = [line.split(",") for line in (run / "history.csv").read_text().split()]
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    return float(dict(zip(header, rows[-1], strict=True))["validation_accuracy"]), config


def sklearn_accuracy(seed, config):
    data = nn.datasets.load_breast_cancer()
    train, test = data.split(test=0.2, rng=np.random.default_rng(seed))
    X, X_test = ((part.X - config["mean"]) / config["scale"] for part in (train, test))
    return LogisticRegression().fit(X, train.t[:, 0]).score(X_test, test.t[:, 0])


def report(seeds):
    print("seed  nnlite  scikit-learn")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            ours, config = nnlite_accuracy(seed, folder)
            rows.append((ours, sklearn_accuracy(seed, config)))
            print(f"{seed:4}  {rows[-1][0]:.4f}  {rows[-1][1]:.4f}", flush=True)
    ours, theirs = np.mean(rows, axis=0)
    print(f"mean  {ours:.4f}  {theirs:.4f}")
    return ours


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    mean = report(parser.parse_args().seeds)
    raise SystemExit(0 if mean >= 0.97 else f"mean test accuracy {mean:.4f} is below 0.97")
