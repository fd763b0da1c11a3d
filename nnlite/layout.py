"""Where the vertices and edges of a picture go: a layered drawing, without any plotting library.

The steps are those of Gansner et al., "A Technique for Drawing Directed Graphs" (1993): ranks, the
order in each layer, coordinates. The coordinates are those of Brandes and Köpf, "Fast and Simple
Horizontal Coordinate Assignment" (2001), which keep long edges straight.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import pairwise, product

import numpy as np
from numpy.typing import ArrayLike, NDArray

BOX_GAP = 14.0  # between two boxes of a layer, in points like every length here
TRACK_GAP = 10.0  # between an edge that passes through a layer and its neighbours there
LAYER_GAP = (18.0, 60.0)  # between two layers: at least, at most
COPY_GAP = 7.0  # between the ends of two edges from the same parent to the same child
STUB = 9.0  # the straight end of every edge, with room for an arrow head
SWEEPS = 24

Array = NDArray[np.float64]
Layers = list[list[int]]
Links = list[list[int]]
Pairs = set[tuple[int, int]]


@dataclass(frozen=True)
class Layout:
    """A drawing: x grows to the right and y downwards, both from zero.

    Attributes
    ----------
    centres : ndarray, (vertices, 2)
        The middle of each box.
    routes : list of ndarray, (3 * pieces + 1, 2)
        The control points of each edge's cubic Bézier spline, from rim to rim of two boxes.
    size : ndarray, (2,)
        Width and height of the drawing.
    """

    centres: Array
    routes: list[Array]
    size: Array


def layered(
    sizes: ArrayLike,
    edges: Sequence[tuple[int, int]],
    down: bool = False,
    breadth: float = np.inf,
) -> Layout:
    """Lay out a directed acyclic graph in layers, from left to right.

    Edges bend only between two layers and boxes stand only inside them, so that no edge runs
    through a box. A dummy stands for an edge in every layer that the edge only passes.

    Parameters
    ----------
    sizes : array_like, (vertices, 2)
        Width and height of each box, in topological order: parents first.
    edges : sequence of (parent, child)
        Indices into `sizes`; an edge may occur more than once.
    down : bool
        Draw from top to bottom instead.
    breadth : float
        Where the drawing, across its direction, would be broader, fewer edges are straight.

    Examples
    --------
    >>> drawing = layered([(20, 10), (20, 10), (20, 10)], [(0, 1), (1, 2)])
    >>> drawing.centres.tolist()
    [[10.0, 5.0], [57.0, 5.0], [104.0, 5.0]]
    """
    depths, breadths = np.array(sizes, dtype=float).T[:: -1 if down else 1]
    grid = _Grid(breadths.tolist(), edges)
    layers = _with_few_crossings(grid, _in_argument_order(grid))
    y = _straight(grid, layers, breadth)
    starts, ends = _columns(grid, layers, y, depths)

    rank = grid.rank
    x = np.array([(starts[rank[v]] + ends[rank[v]]) / 2 for v in range(grid.boxes)])
    routes, copies, drawn = [], Counter(edges), Counter[tuple[int, int]]()
    for u, v in edges:
        spread = drawn[u, v] - (copies[u, v] - 1) / 2
        end = y[v] + spread * min(COPY_GAP, breadths[v] / copies[u, v])
        drawn[u, v] += 1
        corners = [(x[u] + depths[u] / 2, y[u]), (ends[rank[u]], y[u])]
        for dummy in grid.tracks[u][1 : rank[v] - rank[u]]:
            corners += [(starts[rank[dummy]] - STUB, y[dummy]), (ends[rank[dummy]], y[dummy])]
        corners += [(starts[rank[v]] - STUB, end), (x[v] - depths[v] / 2, end)]
        routes.append(_spline(corners))

    swap = slice(None, None, -1 if down else 1)
    height = np.max(y + np.divide(grid.breadths, 2))
    return Layout(
        centres=np.column_stack([x, y[: grid.boxes]])[:, swap],
        routes=[route[:, swap] for route in routes],
        size=np.array([ends[-1], height])[swap],
    )


class _Grid:
    """Boxes and dummies, each with its rank; links join ranks that follow one another.

    The edges of one parent share their dummies: ``tracks[u]`` is u and the dummies after it.
    """

    def __init__(self, breadths: list[float], edges: Sequence[tuple[int, int]]) -> None:
        self.boxes = len(breadths)
        self.breadths = list(breadths)
        self.rank = _ranks(self.boxes, edges)
        self.tracks = [[v] for v in range(self.boxes)]
        links = {}
        for u, v in edges:
            track = self.tracks[u]
            while len(track) < self.rank[v] - self.rank[u]:
                track.append(len(self.rank))
                self.rank.append(self.rank[u] + len(track) - 1)
                self.breadths.append(0.0)
                links[track[-2], track[-1]] = True
            links[track[self.rank[v] - self.rank[u] - 1], v] = True
        self.before: Links = [[] for _ in self.rank]
        self.after: Links = [[] for _ in self.rank]
        for a, b in links:
            self.before[b].append(a)
            self.after[a].append(b)

    def is_dummy(self, v: int) -> bool:
        return v >= self.boxes

    def separation(self, a: int, b: int) -> float:
        """Between the middles of two neighbours in a layer."""
        gap = TRACK_GAP if self.is_dummy(a) or self.is_dummy(b) else BOX_GAP
        return (self.breadths[a] + self.breadths[b]) / 2 + gap


def _ranks(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The longest path to each vertex; then nearer to the children, where that shortens edges."""
    parents: Links = [[] for _ in range(count)]
    children: Links = [[] for _ in range(count)]
    for u, v in edges:
        parents[v].append(u)
        children[u].append(v)
    rank: list[int] = []
    follows: list[bool] = []  # the whole branch up to here feeds one vertex, and can move with it
    for v in range(count):
        rank.append(max((rank[u] + 1 for u in parents[v]), default=0))
        follows.append(len(children[v]) == 1 and all(follows[u] for u in parents[v]))
    for v in reversed(range(count)):
        if len(children[v]) > sum(not follows[u] for u in parents[v]):
            rank[v] = min(rank[child] for child in children[v]) - 1
    return rank


