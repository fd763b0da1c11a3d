"""Pictures of graphs are checked as they are rendered: boxes, edges and letters, in pixels."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.path import Path
from pictures import (
    GRAPHS,
    Constant,
    Input,
    Parameter,
    Picture,
    Vertex,
    chain,
    contains,
    diamonds,
    overlap,
    seminar_model,
)

import nnlite as nn
from nnlite import plot
from nnlite.plot.vertices.drawing import ARROW_LENGTH, ARROW_WIDTH, MIN_WIDTH, NOTEBOOK_WIDTH, THIN
from nnlite.plot.vertices.labels import BACKWARD_FILL, LINE_SIZE

pytestmark = pytest.mark.usefixtures("headless", "no_figures_left")

BACKWARD = to_rgba(BACKWARD_FILL)
ONE_PIXEL = 1.0  # where a glyph is set on whole pixels


def derivative_graphs():
    """Those of the seminar's model, and of a perceptron with two hidden layers, after a run."""
    rng = np.random.default_rng(0)
    X, t = rng.normal(size=(8, 5)), np.ones((8, 1))
    x, target = nn.Input("x"), nn.Input("t")
    hidden, last = nn.Linear(5, 4, rng=0), nn.Linear(4, 1, rng=1)
    tanh = nn.Tanh()
    y = nn.Sigmoid()(last(tanh(nn.Linear(4, 4, rng=2)(tanh(hidden(x))))))
    perceptron = nn.Graph([x, target], nn.MSE()(y, target) / 2 + 0.1 * nn.L2()(hidden.weight))
    for graph in (nn.models.seminar_model(5, lam=0.1, rng=0), perceptron):
        derivative = graph.gradient(X, t)
        derivative(X, t)
        assert len(derivative.nodes) <= 60
        yield derivative


@pytest.fixture(scope="module", params=["bare", "values"])
def shows_values(request):
    return request.param == "values"


@pytest.fixture(scope="module", params=[*GRAPHS, "derivative-0", "derivative-1"])
def picture(request, shows_values):
    if request.param in GRAPHS:
        ax = plot.graph(GRAPHS[request.param], values=shows_values, gradients=shows_values)
    else:
        derivative = [*derivative_graphs()][int(request.param[-1])]
        ax = derivative.plot(values=shows_values)
    picture = Picture(ax)
    plt.close(picture.ax.figure)
    return picture


class TestEveryPicture:
    def test_no_two_boxes_intersect(self, picture):
        for (a, box_a), (b, box_b) in combinations(picture.boxes.items(), 2):
            assert not overlap(box_a, box_b), (a, b)

    def test_no_edge_crosses_a_box_that_is_not_its_end(self, picture):
        for parent, child, line in picture.edges:
            for name, box in picture.boxes.items():
                if name not in (parent, child):
                    assert not Path(line).intersects_bbox(box, filled=False), (parent, child, name)

    def test_every_edge_leads_from_its_parent_to_its_child(self, picture):
        pixels = picture.ax.transData.get_matrix()[0, 0]
        for parent, child, line in picture.edges:
            start, end = picture.boxes[parent].padded(1), picture.boxes[child]
            assert start.contains(*line[0]), (parent, child)
            assert end.padded(pixels * (ARROW_LENGTH + 1)).contains(*line[-1]), (parent, child)

    def test_every_text_lies_within_its_box(self, picture):
        for name, text, extent in picture.texts:
            assert contains(picture.boxes[name], extent), (name, text)

    def test_no_two_lines_of_text_overlap(self, picture):
        for (_, _, a), (_, _, b) in combinations(picture.texts, 2):
            assert not overlap(a.shrunk(1, 0.8), b.shrunk(1, 0.8))

    def test_nothing_is_cut_off(self, picture):
        page = picture.ax.figure.bbox
        for name, box in picture.boxes.items():
            assert contains(page, box), name
        for parent, child, line in picture.edges:
            inside = (line > page.min) & (line < page.max)
            assert inside.all(), (parent, child)

    def test_children_stand_to_the_right_of_their_parents_or_below_them(self, picture):
        boxes = [
            (picture.boxes[parent], picture.boxes[child]) for parent, child, _ in picture.edges
        ]
        right = all(parent.x1 < child.x0 for parent, child in boxes)
        below = all(parent.y0 > child.y1 for parent, child in boxes)
        assert right or below

    def test_letters_are_legible_at_notebook_width(self, picture):
        """Five points are what a footnote of a journal's table has."""
        shrinks = min(1.0, NOTEBOOK_WIDTH / 72 / picture.ax.figure.get_figwidth())
        assert LINE_SIZE * shrinks >= 5.0


