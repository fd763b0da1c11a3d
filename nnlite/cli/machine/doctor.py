"""The command ``nnlite doctor``: is NumPy as quick here as it could be, and what to set if not."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from nnlite.cli.machine.blas import Blas
from nnlite.cli.machine.kernels import AVX512, better_environment, first_processor, read_cpuinfo

CLEARLY = 0.1
"""Of a time; differences below come and go from run to run."""

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Trial:
    """What was measured under some environment variables; none are the environment as it is."""

    settings: dict[str, str]
    blas: Blas
    seconds: dict[str, float]


@dataclass(frozen=True)
class Report:
    """What `examine` found.

    Attributes
    ----------
    processor : str
    avx512 : bool or None
        Whether the processor has the features that OpenBLAS's SkylakeX kernels need; None where
        there is no ``/proc/cpuinfo`` to tell.
    trials : list of Trial
        The first is of the environment as it is, the second of one thread, the others of one
        thread and other kernels.
    advice : dict from str to str
        Environment variables to set for one's own scripts.
    command_line : dict from str to str
        Those that the command ``nnlite`` sets for itself here.
    """

    processor: str
    avx512: bool | None
    trials: list[Trial]
    advice: dict[str, str]
    command_line: dict[str, str]

    def __str__(self) -> str:
        return "\n".join(_text(self))


def main(as_json: bool = False, environ: Mapping[str, str] | None = None) -> int:
    """Print a report of this machine, and return the exit code, 0.

    Parameters
    ----------
    as_json : bool
        For programs to read.
    environ : mapping of str to str, optional
        The environment to judge; that of this process if left out.
    """
    report = examine(environ)
    print(json.dumps(asdict(report), indent=2, ensure_ascii=False) if as_json else report)
    return 0


def examine(
    environ: Mapping[str, str] | None = None,
    cpuinfo: str | None = None,
    try_out: Callable[[Mapping[str, str], list[dict[str, str]]], list[Trial]] | None = None,
) -> Report:
    """Measure a few kinds of work under the settings that could be better, for some seconds.

    Parameters
    ----------
    environ : mapping of str to str, optional
        The environment to judge; that of this process if left out.
    cpuinfo : str, optional
        The text of ``/proc/cpuinfo``; read if left out.
    try_out : callable, optional
        From an environment and settings to a `Trial` for each; new processes if left out.
    """
    environ = dict(os.environ if environ is None else environ)
    cpuinfo = read_cpuinfo() if cpuinfo is None else cpuinfo
    entries = first_processor(cpuinfo)
    flags = set(entries.get("flags", "").split())
    trials = (try_out or in_new_processes)(environ, _candidates(flags))
    if trials[0].blas.name != "OpenBLAS":
        trials = trials[:1]
    trials[2:] = [t for t in trials[2:] if t.blas.kernels != trials[0].blas.kernels]
    return Report(
        processor=entries.get("model name", "unknown processor"),
        avx512=flags >= AVX512 if flags else None,
        trials=trials,
        advice=_advice(trials),
        command_line=better_environment(environ, cpuinfo),
    )


def in_new_processes(
    environ: Mapping[str, str], candidates: list[dict[str, str]], rounds: int = 3
) -> list[Trial]:
    """A trial of each candidate, in interleaved rounds of new processes; the median of each time.

    OpenBLAS reads the environment when it is loaded, so that a process can try only one.
    """
    command = [sys.executable, "-c", "from nnlite.cli.machine.doctor import measure; measure()"]
    answers: list[list[dict[str, Any]]] = [[] for _ in candidates]
    for _ in range(rounds):
        for settings, found in zip(candidates, answers):
            variables = {**environ, **settings}
            done = subprocess.run(command, env=variables, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"nnlite doctor: a measurement failed\n{done.stderr}")
            found.append(json.loads(done.stdout))
    trials = []
    for settings, found in zip(candidates, answers):
        times = [answer["seconds"] for answer in found]
        medians = {work: statistics.median(time[work] for time in times) for work in times[0]}
        trials.append(Trial(settings, Blas(**found[0]["blas"]), medians))
    return trials


def measure(seconds: float = 0.05) -> None:
    """Print as JSON the BLAS of this process, and the quickest of some runs of each work."""
    from nnlite.cli.machine.blas import blas

    times = {}
    for name, work in works().items():
        work()
        best, end = float("inf"), time.perf_counter() + seconds
        while time.perf_counter() < end:
            start = time.perf_counter()
            work()
            best = min(best, time.perf_counter() - start)
        times[name] = best
    print(json.dumps({"blas": asdict(blas()), "seconds": times}))


def works() -> dict[str, Callable[[], object]]:
    """What is measured, by name: a small model, a small network's products, and a large product."""
    import numpy as np

    def array(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return np.ones(shape, np.float32)

    X, w = array(32, 30), array(30)
    x, V, W = array(64, 64), array(64, 128), array(128, 64)
    A, B = array(128, 784), array(784, 256)

    return {
        "30 features, batch 32: 100 × X ω and Xᵀ y": lambda: [
            np.dot(np.tanh(np.dot(X, w)), X) for _ in range(100)
        ],
        "a 64-128-64 network, batch 64: 10 × x V W": lambda: [
            np.dot(np.dot(x, V), W) for _ in range(10)
        ],
        "784 by 256, batch 128: X W": lambda: np.dot(A, B),
    }


def _candidates(flags: set[str]) -> list[dict[str, str]]:
    """The environment as it is, one thread, and all kernels that the processor can run.

    Kernels are compared on one thread, as the second may have to wait for other programs.
    """
    needs = {"SkylakeX": AVX512, "Haswell": frozenset({"avx2", "fma"})}
    kernels = [core for core, needed in needs.items() if needed <= flags]
    return [{}, ONE_THREAD, *[{"OPENBLAS_CORETYPE": core, **ONE_THREAD} for core in kernels]]


def _advice(trials: list[Trial]) -> dict[str, str]:
    """The settings that were better: of the number of threads, and then of the kernels."""
    if len(trials) == 1:
        return {}
    present, one_thread, *others = trials
    advice = dict(ONE_THREAD) if _saves(one_thread, present) else {}
    better = [t for t in others if _saves(t, one_thread) and not _saves(one_thread, t)]
    if better:
        best = min(better, key=lambda trial: sum(trial.seconds.values()))
        advice["OPENBLAS_CORETYPE"] = best.settings["OPENBLAS_CORETYPE"]
    return advice


def _saves(trial: Trial, other: Trial) -> bool:
    """Whether some work is clearly quicker in a trial than in another."""
    return any(
        seconds < (1 - CLEARLY) * other.seconds[name] for name, seconds in trial.seconds.items()
    )


def _text(report: Report) -> list[str]:
    present, *_ = report.trials
    avx512 = {True: "with AVX-512", False: "without AVX-512", None: "AVX-512 unknown"}
    lines = [f"{report.processor}, {avx512[report.avx512]}", f"NumPy's BLAS: {present.blas}", ""]
    lines += [_table(report.trials), ""]
    if present.blas.name != "OpenBLAS":
        lines.append(
            f"Could not tell whether {present.blas.name} is as quick as it could be: only OpenBLAS "
            "says which kernels it uses, and lets them be chosen."
        )
    elif report.advice:
        lines.append("For your own scripts, before Python starts:")
        lines += [f"    export {name}={value}" for name, value in report.advice.items()]
    else:
        lines.append("Nothing to set: no other kernels or threads were clearly quicker.")
    if "OPENBLAS_NUM_THREADS" in report.advice:
        lines.append("One thread is for small models; large products may want more.")
    if report.command_line:
        settings = " ".join(f"{name}={value}" for name, value in report.command_line.items())
        lines.append(f"The command nnlite sets for itself: {settings}")
    return lines


def _table(trials: list[Trial]) -> str:
    """Microseconds: a line for each work, a column for each trial."""
    from nnlite.core.text import NUMBERS, as_text

    kernels = [f"one thread, {trial.blas.kernels}" for trial in trials[2:]]
    head = ["µs", *["as it is", "one thread", *kernels][: len(trials)]]
    lines = [
        [work, *[f"{1e6 * trial.seconds[work]:.0f}" for trial in trials]]
        for work in trials[0].seconds
    ]
    return as_text(head, lines, right=NUMBERS)
