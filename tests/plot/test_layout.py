"""Where vertices and edges go, before anything draws them."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from pictures import Constant, Input, Parameter, Vertex, random_graph

from nnlite.plot.vertices.drawing import PADDING, drawing_of
from nnlite.plot.vertices.labels import Picture
from nnlite.plot.vertices.layout import layered


class TestLayout:
    def test_a_long_edge_is_straight_between_its_ends(self):
        sizes = [(40, 20)] * 6
        drawing = layered(sizes, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 5)])
        inside = drawing.routes[-1][6:-6, 1]
        assert len(inside) > 6
        assert np.ptp(inside) == 0

    def test_a_planar_graph_has_no_crossings(self):
        sizes = [(40, 20)] * 8
        edges = [(0, 7), (1, 6), (2, 5), (3, 4)]
        centres = layered(sizes, edges).centres[:, 1]
        order = np.argsort(centres[:4])
        assert [edges[k][1] for k in order] == (4 + np.argsort(centres[4:])).tolist()

    def test_leaves_stand_next_to_their_first_child(self):
        sizes = [(40, 20)] * 5
        drawing = layered(sizes, [(0, 1), (1, 2), (2, 4), (3, 4)])
        assert drawing.centres[3, 0] == drawing.centres[2, 0]

    def test_down_is_across_with_its_axes_exchanged(self):
        edges = [(0, 2), (1, 2), (0, 3), (2, 3)]
        across = layered([(40, 20)] * 4, edges)
        down = layered([(20, 40)] * 4, edges, down=True)
        np.testing.assert_array_equal(down.centres, across.centres[:, ::-1])
        np.testing.assert_array_equal(down.size, across.size[::-1])

    @pytest.mark.parametrize("seed", range(3))
    def test_a_narrow_page_makes_a_narrower_drawing(self, seed):
        nodes = random_graph(60, seed)
        edges = [
            (nodes.index(parent), k) for k, node in enumerate(nodes) for parent in node.parents
        ]
        free = layered([(60, 30)] * 60, edges)
        bound = layered([(60, 30)] * 60, edges, breadth=free.size[1] / 2)
        assert bound.size[1] < free.size[1]


@st.composite
def graphs(draw):
    """Any acyclic graph: each vertex feeds on some of those before it, on some twice."""
    nodes: list[Vertex] = []
    for k in range(draw(st.integers(3, 60))):
        name = "n" * draw(st.integers(1, 30)) + f".{k}"
        count = draw(st.integers(0, min(4, k)))
        if count:
            reach = min(k, draw(st.sampled_from([1, 4, 60])))
            parents = [nodes[-draw(st.integers(1, reach))] for _ in range(count)]
            nodes.append(Vertex(name, *parents, operation="Add", value=0.5, grad=-1e-9))
        else:
            kind = draw(st.sampled_from([Input, Parameter, Constant]))
            nodes.append(kind(name, value=np.ones(draw(st.integers(1, 5)))))
    return nodes


def inside(points, corner, size):
    return np.all((points > corner + 0.01) & (points < corner + size - 0.01), axis=-1)


def along(route):
    """Points on a spline, some tenth of its pieces apart."""
    s = np.linspace(0, 1, 24)[:, None]
    pieces = [route[k : k + 4] for k in range(0, len(route) - 1, 3)]
    return np.vstack(
        [
            (1 - s) ** 3 * a + 3 * s * (1 - s) ** 2 * b + 3 * s**2 * (1 - s) * c + s**3 * d
            for a, b, c, d in pieces
        ]
    )


@settings(max_examples=25, deadline=None)
@given(graphs(), st.booleans())
def test_in_the_drawing_of_any_graph_nothing_covers_anything(nodes, values):
    drawing = drawing_of(Picture(nodes, values, values))
    corners = np.array([box.corner for box in drawing.boxes])
    sizes = np.array([box.size for box in drawing.boxes])
    gap = np.maximum(corners[:, None] - (corners + sizes), corners - (corners + sizes)[:, None])
    apart = gap.max(axis=2)
    np.fill_diagonal(apart, 1)
    assert apart.min() > 0, "two boxes intersect"
    for box in drawing.boxes:
        for line, left, baseline, width in box.texts:
            (x, y), (right, bottom) = box.corner, box.corner + box.size
            assert x + PADDING[0] <= left + 1e-9
            assert left + width <= right - PADDING[0] + 1e-9
            assert y < baseline - line.size * 0.8
            assert baseline + line.size * 0.25 < bottom
    for arrow in drawing.arrows:
        points = along(arrow.route)
        assert not inside(points[:, None], corners, sizes).any(), (arrow.parent, arrow.child)
        assert np.all((points >= -0.01) & (points <= drawing.size + 0.01))