class TestOfAGraph:
    def test_every_parent_and_every_owned_parameter_has_an_edge(self):
        picture = Picture(plot.graph(seminar_model()))
        assert sorted((parent, child) for parent, child, _ in picture.edges) == sorted(
            [
                ("x", "linear"),
                ("linear.weight", "linear"),
                ("linear.bias", "linear"),
                ("linear", "sigmoid"),
                ("sigmoid", "mse"),
                ("t", "mse"),
                ("mse", "divide"),
                ("constant", "divide"),
                ("linear.weight", "l2"),
                ("λ", "multiply"),
                ("l2", "multiply"),
                ("divide", "add"),
                ("multiply", "add"),
            ]
        )

    def test_the_main_line_of_the_seminar_model_is_straight(self):
        boxes = Picture(plot.graph(seminar_model())).boxes
        heights = [boxes[name].y0 for name in ("linear", "sigmoid", "mse", "divide")]
        assert np.ptp(heights) < 1

    def test_a_node_that_is_passed_twice_has_two_arrows(self):
        x = Input("x")
        picture = Picture(plot.graph([x, Vertex("square", x, x, operation="Multiply")]))
        (*_, first), (*_, second) = picture.edges
        assert abs(first[-1] - second[-1]).max() > ARROW_WIDTH

    def test_kinds_of_vertices_differ_in_shape_or_outline_and_in_grey(self):
        boxes = Picture(plot.graph(seminar_model())).box_artists
        looks = set()
        for name in ("x", "linear.weight", "λ", "linear"):
            box = boxes[name]
            grey = np.dot(to_rgb(box.get_facecolor()), [0.299, 0.587, 0.114])
            looks.add((box.get_boxstyle().rounding_size, box.get_linestyle(), round(grey, 1)))
        shapes = {look[:2] for look in looks}
        assert len(looks) == len(shapes) == 4

    def test_subclasses_look_like_their_class(self):
        class Bias(Parameter):
            pass

        boxes = Picture(plot.graph([Bias("b"), Parameter("w"), Input("x")])).box_artists
        assert boxes["b"].get_facecolor() == boxes["w"].get_facecolor()
        assert boxes["b"].get_facecolor() != boxes["x"].get_facecolor()

    def test_an_output_has_a_thick_outline(self):
        boxes = Picture(plot.graph(seminar_model())).box_artists
        thick = [name for name, box in boxes.items() if box.get_linewidth() > 1]
        assert thick == ["add"]

    def test_a_child_before_its_parent_is_refused_by_name(self):
        x, y = chain(2)
        with pytest.raises(ValueError, match="'x', which feeds 'tanh_1', does not come before it"):
            plot.graph([y, x])
        assert not plt.get_fignums()

    def test_no_vertices_are_refused(self):
        with pytest.raises(ValueError, match="nothing to draw"):
            plot.graph([])


class TestOfADerivativeGraph:
    @pytest.fixture
    def derivative(self):
        return next(derivative_graphs())

    def test_the_backward_part_is_what_the_value_does_not_need(self, derivative):
        forward = {node.name for node in nn.toposort(derivative.output[0])}
        boxes = Picture(derivative.plot()).box_artists
        shaded = {name for name, box in boxes.items() if box.get_facecolor() == BACKWARD}
        assert shaded == {node.name for node in derivative.nodes} - forward
        assert {"∂add/∂y", "∂add/∂weight"} <= shaded

    def test_it_is_told_apart_in_grey_too_by_its_shade_and_dashed_arrows(self, derivative):
        ax = derivative.plot()
        boxes = Picture(ax).box_artists
        for artist in ax.patches:
            if (artist.get_gid() or "").startswith("edge:"):
                *_, child = artist.get_gid().split(":")
                is_backward = boxes[child].get_facecolor() == BACKWARD
                assert (artist.get_linestyle() != "solid") == is_backward
        assert 0.8 < np.dot(BACKWARD[:3], [0.299, 0.587, 0.114]) < 0.9

    def test_a_part_of_it_is_a_graph_like_any_other(self, derivative):
        part = nn.Graph(derivative.inputs, derivative.outputs[1])
        boxes = Picture(part.plot()).box_artists
        assert BACKWARD not in {box.get_facecolor() for box in boxes.values()}

    def test_each_value_and_gradient_has_its_name_and_its_operation(self, derivative):
        picture = Picture(derivative.plot())
        assert picture.lines_of("z") == ["z", "add"]
        assert picture.lines_of("∂add/∂z") == ["∂add/∂z", "multiply"]


