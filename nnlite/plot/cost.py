"""What the two modes of differentiation cost, over the numbers of inputs n and of outputs m."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Any

import numpy as np

from nnlite.plot.axes import FORWARD, REVERSE, Axes, axes, open_corner

UNITS = {"seconds": ("time", "s"), "peak_bytes": ("memory", "bytes")}
Costs = dict[tuple[int, int], dict[str, float]]


def modes(
    rows: str | PathLike[str] | Iterable[Mapping[str, Any]],
    ax: Axes | None = None,
    quantity: str = "seconds",
    n: int | None = None,
    m: int | None = None,
) -> Axes:
    """Draw what the Jacobian of f: Rⁿ → Rᵐ costs in forward and in reverse mode.

    Without n and m: a cell for each pair of them, which says the cheaper mode and how many times
    as much the other one costs. The stairs are the seminar's rule, forward where n ≤ m. With one
    of them given: the cost of both modes over the other one.

    Parameters
    ----------
    rows : path of a CSV file, or iterable of mappings
        With ``n``, ``m``, ``mode`` ("forward" or "reverse") and the quantity, as
        ``tests/benchmarks/modes.py`` writes them; of several measurements the least counts.
    ax : Axes, optional
        Where to draw.
    quantity : {"seconds", "peak_bytes"}
    n, m : int, optional
        The number of inputs, or of outputs, that is held fixed.

    Raises
    ------
    ValueError
        If a column, a mode or the fixed n or m is missing, or both are given.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> row = {"n": 4, "m": 1, "mode": "forward", "seconds": 4e-3}
    >>> ax = modes([row, row | {"mode": "reverse", "seconds": 1e-3}], ax=Figure().subplots())
    >>> ax.texts[0].get_text()
    'reverse\\n4.0×'
    """
    if quantity not in UNITS:
        raise ValueError(f"quantity is 'seconds' or 'peak_bytes', got {quantity!r}")
    if n is not None and m is not None:
        raise ValueError("give n or m, not both: the other one is the horizontal axis")
    costs = _costs(rows, quantity)
    if n is None and m is None:
        return _draw_grid(axes(ax, 4.8, 4.2), costs, quantity)
    fixed, place = (n, 0) if m is None else (m, 1)
    chosen = {pair[1 - place]: cost for pair, cost in costs.items() if pair[place] == fixed}
    if not chosen:
        raise ValueError(
            f"nothing was measured with {'nm'[place]} = {fixed}, but with "
            f"{sorted({pair[place] for pair in costs})}"
        )
    return _draw_curves(axes(ax), chosen, quantity, "nm"[place], fixed)


def _costs(rows: str | PathLike[str] | Iterable[Mapping[str, Any]], quantity: str) -> Costs:
    """By (n, m), the least cost of each mode."""
    if isinstance(rows, str | PathLike):
        with open(rows, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    costs: Costs = {}
    for row in rows:
        missing = {"n", "m", "mode", quantity} - set(row)
        if missing:
            raise ValueError(f"a row has no {sorted(missing)}; it has {list(row)}")
        cost = costs.setdefault((int(row["n"]), int(row["m"])), {})
        cost[row["mode"]] = min(float(row[quantity]), cost.get(row["mode"], np.inf))
    for (n, m), cost in costs.items():
        if set(cost) != {"forward", "reverse"}:
            raise ValueError(
                f"n = {n}, m = {m} has the modes {sorted(cost)}; both 'forward' and 'reverse' are "
                "compared"
            )
    if not costs:
        raise ValueError("there is nothing to draw: rows is empty")
    return costs


def _draw_grid(ax: Axes, costs: Costs, quantity: str) -> Axes:
    from matplotlib.patches import Rectangle

    columns, rows = (sorted(set(numbers)) for numbers in zip(*costs, strict=True))
    for (n, m), cost in costs.items():
        i, j = columns.index(n), rows.index(m)
        ratio = cost["forward"] / cost["reverse"]
        winner = "reverse" if ratio > 1 else "forward"
        colour = (REVERSE if ratio > 1 else FORWARD)[0]
        strength = float(np.clip(np.abs(np.log10(ratio)) / 3, 0.04, 0.6))
        ax.add_patch(Rectangle((i - 0.5, j - 0.5), 1, 1, fc=colour, alpha=strength, lw=0))
        factor = max(ratio, 1 / ratio)
        text = f"{winner}\n{factor:.1f}×" if factor < 9.95 else f"{winner}\n{factor:.0f}×"
        ax.text(i, j, text, ha="center", va="center", size="small")
    stairs = [(i - 0.5, sum(m < n for m in rows) - 0.5) for i, n in enumerate(columns)]
    x = [edge for corner, _ in stairs for edge in (corner, corner + 1)]
    y = [height for _, height in stairs for _ in range(2)]
    ax.plot(x, y, color="#222222", lw=1.6, label="n = m")
    ax.set_xticks(range(len(columns)), [str(n) for n in columns])
    ax.set_yticks(range(len(rows)), [str(m) for m in rows])
    ax.set(xlabel="inputs n", ylabel="outputs m")
    ax.set(xlim=(-0.5, len(columns) - 0.5), ylim=(-0.5, len(rows) - 0.5))
    ax.tick_params(length=0)
    legend = ax.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False, borderpad=0)
    legend.set_title(f"the mode that takes less {UNITS[quantity][0]}")
    legend.set_alignment("left")
    return ax


def _draw_curves(
    ax: Axes, costs: dict[int, dict[str, float]], quantity: str, fixed: str, number: int | None
) -> Axes:
    x = sorted(costs)
    for mode, (colour, dashes), marker in (("forward", FORWARD, "o"), ("reverse", REVERSE, "s")):
        y = [costs[place][mode] for place in x]
        ax.plot(x, y, dashes, color=colour, marker=marker, ms=4.5, lw=1.5, label=mode)
    ax.axvline(float(number or 0), color="#888888", lw=0.8, ls=":", label="n = m", zorder=0)
    what, unit = UNITS[quantity]
    moving = "inputs n" if fixed == "m" else "outputs m"
    ax.set(xscale="log", yscale="log", xlabel=f"{moving}, where {fixed} = {number}")
    ax.set_ylabel(f"{what} of the Jacobian, {unit}")
    ax.set_xticks(x, [str(place) for place in x])
    ax.minorticks_off()
    ax.legend(frameon=False)
    open_corner(ax)
    return ax
