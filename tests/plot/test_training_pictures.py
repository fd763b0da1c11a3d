"""Pictures of training and of what derivatives cost."""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from pictures import contains

import nnlite as nn
from nnlite import plot

pytestmark = pytest.mark.usefixtures("headless", "no_figures_left")

RECORD: dict[str, list[float]] = {
    "epoch": [1, 2, 3],
    "train_loss": [0.7, 0.5, 0.4],
    "test_loss": [0.8, 0.6, 0.5],
    "train_accuracy": [0.5, 0.8, 0.9],
    "test_accuracy": [0.5, 0.7, 0.8],
}


def xs(line):
    return np.asarray(line.get_xdata()).tolist()


def ys(line):
    return np.asarray(line.get_ydata()).tolist()


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


class TestHistory:
    def test_only_losses_are_drawn_unless_keys_are_given(self):
        lines = plot.history(RECORD).get_lines()
        assert [ys(line) for line in lines] == [[0.7, 0.5, 0.4], [0.8, 0.6, 0.5]]
        (line,) = plot.history(RECORD, keys=["test_accuracy"]).get_lines()
        assert ys(line) == [0.5, 0.7, 0.8]

    def test_curves_differ_by_more_than_colour(self):
        first, second = plot.history(RECORD).get_lines()
        assert first.get_linestyle() != second.get_linestyle()

    def test_axes_are_labelled_and_have_no_title(self):
        ax = plot.history(RECORD)
        assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("epoch", "loss", "")
        legend = ax.get_legend()
        assert labels(ax) == ["train", "test"]
        assert legend is not None
        assert not legend.get_frame_on()

    def test_one_curve_needs_no_legend(self):
        assert plot.history({"loss": [1.0, 0.5]}).get_legend() is None

    def test_epochs_are_counted_from_one_where_they_are_not_given(self):
        (line,) = plot.history({"loss": [1.0, 0.5]}).get_lines()
        assert xs(line) == [1, 2]

    def test_epochs_without_a_number_are_passed_over(self):
        nan = float("nan")
        (line,) = plot.history({"test_loss": [1.0, nan, 0.5]}).get_lines()
        assert xs(line) == [1, 3]

    def test_a_single_epoch_is_visible(self):
        (line,) = plot.history({"loss": [1.0]}).get_lines()
        assert line.get_marker() == "o"

    def test_rows_are_as_good_as_columns(self):
        rows: list[dict[str, Any]] = [
            {"epoch": 1, "loss": 0.7},
            {"epoch": 2, "loss": None},
            {"epoch": 3, "loss": 0.4},
        ]
        (line,) = plot.history(rows).get_lines()
        assert xs(line) == [1, 3]
        assert ys(line) == [0.7, 0.4]

    def test_curves_of_several_quantities_keep_their_whole_names(self):
        ax = plot.history(RECORD, keys=["test_loss", "test_accuracy"])
        assert labels(ax) == ["test loss", "test accuracy"]
        assert ax.get_ylabel() == "value"

    @pytest.mark.parametrize("keys", [None, [], ["loss"]])
    def test_missing_keys_are_refused_and_the_present_ones_named(self, keys):
        with pytest.raises(ValueError, match=r"cannot draw keys=.*the history has \['accuracy'\]"):
            plot.history({"accuracy": [1.0]}, keys=keys)
        assert not plt.get_fignums()

    def test_a_curve_of_another_length_is_refused(self):
        with pytest.raises(ValueError, match="'loss' has 1 numbers for 2 epochs"):
            plot.history({"epoch": [1, 2], "loss": [1.0]})


def corners() -> tuple[np.ndarray, np.ndarray]:
    X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return X, np.array([0, 0, 1, 1])