class TestLabels:
    def test_a_bare_picture_has_names_and_the_numbers_of_constants(self):
        picture = Picture(plot.graph(seminar_model()))
        assert [text for _, text, _ in picture.texts] == [
            *("x", "linear.weight", "linear.bias", "linear", "sigmoid", "t", "mse"),
            *("2", "divide", "λ = 0.01", "l2", "multiply", "add"),
        ]

    def test_values_and_gradients_stand_under_the_name(self):
        picture = Picture(plot.graph(seminar_model(), values=True, gradients=True))
        assert picture.lines_of("sigmoid") == ["sigmoid", "u = 0.731", "ū = −0.269"]
        assert picture.lines_of("x") == ["x", "u = 2"]
        assert picture.lines_of("λ") == ["λ = 0.01"]

    @pytest.mark.parametrize("name", [None, "constant_2", "0.01", "0.01_2"])
    def test_a_constant_without_a_name_of_its_own_is_its_number(self, name):
        (_, text, _), *more = Picture(plot.graph([Constant(name, value=0.01)], values=True)).texts
        assert text == "0.01"
        assert not more

    def test_equals_signs_stand_in_one_column(self):
        picture = Picture(plot.graph(seminar_model(), values=True, gradients=True))
        _, u, u_bar = [extent for name, _, extent in picture.texts if name == "sigmoid"]
        assert u.x0 == pytest.approx(u_bar.x0, abs=1)

    @pytest.mark.parametrize(
        ("value", "lines"),
        [
            (np.float32(0.5), ["u = 0.5"]),
            (-1.5e-5, ["u = −1.5·10⁻⁵"]),
            (1234.5, ["u = 1234"]),
            (3e20, ["u = 3·10²⁰"]),
            (float("nan"), ["u = nan"]),
            (True, ["u = 1"]),
            (np.array([[1.0, -2.0]]), ["u = [1, −2]"]),
            (np.array([[1.0], [-2.0]]), ["u = [1, −2]ᵀ"]),
            (np.array([3.0, 4.0, 0.0, 0.0]), ["(4,)", "‖u‖ = 5"]),
            (np.full((32, 1), 2.0), ["(32, 1)", "‖u‖ = 11.3"]),
            (np.array([1.234e-9, 0.0, -5.678e-9]), ["u = [1.23·10⁻⁹, 0, −5.68·10⁻⁹]"]),
            (np.array([1.234e-9, 1.0e-9, -5.678e-9]), ["(3,)", "‖u‖ = 5.9·10⁻⁹"]),
            (np.zeros((0, 3)), ["u = []"]),
            (None, []),
        ],
    )
    def test_numbers_are_short_and_long_arrays_have_shape_and_norm(self, value, lines):
        picture = Picture(plot.graph([Input("x", value=value)], values=True))
        assert picture.lines_of("x") == ["x", *lines]

    def test_an_operation_is_named_where_its_vertex_does_not_say_it(self):
        x = Input("x")
        hidden = Vertex("hidden", x, operation="Linear")
        nodes = [x, hidden, Vertex("log_sum_exp_2", hidden, operation="LogSumExp")]
        picture = Picture(plot.graph(nodes))
        assert picture.lines_of("hidden") == ["hidden", "Linear"]
        assert picture.lines_of("log_sum_exp_2") == ["log_sum_exp_2"]

    def test_a_function_of_numpy_is_named_by_its_label(self):
        x = Input("x")
        add, total = (Vertex(name, x, operation="Elementwise") for name in ("add_2", "total"))
        add.module.label = total.module.label = "add"
        picture = Picture(plot.graph([x, add, total]))
        assert picture.lines_of("add_2") == ["add_2"]
        assert picture.lines_of("total") == ["total", "add"]

    def test_vertices_have_the_names_that_their_graph_gives_them(self):
        x = nn.Input("x")
        linear = nn.Linear(2, 1, rng=0)
        graph = nn.Graph([x], (linear(x) * 2).sum())
        nn.Graph([x], graph.nodes[-2])
        names = {name for name, _, _ in Picture(graph.plot()).texts}
        assert names == {"x", "linear", "linear.weight", "linear.bias", "2", "multiply", "sum"}

    def test_long_names_break_after_dots_and_underscores(self):
        name = "encoder.layers.3.self_attention.query_weight"
        picture = Picture(plot.graph([Parameter(name)]))
        assert picture.lines_of(name) == ["encoder.layers.3.", "self_attention.", "query_weight"]

    def test_dollars_are_no_formula(self):
        picture = Picture(plot.graph([Input("$x_1$ and $")]))
        assert "".join(picture.lines_of("$x_1$ and $")) == "$x_1$ and $"


