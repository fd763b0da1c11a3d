"""Time and peak memory of forward and reverse mode over n and m (the seminar's S13, S14, S16).

    python tests/benchmarks/modes.py [modes.csv] [--sizes 1 4 16 64 256] [--depth 20] [--repeat 3]

The function has n inputs, m outputs, and `depth` layers of width max(n, m) between them; its full
Jacobian is computed column by column (forward) and row by row (reverse). Time is the least of
some runs; memory is the peak that tracemalloc sees above what was there before.
"""

import argparse
import csv
import itertools
import sys
import time
import tracemalloc

import numpy as np

import nnlite as nn


def network(n, m, depth, rng):
    """x of (n,) to (m,) through `depth` layers of tanh."""
    width = max(n, m)
    sizes = [n, *[width] * depth, m]
    weights = [rng.normal(size=pair) / np.sqrt(pair[0]) for pair in itertools.pairwise(sizes)]

    def f(x):
        for W in weights:
            x = np.tanh(x @ W)
        return x

    return f, rng.normal(size=n)


def seconds(run, repeat):
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def peak_bytes(run):
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak - before


def measure(sizes, depth, repeat=3, seed=0):
    """A row for each n, m and mode."""
    for n in sizes:
        for m in sizes:
            f, x = network(n, m, depth, np.random.default_rng(seed))
            for mode in ("forward", "reverse"):

                def run(f=f, x=x, mode=mode):
                    return nn.jacobian(f, x, mode=mode)

                yield {
                    "n": n,
                    "m": m,
                    "mode": mode,
                    "seconds": seconds(run, repeat),
                    "peak_bytes": peak_bytes(run),
                }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", nargs="?", help="CSV to write (default: standard output)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 4, 16, 64, 256])
    parser.add_argument("--depth", type=int, default=20)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    rows = list(measure(arguments.sizes, arguments.depth, arguments.repeat))
    with open(arguments.file, "w", newline="") if arguments.file else sys.stdout as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
