"""How long a step takes in nnlite, in NumPy by hand, and in the peers that are installed.

    python tests/benchmarks/speed [--threads 1] [--rounds 30] [--only perceptron] [--out folder]
    python tests/benchmarks/speed --threads 1 --record    # adds the run to speed.csv beside it
    python tests/benchmarks/speed --readme                # the README's table from speed.csv

Each system runs in its own process on as many threads and processors as are asked for; in every
round each has its turn, so that whatever else the machine does hits all of them. The first losses,
or the derivatives, are compared before anything is timed. Only the ratios of one run mean anything.
"""

import argparse
import datetime
import platform
from pathlib import Path

import conduct
import growth
import numpy as np
import record
import report
import startup
from work import WORKS

from nnlite.cli.machine.kernels import first_processor, read_cpuinfo


def parse(argv=None):
    known, _ = conduct.installed()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=1, help="of every library")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--only", nargs="+", default=[""], help="works with such words in the name")
    parser.add_argument("--systems", nargs="+", default=known, choices=known)
    parser.add_argument("--out", type=Path, help="a folder for the table, a CSV and two pictures")
    parser.add_argument("--quick", action="store_true", help="neither start-up nor growth")
    parser.add_argument("--record", action="store_true", help="add the run to speed.csv")
    parser.add_argument("--readme", action="store_true", help="write the README's table, only")
    options = parser.parse_args(argv)
    if options.record and options.quick:
        parser.error("--record is of a whole run, with start-up: leave --quick out")
    options.works = [work for work in WORKS if any(word in work.name for word in options.only)]
    if not options.works:
        parser.error(f"no work has {options.only} in its name: {[work.name for work in WORKS]}")
    return options


def main(options):
    said = []

    def say(text=""):
        print(text, flush=True)
        said.append(text)

    measured = {}
    with conduct.Crew(options.systems, options.threads) as crew:
        about = {system: worker.ask("about") for system, worker in crew.workers.items()}
        say(header(options, about))
        for work in options.works:
            times, errors = crew.measure(work, options.rounds)
            measured[work.name] = times, errors, crew.memory(work)
        found = list(report.rows(measured))
        say(f"\nTime of a call, in units of {conduct.FLOOR}\n{report.table(found)}")
        say("\nPeak memory of a call, by tracemalloc, above what stays")
        say(report.memory_table(found))
        grown = None
        if not options.quick:
            commands = startup.measure(options.threads, max(3, options.rounds // 3))
            lines = [[name, report.duration(np.median(t))] for name, t in commands.items()]
            say(f"\nStart-up\n{report.aligned(lines)}")
    if options.record:
        record.append(found, commands, about, processor(), options.threads, options.rounds)
    if not options.quick:
        ours = [s for s in options.systems if s == conduct.FLOOR or s.startswith("nnlite")]
        with conduct.Crew(ours, options.threads) as crew:
            grown = growth.measure(crew, max(3, options.rounds // 3))
        say("\nGrowth: the exponent p of cost ~ numberᵖ over the upper half")
        for axis, systems in grown.items():
            lines = [
                [f"{axis}: {system}", f"p = {growth.exponent(points):.2f}",
                 *[f"{n}: {report.duration(s)}" for n, s in points.items()]]
                for system, points in systems.items()
            ]  # fmt: skip
            say(report.aligned(lines))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        report.write_csv(found, options.out / "speed.csv")
        report.plot_ratios(found, options.out / "speed.png")
        if grown:
            report.plot_growth(grown, options.out / "growth.png")
        (options.out / "speed.txt").write_text("\n".join(said) + "\n", encoding="utf-8")


def header(options, about):
    """What was measured where, with which kernels."""
    _, reasons = conduct.installed()
    lines = [
        f"{datetime.date.today()}, {platform.system()} {platform.machine()}, {processor()}",
        f"Python {platform.python_version()}, {options.threads} thread(s), {options.rounds} rounds",
    ]
    lines += [f"{system}: {what}" for system, what in about.items()]
    lines += [f"{system} left out: {reason}" for system, reason in reasons.items()]
    return "\n".join(lines)


def processor():
    return first_processor(read_cpuinfo()).get("model name") or platform.processor()


if __name__ == "__main__":
    given = parse()
    if given.readme:
        record.write_readme()
    else:
        main(given)
