"""The second half: where, across the layers, each vertex stands, with long edges straight."""

from graphlib import TopologicalSorter
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from nnlite.plot.vertices.ranks import Grid, Layers, Links

Array = NDArray[np.float64]
Pairs = set[tuple[int, int]]


def straight(grid: Grid, layers: Layers, limit: float) -> Array:
    """Four drawings, each pushed to another corner, and the mean of the middle two."""
    bent = _bent(grid, layers)
    drawings = []
    for backwards, upside_down in product((False, True), repeat=2):
        rows = [layer[::-1] if upside_down else layer for layer in layers]
        rows, near = (rows[::-1], grid.after) if backwards else (rows, grid.before)
        y = _compact(grid, rows, near, bent, limit)
        drawings.append(-y if upside_down else y)
    narrow = min(drawings, key=np.ptp)
    for k, y in enumerate(drawings):
        y += narrow.max() - y.max() if k % 2 else narrow.min() - y.min()
    middle: Array = np.sort(drawings, axis=0)[1:3].mean(axis=0)
    middle -= np.min(middle - np.divide(grid.breadths, 2))
    return middle


def _bent(grid: Grid, layers: Layers) -> Pairs:
    """The links that need not be straight.

    They cross a link between two dummies, or a leaf would pull its child out of the line of the
    other parents.
    """
    place = {v: k for layer in layers for k, v in enumerate(layer)}
    bent: Pairs = set()
    for layer in layers:
        links = [(a, b) for a in layer for b in grid.after[a]]
        for (a, b), (c, d) in product(links, links):
            inner = grid.is_dummy(a) and grid.is_dummy(b) and (a, b) not in bent
            if inner and (place[a] - place[c]) * (place[b] - place[d]) < 0:
                bent |= {(c, d), (d, c)}
        for a, b in links:
            if not grid.before[a] and any(grid.before[c] for c in grid.before[b]):
                bent |= {(a, b), (b, a)}
    return bent


def _compact(grid: Grid, rows: Layers, near: Links, bent: Pairs, limit: float) -> Array:
    """Straight lines as high as they can be, fewer of them while the drawing exceeds `limit`."""
    while True:
        line = _lines(grid, rows, near, bent)
        y, pushed_by = _pushed(grid, rows, line)
        too_long = _pushing(grid, line, y, pushed_by) if np.ptp(y) > limit else set()
        if not too_long:
            return y
        bent = bent | too_long


def _lines(grid: Grid, rows: Layers, near: Links, bent: Pairs) -> list[int]:
    """Join each vertex to a median neighbour in the row before; return the first of its line."""
    place = {v: k for row in rows for k, v in enumerate(row)}
    line = list(range(len(place)))
    for row in rows:
        last = -1
        for v in row:
            neighbours = sorted((u for u in near[v] if (u, v) not in bent), key=place.__getitem__)
            if grid.is_dummy(v):
                neighbours = [u for u in neighbours if grid.is_dummy(u)] or neighbours
            for u in neighbours[(len(neighbours) - 1) // 2 : len(neighbours) // 2 + 1]:
                if place[u] > last:
                    line[v], last = line[u], place[u]
                    break
    return line


def _pushed(grid: Grid, rows: Layers, line: list[int]) -> tuple[Array, dict[int, tuple[int, int]]]:
    """Each line as high as those above it allow, then as low as those below it allow.

    Also, for each line, the neighbours (one of the line above, one of its own) that keep it down.
    """
    gaps: dict[int, dict[int, tuple[float, int, int]]] = {v: {} for v in line}
    below: Links = [[] for _ in line]
    for row in rows:
        for a, b in pairwise(row):
            gap = (grid.separation(a, b), a, b)
            gaps[line[b]][line[a]] = max(gap, gaps[line[b]].get(line[a], gap))
            below[line[a]].append(line[b])
    order = list(TopologicalSorter(gaps).static_order())
    y = dict.fromkeys(order, 0.0)
    pushed_by = {}
    for v in order:
        for u, (gap_above, a, b) in gaps[v].items():
            if y[u] + gap_above > y[v]:
                y[v], pushed_by[v] = y[u] + gap_above, (a, b)
    for v in reversed(order):
        y[v] = min((y[w] - gaps[w][v][0] for w in below[v]), default=y[v])
    return np.array([y[v] for v in line]), pushed_by


def _pushing(grid: Grid, line: list[int], y: Array, pushed_by: dict[int, tuple[int, int]]) -> Pairs:
    """The links to boxes by which lines, each pushing the next, make the drawing so broad."""
    at = {(line[v], grid.rank[v]): v for v in range(len(line))}
    links: Pairs = set()
    out = int(y.argmax())
    while line[out] in pushed_by:
        above, entry = pushed_by[line[out]]
        first, last = sorted((grid.rank[entry], grid.rank[out]))
        run = [at[line[out], rank] for rank in range(first, last + 1)]
        for u, v in pairwise(run):
            if not (grid.is_dummy(u) and grid.is_dummy(v)):
                links |= {(u, v), (v, u)}
        out = above
    return links
