"""Where the vertices and edges of a picture go: a layered drawing, without any plotting library.

The steps are those of Gansner et al., "A Technique for Drawing Directed Graphs" (1993): ranks, the
order in each layer, coordinates. The coordinates are those of Brandes and Köpf, "Fast and Simple
Horizontal Coordinate Assignment" (2001), which keep long edges straight.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from nnlite.plot.vertices.coordinates import Array, straight
from nnlite.plot.vertices.ranks import Grid, Layers, in_argument_order, with_few_crossings

LAYER_GAP = (18.0, 60.0)  # between two layers: at least, at most; in points like every length
COPY_GAP = 7.0  # between the ends of two edges from the same parent to the same child
STUB = 9.0  # the straight end of every edge, with room for an arrow head


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
    grid = Grid(breadths.tolist(), edges)
    layers = with_few_crossings(grid, in_argument_order(grid))
    y = straight(grid, layers, breadth)
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


def _columns(
    grid: Grid, layers: Layers, y: Array, depths: Array
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
