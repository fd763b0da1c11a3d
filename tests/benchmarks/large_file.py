"""Peak memory of an epoch of the seminar's model on a .npy file larger than it.

    python tests/benchmarks/large_file.py [--megabytes 2000] [--batch-size 256] [--folder FOLDER]

The file is made in a temporary folder and removed with it. It is loaded, split, standardised and
trained on in shuffled batches; what is printed is the largest resident memory of the process, pages
of the file that are mapped into it included, before the data were loaded and at the end.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import nnlite as nn
from nnlite.datasets.loader import DataLoader
from nnlite.training.callbacks import Callback
from nnlite.training.trainer import Trainer

FEATURES = 30


def write(path, megabytes, seed=0):
    """Normal samples and a class that follows from them, a piece at a time."""
    rng = np.random.default_rng(seed)
    m = round(megabytes * 1e6) // ((FEATURES + 1) * 8)
    direction = rng.normal(size=FEATURES)
    with open(path, "wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (m, FEATURES + 1)}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, m, 10_000):
            X = rng.normal(5, 3, size=(min(10_000, m - start), FEATURES))
            t = (X - 5) @ direction > 0
            np.hstack([X, t[:, None]]).tofile(file)
    return m


def peak_megabytes():
    """The most that was resident since the program began."""
    try:
        # ru_maxrss would count the process that started this one, too.
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


class Losses(Callback):
    def __init__(self):
        self.all = []

    def on_step(self, trainer, loss):
        self.all.append(loss)


def epoch(path, batch_size, seed=0):
    """Train for one epoch; the losses of the training and of the held-out part."""
    rng = np.random.default_rng(seed)
    data = nn.datasets.load(path, target=str(FEATURES))
    train, test = data.split(test=0.2, rng=rng)
    standardize = nn.datasets.Standardizer.fit(train.X)
    loader = DataLoader(standardize(train.X), train.t, batch_size, shuffle=True, rng=rng)
    graph = nn.models.seminar_model(FEATURES, 1e-3, rng=rng)
    optimizer = nn.SGD(graph.parameters(), 0.1, momentum=0.9)
    validation = standardize(test.X), test.t
    trainer = Trainer(graph, optimizer, loader, validation=validation, progress=False)
    return trainer.fit(1)[-1]


def measure(megabytes, batch_size, folder=None):
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        path = Path(temporary) / "large.npy"
        samples = write(path, megabytes)
        before = peak_megabytes()
        start = time.perf_counter()
        row = epoch(path, batch_size)
        return {
            "file_megabytes": path.stat().st_size / 1e6,
            "samples": samples,
            "megabytes_before": before,
            "peak_megabytes": peak_megabytes(),
            "seconds": time.perf_counter() - start,
            "train_loss": row["train_loss"],
            "validation_loss": row["validation_loss"],
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--megabytes", type=float, default=2000)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--folder", help="where there is room for the file (default: /tmp or so)")
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.megabytes, arguments.batch_size, arguments.folder)))