class TestAxes:
    def test_the_given_axes_are_used_and_returned(self):
        ax = Figure(figsize=(6, 3)).subplots()
        assert plot.graph(seminar_model(), ax=ax) is ax
        assert not plt.get_fignums()

    def test_without_axes_there_is_one_new_figure(self):
        assert plot.graph(chain(3)).figure is plt.gcf()
        assert len(plt.get_fignums()) == 1

    @pytest.mark.parametrize("nodes", [chain(3), seminar_model(), diamonds(25)])
    def test_text_stays_in_its_box_and_the_picture_in_its_axes_at_any_size(self, nodes):
        figure = Figure(figsize=(10, 6), layout="constrained")
        left, right = figure.subplots(1, 2)
        right.set_title("beside it")
        plot.graph(nodes, ax=left, values=True, gradients=True)
        for width, height, dpi in [(10, 6, 100), (5, 4, 150), (16, 4, 72)]:
            figure.set(figwidth=width, figheight=height, dpi=dpi)
            picture = Picture(left)
            for name, text, extent in picture.texts:
                assert contains(picture.boxes[name], extent, slack=ONE_PIXEL), (name, text)
            assert all(contains(left.bbox, box) for box in picture.boxes.values())

    def test_text_stays_in_its_box_on_few_dots(self):
        for graph in derivative_graphs():
            ax = graph.plot(values=True)
            for dpi in (50, 70, 72, 80, 96, 150, 300):
                ax.figure.set_dpi(dpi)
                picture = Picture(ax)
                for name, text, extent in picture.texts:
                    assert contains(picture.boxes[name], extent), (dpi, name, text)

    def test_lines_become_thinner_as_the_picture_shrinks(self):
        widths = []
        for inches in (1.5, 12.0):
            ax = Figure(figsize=(inches, inches)).add_axes((0, 0, 1, 1))
            box = Picture(plot.graph(seminar_model(), ax=ax)).box_artists["x"]
            widths.append(box.get_linewidth())
        assert widths[0] < 0.5
        assert widths[1] == THIN

    def test_a_drawing_that_is_too_long_keeps_its_main_line_straight(self):
        ax = Figure(figsize=(3.4, 1.6)).add_axes((0, 0, 1, 1))
        boxes = Picture(plot.graph(seminar_model(), ax=ax, values=True, gradients=True)).boxes
        middles = [boxes[name].y0 + boxes[name].y1 for name in ("linear", "sigmoid", "mse")]
        assert np.ptp(middles) < 1

    def test_a_small_graph_is_not_blown_up_in_large_axes(self):
        figure = Figure(figsize=(12, 8), dpi=72)
        picture = Picture(plot.graph(chain(3), ax=figure.add_axes((0, 0, 1, 1))))
        assert picture.boxes["x"].width == pytest.approx(MIN_WIDTH, abs=0.1)
