"""The table, the file of all medians, and the pictures."""

import csv

import numpy as np
from conduct import FLOOR


def duration(seconds):
    return _with_unit(seconds, {"s": 1, "ms": 1e-3, "µs": 1e-6})


def amount(count):
    return _with_unit(count, {"MiB": 1 << 20, "KiB": 1 << 10, "B": 1})


def _with_unit(number, units):
    """Three digits, in the largest unit that the number reaches."""
    unit = next((unit for unit, size in units.items() if number >= size), [*units][-1])
    return f"{number / units[unit]:.3g} {unit}"


def rows(measured):
    """A dict for each work and system; the ratio to the floor is the median over the rounds."""
    for work, (times, errors, memory) in measured.items():
        floor = times.get(FLOOR)
        for system, samples in times.items():
            low, median, high = np.quantile(samples, (0.25, 0.5, 0.75))
            yield {
                "work": work,
                "system": system,
                "median_seconds": median,
                "lower_quartile": low,
                "upper_quartile": high,
                "ratio_to_floor": float("nan") if floor is None else np.median(samples / floor),
                "relative_error": errors[system],
                "peak_bytes": memory.get(system),
            }


def table(found):
    """Text: a line for each work, the floor's time, and the other systems in units of it."""
    works = list(dict.fromkeys(row["work"] for row in found))
    systems = list(dict.fromkeys(row["system"] for row in found))
    cells = {(row["work"], row["system"]): row for row in found}

    def cell(work, system):
        row = cells.get((work, system))
        if row is None:
            return "–"
        shown = duration(row["median_seconds"])
        return shown if system == FLOOR else f"{row['ratio_to_floor']:.2f} ({shown})"

    lines = [["", *systems], *[[work, *[cell(work, s) for s in systems]] for work in works]]
    return aligned(lines)


def memory_table(found):
    """Text: the peak of what a call allocates, where it is known."""
    works = list(dict.fromkeys(row["work"] for row in found))
    known = [row for row in found if row["peak_bytes"] is not None]
    systems = list(dict.fromkeys(row["system"] for row in known))
    cells = {(row["work"], row["system"]): amount(row["peak_bytes"]) for row in known}
    return aligned(
        [["", *systems], *[[w, *[cells.get((w, s), "–") for s in systems]] for w in works]]
    )


def aligned(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    shown = []
    for first, *others in lines:
        right = [text.rjust(width) for text, width in zip(others, widths[1:], strict=True)]
        shown.append("  ".join([first.ljust(widths[0]), *right]))
    return "\n".join(shown)


def write_csv(found, file):
    with open(file, "w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, found[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)


def plot_ratios(found, file):
    """Bars: each system in units of the floor, on a logarithmic axis."""
    from matplotlib.figure import Figure

    works = list(dict.fromkeys(row["work"] for row in found))
    systems = [s for s in dict.fromkeys(row["system"] for row in found) if s != FLOOR]
    figure = Figure(figsize=(9, 1.5 + 0.75 * len(works)), layout="constrained")
    ax = figure.subplots()
    height = 0.8 / max(1, len(systems))
    for i, system in enumerate(systems):
        points = {r["work"]: r["ratio_to_floor"] for r in found if r["system"] == system}
        places = [works.index(work) + (i - (len(systems) - 1) / 2) * height for work in points]
        ax.barh(places, [r - 1 for r in points.values()], height, left=1, label=system)
    ax.axvline(1, color="black", linewidth=1)
    ticks = [0.5, 1, 2, 5, 10, 20, 50, 100, 200]
    ratios = [row["ratio_to_floor"] for row in found]
    ax.set(xscale="log", xlabel=f"time in units of {FLOOR}")
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_xticks([], minor=True)
    ax.set_xlim(0.9 * min(ratios), 1.1 * max(ratios))
    ax.set_yticks(range(len(works)), works)
    ax.set_ylim(len(works) - 0.5, -0.5)
    ax.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.4, 1), frameon=False)
    ax.grid(axis="x", alpha=0.3)
    figure.savefig(file, dpi=130)


def plot_growth(grown, file):
    """Lines: seconds a step over the batch and over the depth."""
    from growth import exponent
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    for ax, (axis, systems) in zip(figure.subplots(1, 2), grown.items(), strict=True):
        for system, points in systems.items():
            label = f"{system}: ~ {axis}^{exponent(points):.2f}"
            ax.plot(list(points), list(points.values()), "o-", label=label)
        ax.set(xscale="log", yscale="log", xlabel=axis, ylabel="seconds a step")
        ax.grid(alpha=0.3)
        ax.legend(frameon=False)
    figure.savefig(file, dpi=130)
