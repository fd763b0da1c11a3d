"""The first half of a layered drawing: which layer each vertex is in, and in what order."""

from collections.abc import Sequence
from itertools import product

import numpy as np

BOX_GAP = 14.0  # between two boxes of a layer, in points like every length here
TRACK_GAP = 10.0  # between an edge that passes through a layer and its neighbours there
SWEEPS = 24

Layers = list[list[int]]
Links = list[list[int]]


class Grid:
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


def in_argument_order(grid: Grid) -> Layers:
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


def with_few_crossings(grid: Grid, layers: Layers) -> Layers:
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


def _swap_pairs(grid: Grid, layers: Layers) -> None:
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


def _crossings(grid: Grid, layers: Layers) -> int:
    place = {v: k for layer in layers for k, v in enumerate(layer)}
    total = 0
    for layer in layers:
        ends = np.array([(place[a], place[b]) for a in layer for b in grid.after[a]]).reshape(-1, 2)
        a, b = (np.subtract.outer(end, end) for end in ends.T)
        total += int(np.sum((a > 0) & (b < 0)))
    return total


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