class TestDecisionBoundary:
    @pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
    def test_the_boundary_is_where_the_probability_is_a_half(self, shape):
        ax = plot.decision_boundary(lambda X: (X[:, 0] + 0.2).reshape(shape), *corners())
        lines = [c for c in ax.collections if c.get_zorder() == 1]
        border = np.vstack([path.vertices for line in lines for path in line.get_paths()])
        np.testing.assert_allclose(border[:, 0], 0.3, atol=1e-12)

    def test_of_several_scores_the_greatest_decides(self):
        centres = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        scores = lambda X: -((X[:, None] - centres) ** 2).sum(axis=2)
        ax = plot.decision_boundary(scores, centres, np.arange(3), names=["a", "b", "c"])
        assert labels(ax) == ["a", "b", "c"]
        (line, *_) = [c for c in ax.collections if c.get_zorder() == 1]
        border = np.vstack([path.vertices for path in line.get_paths()])
        distances = np.linalg.norm(border[:, None] - centres, axis=2)
        np.testing.assert_allclose(distances[:, 0], distances[:, 1:].min(axis=1), atol=0.02)

    def test_a_graph_of_the_predictions_can_be_given(self):
        x = nn.Input("x")
        graph = nn.Graph([x], nn.Sigmoid()(nn.Linear(2, 1, rng=0)(x)))
        ax = plot.decision_boundary(graph, *corners())
        assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("x₁", "x₂", "")

    def test_classes_differ_in_marker_and_in_grey(self):
        ax: Any = plot.decision_boundary(lambda X: X[:, 0], *corners())
        samples = [c for c in ax.collections if c.get_label() in "01"]
        shapes = {len(c.get_paths()[0].vertices) for c in samples}
        assert len(shapes) == 2
        fills = [c.get_facecolor()[0, :3] for c in ax.collections if c.get_zorder() == 0]
        greys = [np.dot(fill, [0.299, 0.587, 0.114]) for fill in fills]
        assert abs(greys[0] - greys[1]) > 0.05

    def test_a_class_that_is_nowhere_predicted_does_no_harm(self):
        ax = plot.decision_boundary(lambda X: np.zeros(len(X)), *corners())
        assert len(labels(ax)) == 2

    @pytest.mark.parametrize(
        ("predict", "X", "t", "names", "message"),
        [
            (len, np.ones((2, 3)), [0, 1], None, r"two features: X has shape \(2, 3\)"),
            (len, np.ones((2, 2)), [0, 1, 1], None, "there are 3 classes"),
            (len, np.ones((2, 2)), [0.5, 1], None, "whole numbers from 0"),
            (lambda X: 1.0, np.ones((2, 2)), [0, 1], None, r"predict gave shape \(\)"),
            (lambda X: X[:7], np.ones((2, 2)), [0, 1], None, r"predict gave shape \(7, 2\)"),
            (lambda X: X, np.ones((2, 2)), [0, 1], ["a"], "names has 1 names for 2 classes"),
            (lambda X: X, np.ones((2, 2)), [0, 9], None, "10 classes are more than"),
        ],
    )
    def test_what_cannot_be_drawn_is_refused(self, predict, X, t, names, message):
        with pytest.raises(ValueError, match=message):
            plot.decision_boundary(predict, X, t, names=names)
        assert not plt.get_fignums()


class TestGradientSpread:
    @pytest.mark.parametrize("as_graph", [True, False])
    def test_there_is_a_row_for_each_parameter_from_the_first_layer_to_the_last(self, as_graph):
        first, last, x = nn.Linear(3, 4, rng=0), nn.Linear(4, 1, rng=1), nn.Input("x")
        graph = nn.Graph([x], last(np.tanh(first(x))).sum())
        graph(np.ones((5, 3)))
        graph.backward()
        ax = plot.gradient_spread(graph if as_graph else nn.Sequential(first, last))
        names = [label.get_text() for label in ax.get_yticklabels()]
        layers = ("linear", "linear_2") if as_graph else ("0", "1")
        assert names == [f"{layer}.{name}" for layer in layers for name in ("weight", "bias")]
        assert ax.yaxis.get_inverted()

    def test_the_box_holds_the_middle_half(self):
        sizes = np.geomspace(1e-6, 1e-2, 101)
        ax: Any = plot.gradient_spread({"w": sizes * (-1) ** np.arange(101)})
        (box,) = ax.patches
        assert box.get_x() == pytest.approx(1e-5, rel=1e-12)
        assert box.get_x() + box.get_width() == pytest.approx(1e-3, rel=1e-12)
        assert ax.get_xscale() == "log"

    def test_zeros_are_told_in_words(self):
        ax = plot.gradient_spread({"w": [0.0, 0.0, 1.0, 2.0], "dead": [0.0, 0.0]})
        assert [text.get_text() for text in ax.texts] == ["50% zero", "100% zero"]

    @pytest.mark.parametrize(
        ("gradients", "message"),
        [({}, "no parameter has a gradient"), ({"w": [np.nan]}, "gradient of 'w' is not finite")],
    )
    def test_what_cannot_be_drawn_is_refused(self, gradients, message):
        with pytest.raises(ValueError, match=message):
            plot.gradient_spread(gradients)
        with pytest.raises(ValueError, match=r"call backward\(\) first"):
            plot.gradient_spread(nn.Linear(2, 1, rng=0))


