"""The pictures that are text: SVG for notebooks, and the language of Graphviz."""

import re
import subprocess
import sys
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from pictures import GRAPHS, Constant, Input, Vertex

import nnlite as nn
from nnlite.plot.vertices.dot import dot
from nnlite.plot.vertices.labels import Picture
from nnlite.plot.vertices.svg import svg

NAMESPACE = {"svg": "http://www.w3.org/2000/svg"}


@pytest.fixture
def seminar():
    graph = nn.models.seminar_model(2, lam=0.1, rng=0)
    graph(np.array([[1.0, 2.0]]), np.array([[1.0]]))
    graph.backward()
    return graph


def child_of(element, name):
    child = element.find(name, NAMESPACE)
    assert child is not None
    return child


def vertices(document):
    """By title: the rectangle and the lines of text."""
    root = ElementTree.fromstring(document)
    return {
        child_of(group, "svg:title").text: (
            child_of(group, "svg:rect"),
            [text.text for text in group.findall("svg:text", NAMESPACE)],
        )
        for group in root.findall("svg:g", NAMESPACE)
    }


class TestSVG:
    def test_a_graph_shows_itself_as_svg(self, seminar):
        root = ElementTree.fromstring(seminar._repr_svg_())
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert len(root.findall("svg:g", NAMESPACE)) == len(seminar.nodes)
        assert len(root.findall("svg:path", NAMESPACE)) == 13
        assert len(root.findall("svg:polygon", NAMESPACE)) == 13

    def test_a_vertex_tells_its_module_and_numbers_where_the_mouse_rests_on_it(self, seminar):
        titles = {title.split("\n")[0]: title for title in vertices(seminar._repr_svg_())}
        z = titles["z = Linear(2, 1)"].split("\n")
        assert [line[:4] for line in z[1:]] == ["u = ", "ū = "]
        assert z[1].endswith(", shape (1, 1)")

    def test_it_is_the_same_picture_each_time(self, seminar):
        assert seminar._repr_svg_() == seminar._repr_svg_()

    def test_values_and_gradients_can_be_shown(self, seminar):
        shown = vertices(svg(Picture(seminar.nodes, values=True, gradients=True)))
        (texts,) = [texts for title, (_, texts) in shown.items() if title.startswith("mse")]
        assert [text.partition(" = ")[0] for text in texts] == ["mse", "u", "ū"]

    @pytest.mark.parametrize("name", GRAPHS)
    def test_everything_is_inside_of_it_and_text_in_its_box(self, name):
        root = ElementTree.fromstring(svg(Picture(GRAPHS[name], values=True, gradients=True)))
        left, top, width, height = map(float, root.attrib["viewBox"].split())
        for rectangle in root.iter("{http://www.w3.org/2000/svg}rect"):
            x, y, w, h = (float(rectangle.attrib[key]) for key in ("x", "y", "width", "height"))
            assert x >= left
            assert y >= top
            assert x + w <= left + width + 0.11
            assert y + h <= top + height + 0.11
        for group in root.findall("svg:g", NAMESPACE):
            rectangle = child_of(group, "svg:rect")
            y, h = float(rectangle.attrib["y"]), float(rectangle.attrib["height"])
            for text in group.findall("svg:text", NAMESPACE):
                assert y < float(text.attrib["y"]) < y + h

    def test_the_backward_part_is_dashed(self, seminar):
        derivative = seminar.gradient(np.ones((3, 2)), np.ones((3, 1)))
        root = ElementTree.fromstring(derivative._repr_svg_())
        dashed = [
            path
            for path in root.findall("svg:path", NAMESPACE)
            if "stroke-dasharray" in path.attrib
        ]
        assert 0 < len(dashed) < len(root.findall("svg:path", NAMESPACE))

    def test_names_are_escaped(self):
        name = "<x> & 'y'"
        shown = vertices(svg(Picture([Input(name)])))
        assert [(title, texts) for title, (_, texts) in shown.items()] == [(name, [name])]

    def test_a_graph_too_large_to_be_read_shows_its_repr(self):
        x = nn.Input("x")
        y: Any = x
        for _ in range(200):
            y = np.tanh(y)
        assert nn.Graph([x], y)._repr_svg_() is None

    def test_it_needs_no_window_and_no_pyplot(self):
        code = (
            "import sys, nnlite as nn; graph = nn.models.seminar_model(2);"
            "assert 'matplotlib' not in sys.modules; graph._repr_svg_();"
            "assert 'matplotlib.pyplot' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", code], check=True)


STRING = r'"(?:[^"\\]|\\.)*"'


def parsed(text):
    """A reader of the part of Graphviz's language that is written: vertices and edges by name."""
    first, *lines, last = text.rstrip("\n").split("\n")
    assert (first, last) == ("digraph {", "}")
    names, edges = {}, []
    attributes = rf"\[((?:\w+=(?:{STRING}|\w+|[\d.]+)(?:, )?)*)\]"
    for line in lines:
        if re.fullmatch(rf"  (?:rankdir=LR|(?:node|edge) {attributes});", line):
            continue
        match = re.fullmatch(rf"  ({STRING})(?: -> ({STRING}))?(?: {attributes})?;", line)
        assert match, line
        name, child, listed = match.groups()
        looks = dict(re.findall(rf"(\w+)=({STRING}|[\w.]+)", listed or ""))
        if child:
            edges.append((unquoted(name), unquoted(child), looks))
        else:
            names[unquoted(name)] = looks
    return names, edges


def unquoted(text):
    return re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match[1], match[1]), text[1:-1])


class TestDot:
    def test_every_vertex_and_every_edge_is_there(self, seminar):
        names, edges = parsed(seminar.to_dot())
        assert list(names) == [node.name for node in seminar.nodes]
        assert sorted((parent, child) for parent, child, _ in edges) == sorted(
            (parent.name, node.name)
            for node in seminar.nodes
            if node.module is not None
            for parent in (*node.parents, *node.parameters)
        )

    def test_kinds_differ_in_shape_or_style(self, seminar):
        names, _ = parsed(seminar.to_dot())
        kinds = {(names[n]["shape"], names[n]["style"]) for n in ("x", "weight", "0.1", "z")}
        assert len(kinds) == 4
        assert [name for name, looks in names.items() if "penwidth" in looks] == ["add"]

    def test_values_and_gradients_stand_in_the_label(self, seminar):
        names, _ = parsed(seminar.to_dot(values=True, gradients=True))
        lines = unquoted(names["y"]["label"]).split("\n")
        assert [line[:4] for line in lines] == ["y", "Sigm", "u = ", "ū = "]

    def test_the_backward_part_is_dashed(self, seminar):
        derivative = seminar.gradient(np.ones((3, 2)), np.ones((3, 1)))
        names, edges = parsed(derivative.to_dot())
        for _, child, looks in edges:
            assert (looks.get("style") == "dashed") == ("f3d9d0" in names[child]["fillcolor"])
        assert "dashed" in {looks.get("style") for *_, looks in edges}

    def test_any_name_is_escaped(self):
        x, c = Input('a "quoted"\\ name\\'), Constant("back\\slash", value=np.ones(2))
        y = Vertex("two\nlines", x, c, operation="Add")
        names, edges = parsed(dot(Picture([x, c, y])))
        assert list(names) == [x.name, c.name, y.name]
        assert [edge[:2] for edge in edges] == [(x.name, y.name), (c.name, y.name)]
