"""The figures of the runs that were recorded, and the README's table, which is made of them.

``tests/benchmarks/speed.csv`` has a row for each run, work and system: ratios, because times of
different runs cannot be compared. ``--record`` adds a run, ``--readme`` writes the latest ones,
on one core and on two, into the README.
"""

from __future__ import annotations

import csv
import datetime
import platform
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from conduct import FLOOR

ROOT = Path(__file__).parents[3]
FILE = ROOT / "tests" / "benchmarks" / "speed.csv"
README = ROOT / "README.md"
COLUMNS = (
    *("run", "commit", "machine", "python", "threads", "rounds"),
    *("work", "system", "version", "ratio"),
)
BEGIN = "<!-- Made by `python tests/benchmarks/speed --readme`; change nothing by hand. -->\n"
END = "<!-- End of what is made. -->\n"
STARTUP = "start-up in units of Python alone"
SYSTEMS = ("nnlite compiled", "nnlite", "PyTorch", "JAX", "autograd", "scikit-learn")

Row = Mapping[str, Any]


def append(
    found: Iterable[Row],
    commands: Mapping[str, Any],
    versions: Mapping[str, str],
    machine: str,
    threads: int,
    rounds: int,
) -> None:
    """Add a run: the rows of `report.rows`, seconds by command, and what each system is."""
    run = {
        "run": datetime.datetime.now().isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": machine,
        "python": platform.python_version(),
        "threads": threads,
        "rounds": rounds,
    }
    alone = np.median(commands["Python alone"])
    rows = [
        {"work": row["work"], "system": row["system"], "ratio": f"{row['ratio_to_floor']:.3f}"}
        for row in found
    ]
    rows += [
        {"work": STARTUP, "system": command, "ratio": f"{np.median(seconds) / alone:.3f}"}
        for command, seconds in commands.items()
    ]
    is_new = not FILE.exists()
    with open(FILE, "a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerows({**run, **row, "version": versions.get(row["system"], "")} for row in rows)


def recorded() -> list[dict[str, str]]:
    """Every row, the oldest first."""
    with open(FILE, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def section(rows: list[dict[str, str]]) -> str:
    """The part of the README that the latest runs make, with the lines around it."""
    one, two = (_latest(rows, threads) for threads in ("1", "2"))
    ratios = [
        {(row["work"], row["system"]): float(row["ratio"]) for row in run} for run in (one, two)
    ]
    versions = {row["system"]: row["version"] for row in one if row["version"]}
    works = [work for work in dict.fromkeys(row["work"] for row in one) if work != STARTUP]
    lines = [f"| one core / two cores | {' | '.join(SYSTEMS)} |", f"|{'---|' * (len(SYSTEMS) + 1)}"]
    for work in works:
        cells = [_cell([run.get((work, system)) for run in ratios]) for system in SYSTEMS]
        lines.append(f"| {work} | {' | '.join(cells)} |")
    peers = [f"{system} {versions[system].partition(', NumPy')[0]}" for system in SYSTEMS[2:]]
    start = {system: ratio for (work, system), ratio in ratios[0].items() if work == STARTUP}
    help_in_numpy = start["nnlite train --help"] / start["import numpy"]
    return "\n".join(
        [
            BEGIN,
            f"Measured on {one[0]['run'][:10]} at commit {one[0]['commit']}, {one[0]['machine']}, "
            f"Python {one[0]['python']}, in {one[0]['rounds']} rounds for each number of cores; "
            f"{versions['nnlite']}; {', '.join(peers)}.",
            "",
            *lines,
            "",
            f"Start-up in the same run: `import nnlite` {start['import nnlite']:.1f} times Python "
            f"alone, `nnlite train --help` {help_in_numpy:.1f} times `import numpy`.",
            "",
            END,
        ]
    )


def write_readme() -> None:
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(before + section(recorded()) + after, encoding="utf-8")


def _latest(rows: list[dict[str, str]], threads: str) -> list[dict[str, str]]:
    """The rows of the last run on so many threads that has every system."""
    runs: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        if row["threads"] == threads:
            runs.setdefault(row["run"], []).append(row)
    whole = [run for run in runs.values() if {row["system"] for row in run} >= {FLOOR, *SYSTEMS}]
    return whole[-1]


def _cell(ratios: list[float | None]) -> str:
    known = [f"{ratio:.2f}" for ratio in ratios if ratio is not None]
    return " / ".join(known) or "–"


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