def costs(sizes=(1, 4, 16)):
    """As the theory has them: forward n passes, reverse m passes of twice the cost."""
    return [
        {"n": n, "m": m, "mode": mode, "seconds": count * 1e-3, "peak_bytes": count * 1000}
        for n in sizes
        for m in sizes
        for mode, count in (("forward", n), ("reverse", 2 * m))
    ]


class TestModes:
    def test_each_cell_says_the_cheaper_mode_and_the_factor(self):
        ax = plot.modes(costs())
        texts = {tuple(text.get_position()): text.get_text() for text in ax.texts}
        assert len(texts) == 9
        assert texts[0, 0] == "forward\n2.0×"
        assert texts[2, 0] == "reverse\n8.0×"
        assert texts[0, 2] == "forward\n32×"

    def test_the_rule_is_drawn_where_n_passes_m(self):
        (stairs,) = plot.modes(costs()).get_lines()
        assert list(zip(xs(stairs), ys(stairs), strict=True)) == [
            (-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (1.5, 0.5), (1.5, 1.5), (2.5, 1.5)
        ]  # fmt: skip

    def test_a_file_of_the_benchmark_can_be_given(self, tmp_path):
        path = tmp_path / "modes.csv"
        lines = [",".join(map(str, row.values())) for row in costs()]
        path.write_text("n,m,mode,seconds,peak_bytes\n" + "\n".join(lines))
        drawn = [text.get_text() for text in plot.modes(path).texts]
        assert drawn == [text.get_text() for text in plot.modes(costs()).texts]

    def test_of_several_measurements_the_least_counts(self):
        slower = [row | {"seconds": 9.0} for row in costs()]
        drawn = [text.get_text() for text in plot.modes([*slower, *costs()]).texts]
        assert drawn == [text.get_text() for text in plot.modes(costs()).texts]

    @pytest.mark.parametrize(
        ("fixed", "label"),
        [({"m": 4}, "inputs n, where m = 4"), ({"n": 4}, "outputs m, where n = 4")],
    )
    def test_with_one_number_fixed_there_is_a_curve_for_each_mode(self, fixed, label):
        ax = plot.modes(costs(), quantity="peak_bytes", **fixed)
        forward, reverse, border = ax.get_lines()
        assert forward.get_linestyle() != reverse.get_linestyle()
        assert forward.get_marker() != reverse.get_marker()
        expected = [1000, 4000, 16000] if "m" in fixed else [4000] * 3
        assert ys(forward) == expected
        assert xs(border)[0] == 4
        assert (ax.get_xlabel(), ax.get_ylabel()) == (label, "memory of the Jacobian, bytes")

    @pytest.mark.parametrize(
        ("rows", "arguments", "message"),
        [
            ([], {}, "rows is empty"),
            (costs(), {"quantity": "joules"}, "quantity is 'seconds' or 'peak_bytes'"),
            (costs(), {"n": 1, "m": 1}, "give n or m, not both"),
            (costs(), {"n": 5}, r"measured with n = 5, but with \[1, 4, 16\]"),
            (costs()[:1], {}, r"has the modes \['forward'\]; both"),
            ([{"n": 1, "m": 1}], {}, r"a row has no \['mode', 'seconds'\]; it has \['n', 'm'\]"),
        ],
    )
    def test_what_cannot_be_drawn_is_refused(self, rows, arguments, message):
        with pytest.raises(ValueError, match=message):
            plot.modes(rows, **arguments)
        assert not plt.get_fignums()


class TestConfusionMatrix:
    def test_rows_are_true_and_columns_predicted_classes(self):
        ax = plot.confusion_matrix([0, 0, 1, 2, 2, 2], [0, 1, 1, 2, 2, 0])
        texts = np.reshape([text.get_text() for text in ax.texts], (3, 3)).tolist()
        assert texts == [["1", "1", ""], ["", "1", ""], ["1", "", "2"]]
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")

    def test_columns_and_booleans_are_classes_too(self):
        ax = plot.confusion_matrix(np.array([[1.0], [0.0]]), np.array([[True], [True]]))
        assert [text.get_text() for text in ax.texts] == ["", "1", "", "1"]

    def test_numbers_stand_out_from_their_cells(self):
        ax: Any = plot.confusion_matrix([0] * 10 + [1] * 10, [0] * 9 + [1] * 6 + [0] * 5)
        shades = ax.images[0].to_rgba(ax.images[0].get_array())[..., 0].ravel()
        for shade, text in zip(shades, ax.texts, strict=True):
            assert abs(shade - to_rgb(text.get_color())[0]) > 0.4

    def test_a_class_that_never_occurs_has_its_row(self):
        ax = plot.confusion_matrix([0], [0], names=["cat", "dog"])
        assert [label.get_text() for label in ax.get_yticklabels()] == ["cat", "dog"]

    @pytest.mark.parametrize(
        ("t", "predicted", "names", "message"),
        [
            ([0, 1], [0], None, "t has 2 classes and predicted 1"),
            ([0, 1], [0.2, 0.9], None, "of probabilities take y > 0.5"),
            ([0, 1], [[0.2, 0.8], [1, 0]], None, r"of scores take scores.argmax\(axis=1\)"),
            ([-1], [0], None, "t is made of classes, whole numbers from 0"),
            (["cat"], ["dog"], None, "t is made of classes, whole numbers from 0"),
            ([], [], None, "at least one"),
            ([0, 1], [0, 1], ["cat"], "names has 1 names for 2 classes"),
        ],
    )
    def test_what_cannot_be_drawn_is_refused(self, t, predicted, names, message):
        with pytest.raises(ValueError, match=message):
            plot.confusion_matrix(t, predicted, names=names)
        assert not plt.get_fignums()


EVERY: dict[str, Callable[[Any], Any]] = {
    "history": lambda ax: plot.history(RECORD, ax=ax),
    "boundary": lambda ax: plot.decision_boundary(lambda X: X[:, 0], *corners(), ax=ax),
    "spread": lambda ax: plot.gradient_spread({"first.weight": [1.0, 2.0, 0.0]}, ax=ax),
    "grid": lambda ax: plot.modes(costs(), ax=ax),
    "curves": lambda ax: plot.modes(costs(), ax=ax, m=4),
    "confusion": lambda ax: plot.confusion_matrix([0, 1], [0, 1], ax=ax, names=["yes", "never"]),
}


@pytest.mark.parametrize("name", EVERY)
class TestEveryPicture:
    def test_the_given_axes_are_used_and_returned(self, name):
        ax = Figure().subplots()
        assert EVERY[name](ax) is ax
        assert not plt.get_fignums()

    def test_without_axes_there_is_one_new_figure(self, name):
        assert EVERY[name](None).figure is plt.gcf()
        assert len(plt.get_fignums()) == 1

    def test_both_axes_are_labelled_and_there_is_no_title(self, name):
        ax = EVERY[name](None)
        assert ax.get_xlabel()
        assert ax.get_ylabel()
        assert ax.get_title() == ""

    @pytest.mark.parametrize("dpi", [72, 300])
    def test_nothing_is_cut_off(self, name, dpi):
        ax = EVERY[name](None)
        ax.figure.set_dpi(dpi)
        FigureCanvasAgg(ax.figure).draw()
        assert contains(ax.figure.bbox, ax.get_tightbbox(), slack=1.0)

    def test_at_print_width_too_nothing_is_cut_off(self, name):
        figure = Figure(figsize=(3.4, 3.0), dpi=300, layout="constrained")
        ax = EVERY[name](figure.subplots())
        FigureCanvasAgg(figure).draw()
        assert contains(figure.bbox, ax.get_tightbbox(), slack=1.0)