def _in_argument_order(grid: _Grid) -> Layers:
    """The layers as a walk from the outputs to the inputs meets them, first arguments first."""
    layers: Layers = [[] for _ in range(max(grid.rank) + 1)]
    seen = set()
    stack = [v for v in reversed(range(len(grid.rank))) if not grid.after[v]]
    while stack:
        v = stack.pop()
        if v not in seen:
            seen.add(v)
            layers[grid.rank[v]].append(v)
            stack += reversed(grid.before[v])
    return layers


def _with_few_crossings(grid: _Grid, layers: Layers) -> Layers:
    """Sweep to and fro: sort each layer by its neighbours' barycentres, then swap crossed pairs."""
    best, fewest = layers, _crossings(grid, layers)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        forward = sweep % 2 == 0
        near = grid.before if forward else grid.after
        layers = [list(layer) for layer in layers]
        for i in range(len(layers)) if forward else reversed(range(len(layers))):
            place = {v: k for layer in layers for k, v in enumerate(layer)}
            middle = {v: np.mean([place[u] for u in near[v]] or [place[v]]) for v in layers[i]}
            layers[i].sort(key=middle.__getitem__)
        _swap_pairs(grid, layers)
        if (crossings := _crossings(grid, layers)) < fewest:
            best, fewest = layers, crossings
    return best


def _swap_pairs(grid: _Grid, layers: Layers) -> None:
    place = {v: k for layer in layers for k, v in enumerate(layer)}

    def crossings(a: int, b: int) -> int:
        return sum(
            place[p] > place[q]
            for near in (grid.before, grid.after)
            for p, q in product(near[a], near[b])
        )

    swapped = True
    while swapped:
        swapped = False
        for layer in layers:
            for k in range(1, len(layer)):
                a, b = layer[k - 1 : k + 1]
                if crossings(b, a) < crossings(a, b):
                    layer[k - 1 : k + 1] = b, a
                    place[a], place[b] = k, k - 1
                    swapped = True


def _crossings(grid: _Grid, layers: Layers) -> int:
    place = {v: k for layer in layers for k, v in enumerate(layer)}
    total = 0
    for layer in layers:
        ends = np.array([(place[a], place[b]) for a in layer for b in grid.after[a]]).reshape(-1, 2)
        a, b = (np.subtract.outer(end, end) for end in ends.T)
        total += int(np.sum((a > 0) & (b < 0)))
    return total


def _straight(grid: _Grid, layers: Layers, limit: float) -> Array:
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


def _bent(grid: _Grid, layers: Layers) -> Pairs:
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


def _compact(grid: _Grid, rows: Layers, near: Links, bent: Pairs, limit: float) -> Array:
    """Straight lines as high as they can be, fewer of them while the drawing exceeds `limit`."""
    while True:
        line = _lines(grid, rows, near, bent)
        y, pushed_by = _pushed(grid, rows, line)
        too_long = _pushing(grid, line, y, pushed_by) if np.ptp(y) > limit else set()
        if not too_long:
            return y
        bent = bent | too_long


def _lines(grid: _Grid, rows: Layers, near: Links, bent: Pairs) -> list[int]:
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


def _pushed(grid: _Grid, rows: Layers, line: list[int]) -> tuple[Array, dict[int, tuple[int, int]]]:
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


def _pushing(
    grid: _Grid, line: list[int], y: Array, pushed_by: dict[int, tuple[int, int]]
) -> Pairs:
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


def _columns(
    grid: _Grid, layers: Layers, y: Array, depths: Array
) -> tuple[list[float], list[float]]:
    """Where each layer starts and ends; steep edges get more room before it."""
    starts, ends = [], []
    end = -STUB - LAYER_GAP[0]
    for layer in layers:
        steepest = max((abs(y[u] - y[v]) for v in layer for u in grid.before[v]), default=0.0)
        starts.append(end + STUB + float(np.clip(steepest / 3, *LAYER_GAP)))
        end = starts[-1] + max((depths[v] for v in layer if not grid.is_dummy(v)), default=0.0)
        ends.append(end)
    return starts, ends


def _spline(corners: list[tuple[float, float]]) -> Array:
    points = corners[:1]
    for (x0, y0), (x1, y1) in pairwise(corners):
        points += [((x0 + x1) / 2, y0), ((x0 + x1) / 2, y1), (x1, y1)]
    return np.array(points)
