"""Pictures are checked as they are rendered: boxes, edges and letters, in pixels."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.path import Path

from nnlite import plot
from nnlite.layout import layered

ONE_PIXEL = 1.0  # where a glyph is set on whole pixels


@pytest.fixture(autouse=True, scope="module")
def _headless():
    """No window opens, whatever the machine."""
    plt.switch_backend("Agg")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plt, "show", lambda *args, **kwargs: pytest.fail("plt.show() was called"))
        yield


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


class Vertex:
    def __init__(self, name, *parents, operation=None, parameters=(), value=None, grad=None):
        self.name, self.parents, self.parameters = name, parents, tuple(parameters)
        self.module = type(operation, (), {})() if operation else None
        self.value, self.grad = value, grad


class Input(Vertex):
    pass


class Parameter(Vertex):
    pass


class Constant(Vertex):
    pass


def seminar_model():
    """(σ(ωᵀx + b) − t)²/2 + λ·½‖ω‖² for one feature, with its values and gradients."""
    x, t = Input("x", value=np.array([[2.0]])), Input("t", value=np.array([[1.0]]))
    weight = Parameter("linear.weight", value=np.array([[0.5]]), grad=np.array([[-0.101]]))
    bias = Parameter("linear.bias", value=np.array([0.0]), grad=np.array([-0.0529]))
    owned = (weight, bias)
    linear = Vertex("linear", x, operation="Linear", parameters=owned, value=1.0, grad=-0.0529)
    sigmoid = Vertex("sigmoid", linear, operation="Sigmoid", value=0.731059, grad=-0.268941)
    mse = Vertex("mse", sigmoid, t, operation="MSE", value=0.0723, grad=0.5)
    two, lam = Constant("constant", value=2), Constant("λ", value=0.01)
    divide = Vertex("divide", mse, two, operation="Divide", value=0.0362, grad=1.0)
    l2 = Vertex("l2", weight, operation="L2", value=0.125, grad=0.01)
    multiply = Vertex("multiply", lam, l2, operation="Multiply", value=0.00125, grad=1.0)
    add = Vertex("add", divide, multiply, operation="Add", value=0.0374, grad=1.0)
    return [x, weight, bias, linear, sigmoid, t, mse, two, divide, lam, l2, multiply, add]


def chain(count):
    nodes = [Input("x")]
    for k in range(1, count):
        nodes.append(Vertex(f"tanh_{k}", nodes[-1], operation="Tanh"))
    return nodes


def diamonds(count):
    nodes = [Input("x")]
    while len(nodes) < count:
        top, k = nodes[-1], len(nodes)
        sin = Vertex(f"sin_{k}", top, operation="Sin")
        exp = Vertex(f"exp_{k}", top, operation="Exp")
        nodes += [sin, exp, Vertex(f"multiply_{k}", sin, exp, operation="Multiply")]
    return nodes


def random_graph(count, seed):
    """Of one output, where a vertex feeds a few of the next dozen."""
    rng = np.random.default_rng(seed)
    nodes = [Input("x", value=rng.normal(size=(32, 30)))]
    unused = list(nodes)
    for k in range(1, count):
        array = rng.normal(size=rng.integers(1, 6)) * 10.0 ** rng.integers(-9, 9)
        if k < count - 1 and len(unused) < 5 and rng.random() < 0.4:
            leaf = (Input, Parameter, Constant)[rng.integers(3)]
            node = leaf(f"leaf_{k}", value=array, grad=array)
        else:
            operation = ("Add", "Multiply", "LogSumExp")[rng.integers(3)]
            parents = unused if k == count - 1 else [rng.choice(unused)]
            parents = [*parents, *rng.choice(nodes[-12:], size=rng.integers(3))]
            node = Vertex(f"node_{k}", *parents, operation=operation, value=array, grad=-array)
        unused = [*(vertex for vertex in unused if vertex not in node.parents), node]
        nodes.append(node)
    return nodes


GRAPHS = {
    "three": chain(3),
    "one": chain(1),
    "seminar": seminar_model(),
    "chain": chain(10),
    "diamonds": diamonds(25),
    **{
        f"random-{n}-{seed}": random_graph(n, seed) for n in (3, 8, 20, 40, 60) for seed in range(3)
    },
}


class Picture:
    """What a graph looks like, in pixels."""

    def __init__(self, ax):
        figure = ax.figure
        FigureCanvasAgg(figure).draw()
        self.ax = ax
        self.box_artists, self.boxes, self.texts, self.edges = {}, {}, [], []
        for artist in ax.get_children():
            match (artist.get_gid() or "").split(":"):
                case "vertex", name:
                    self.box_artists[name] = artist
                    self.boxes[name] = artist.get_window_extent()
                case "label", name:
                    self.texts.append((name, artist.get_text(), artist.get_window_extent()))
                case "edge", parent, child:
                    self.edges.append((parent, child, self.flattened(artist)))

    @staticmethod
    def flattened(edge):
        path = edge.get_transform().transform_path(edge.get_path()).cleaned(curves=False)
        return path.vertices[path.codes != Path.STOP]

    def lines_of(self, vertex):
        return [text for name, text, _ in self.texts if name == vertex]


@pytest.fixture(scope="module", params=["bare", "values"])
def shows_values(request):
    return request.param == "values"


@pytest.fixture(scope="module", params=GRAPHS)
def picture(request, shows_values):
    nodes = GRAPHS[request.param]
    ax = plot.graph(nodes, values=shows_values, gradients=shows_values)
    return Picture(ax)


def overlap(a, b):
    return min(a.x1, b.x1) > max(a.x0, b.x0) and min(a.y1, b.y1) > max(a.y0, b.y0)


def contains(outer, inner, slack=0.0):
    return (
        outer.x0 - slack <= inner.x0
        and inner.x1 <= outer.x1 + slack
        and outer.y0 - slack <= inner.y0
        and inner.y1 <= outer.y1 + slack
    )


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
            assert end.padded(pixels * (plot.ARROW_LENGTH + 1)).contains(*line[-1]), (parent, child)

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
        shrinks = min(1.0, plot.NOTEBOOK_WIDTH / 72 / picture.ax.figure.get_figwidth())
        assert plot.LINE_SIZE * shrinks >= 5.0


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
        assert abs(first[-1] - second[-1]).max() > plot.ARROW_WIDTH

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
        assert plot.history({"loss": [1.0, 0.5]}, ax=ax) is ax
        assert not plt.get_fignums()

    def test_without_axes_there_is_one_new_figure(self):
        assert plot.graph(chain(3)).figure is plt.gcf()
        assert plot.history({"loss": [1.0]}).figure is plt.gcf()
        assert len(plt.get_fignums()) == 2

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

    def test_a_small_graph_is_not_blown_up_in_large_axes(self):
        figure = Figure(figsize=(12, 8), dpi=72)
        picture = Picture(plot.graph(chain(3), ax=figure.add_axes((0, 0, 1, 1))))
        assert picture.boxes["x"].width == pytest.approx(plot.MIN_WIDTH, abs=0.1)


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


RECORD = {
    "epoch": [1, 2, 3],
    "train_loss": [0.7, 0.5, 0.4],
    "test_loss": [0.8, 0.6, 0.5],
    "train_accuracy": [0.5, 0.8, 0.9],
    "test_accuracy": [0.5, 0.7, 0.8],
}


class TestHistory:
    def test_only_losses_are_drawn_unless_keys_are_given(self):
        lines = plot.history(RECORD).get_lines()
        assert [line.get_ydata().tolist() for line in lines] == [[0.7, 0.5, 0.4], [0.8, 0.6, 0.5]]
        (line,) = plot.history(RECORD, keys=["test_accuracy"]).get_lines()
        assert line.get_ydata().tolist() == [0.5, 0.7, 0.8]

    def test_curves_differ_by_more_than_colour(self):
        first, second = plot.history(RECORD).get_lines()
        assert first.get_linestyle() != second.get_linestyle()

    def test_axes_are_labelled_and_have_no_title(self):
        ax = plot.history(RECORD)
        assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("epoch", "loss", "")
        legend = ax.get_legend()
        assert [text.get_text() for text in legend.get_texts()] == ["train", "test"]
        assert not legend.get_frame_on()

    def test_one_curve_needs_no_legend(self):
        assert plot.history({"loss": [1.0, 0.5]}).get_legend() is None

    def test_epochs_are_counted_from_one_where_they_are_not_given(self):
        (line,) = plot.history({"loss": [1.0, 0.5]}).get_lines()
        assert line.get_xdata().tolist() == [1, 2]

    def test_epochs_without_a_number_are_passed_over(self):
        nan = float("nan")
        (line,) = plot.history({"test_loss": [1.0, nan, 0.5]}).get_lines()
        assert line.get_xdata().tolist() == [1, 3]

    def test_a_single_epoch_is_visible(self):
        (line,) = plot.history({"loss": [1.0]}).get_lines()
        assert line.get_marker() == "o"

    @pytest.mark.parametrize("keys", [None, [], ["loss"]])
    def test_missing_keys_are_refused_and_the_present_ones_named(self, keys):
        with pytest.raises(ValueError, match=r"cannot draw keys=.*the history has \['accuracy'\]"):
            plot.history({"accuracy": [1.0]}, keys=keys)
        assert not plt.get_fignums()

    def test_a_curve_of_another_length_is_refused(self):
        with pytest.raises(ValueError, match="'loss' has 1 numbers for 2 epochs"):
            plot.history({"epoch": [1, 2], "loss": [1.0]})
