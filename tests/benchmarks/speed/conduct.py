"""Interleaved rounds: one process for each system, and in each round one request to each."""

import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import work as given
from worker import STEPS, SYSTEMS

FLOOR = "NumPy by hand"
NEEDS = {"PyTorch": "torch", "JAX": "jax", "autograd": "autograd", "scikit-learn": "sklearn"}
SECONDS = 0.002
"""How long is timed at once: long beside reading the clock, short beside a time slice."""
PAUSE = 0.05
"""Seconds before another system has its turn on several threads: those of OpenBLAS wait actively
for 2²⁶ ticks of the processor's clock after their last product, and would be in the way."""


def installed():
    """The systems that can run here, and why others cannot."""
    reasons = {
        system: f"{module} is not installed"
        for system, module in NEEDS.items()
        if find_spec(module) is None
    }
    from nnlite import Graph

    if not hasattr(Graph, "compile"):
        reasons["nnlite compiled"] = "Graph has no compile"
    return [system for system in SYSTEMS if system not in reasons], reasons


def environment(threads):
    """Environment variables that hold every library to so many threads."""
    libraries = ("OPENBLAS", "OMP", "MKL", "BLIS", "NUMEXPR", "VECLIB_MAXIMUM")
    return {
        **os.environ,
        **{f"{library}_NUM_THREADS": str(threads) for library in libraries},
        "JAX_PLATFORMS": "cpu",
    }


def processors(threads):
    """The last so many of those this process may use: the first has more to do for the system."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    return sorted(os.sched_getaffinity(0))[-threads:]


class Worker:
    """A system in a process of its own."""

    def __init__(self, system, threads):
        self.system = system
        path = Path(__file__).parent / "worker.py"
        self.process: Any = subprocess.Popen(
            [sys.executable, str(path), system, json.dumps(processors(threads))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env=environment(threads),
        )

    def ask(self, do, **request):
        self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.system} failed at {do!r}; its own message stands above")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Crew:
    """A worker for each system, for the length of a ``with``."""

    def __init__(self, systems, threads):
        self.workers = {system: Worker(system, threads) for system in systems}
        self.pause = PAUSE if threads > 1 else 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for worker in self.workers.values():
            worker.close()

    def measure(self, work, rounds):
        """The seconds of a call in every round, by system; and how far results are apart.

        Raises
        ------
        AssertionError
            If a system computes something else than the floor.
        """
        workers = {s: w for s, w in self.workers.items() if work.kind in SYSTEMS[s]}
        results = {system: _results(worker, work) for system, worker in workers.items()}
        errors = _errors(work, results)
        calls = {system: _calls(worker) for system, worker in workers.items()}
        times: dict[str, list[float]] = {system: [] for system in workers}
        for _ in range(rounds):
            for system, worker in workers.items():
                time.sleep(self.pause)
                times[system].append(worker.ask("time", calls=calls[system]))
        return {system: np.array(samples) for system, samples in times.items()}, errors

    def memory(self, work):
        """Peak bytes of a call, by system; only those that allocate through Python are known."""
        return {
            system: worker.ask("memory")
            for system, worker in self.workers.items()
            if work.kind in SYSTEMS[system] and system not in ("PyTorch", "JAX")
        }


def _results(worker, work):
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "results.npy")
        worker.ask("prepare", work=vars(work), file=file)
        return np.load(file)


def _errors(work, results):
    """The largest difference to the floor's result, relative to its largest entry."""
    exact = results.get(FLOOR, next(iter(results.values())))
    limit = given.tolerance(work, STEPS if work.trains else 1)
    errors = {}
    for system, got in results.items():
        errors[system] = float(np.abs(got - exact).max() / np.abs(exact).max())
        assert errors[system] <= limit, (
            f"{work.name}: the results of {system} differ by {errors[system]:.1e} of the largest, "
            f"more than rounding can explain ({limit:.1e})"
        )
    return errors


def _calls(worker):
    """How many calls take `SECONDS`, after a few to warm up."""
    return max(1, round(SECONDS / worker.ask("time", calls=1)))
