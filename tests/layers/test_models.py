"""Models that are made from names and numbers."""

from itertools import chain
from typing import Any

import numpy as np
import pytest

import nnlite as nn
from nnlite.cli.runs.options import parse_schedule
from nnlite.layers import FAMILIES
from nnlite.layers.models import parameter_shapes, perceptron, seminar_model
from nnlite.layers.registry import (
    ACTIVATIONS,
    LOSSES,
    LOSSES_OF_TASK,
    OPTIMIZERS,
    SCHEDULES,
    resolve,
)

CASES = [(task, loss) for task, losses in LOSSES_OF_TASK.items() for loss in losses]
X = np.random.default_rng(0).standard_normal((6, 4))
TARGETS = {
    "binary": np.array([[0.0], [1.0], [1.0], [0.0], [1.0], [0.0]]),
    "multiclass": np.array([0, 2, 1, 1, 0, 2]),
    "regression": np.arange(6.0)[:, None],
}


def outputs_of(task):
    return 3 if task == "multiclass" else 1


@pytest.mark.parametrize("hidden", [(), (5, 3)])
@pytest.mark.parametrize(("task", "loss"), CASES)
def test_the_loss_and_the_prediction_are_those_of_the_formula(task, loss, hidden):
    model = perceptron(
        4, outputs_of(task), hidden, "tanh", task=task, loss=loss, l1=0.2, l2=0.3, rng=1
    )
    state = model.graph.state_dict()
    z, penalty = X, 0.0
    for layer in range(1, len(hidden) + 2):
        number = f"_{layer}" if hidden else ""
        W, b = state[f"weight{number}"], state[f"bias{number}"]
        z = z @ W + b
        if layer <= len(hidden):
            z = np.tanh(z)
        penalty += 0.2 * np.abs(W).sum() + 0.3 * (W**2).sum() / 2
    y, t = z, TARGETS[task]
    if task == "binary":
        y = 1 / (1 + np.exp(-z))
    elif task == "multiclass":
        y = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    d: Any = np.abs(y - t) if task != "multiclass" else None
    expected = {
        "mse": lambda: np.mean(d**2) / 2,
        "mae": lambda: np.mean(d),
        "huber": lambda: np.mean(np.where(d <= 1, d**2 / 2, d - 0.5)),
        "bce": lambda: -np.mean(t * np.log(y) + (1 - t) * np.log(1 - y)),
        "cross_entropy": lambda: -np.mean(np.log(y[np.arange(6), t])),
    }[loss]()
    # A few dozen roundings of numbers of order 1.
    np.testing.assert_allclose(model.predictor(X), y, rtol=1e-13)
    np.testing.assert_allclose(model.graph(X, t), expected + penalty, rtol=1e-13)


@pytest.mark.parametrize(("task", "loss"), CASES)
def test_the_gradients_are_exact(task, loss):
    model = perceptron(4, outputs_of(task), [5], "softplus", task=task, loss=loss, l2=0.1, rng=1)
    assert nn.gradcheck(model.graph, X, TARGETS[task])


def test_two_classes_without_hidden_layers_and_with_mse_are_the_seminars_model():
    model = perceptron(4, task="binary", loss="mse", l2=0.1, rng=0)
    seminar = seminar_model(4, 0.1, rng=0)
    assert model.graph(X, TARGETS["binary"]) == seminar(X, TARGETS["binary"])


@pytest.mark.parametrize(("outputs", "hidden"), [(1, ()), (3, ()), (1, (5,)), (3, (5, 6, 7))])
def test_the_shapes_of_the_parameters_are_known_before_they_are_made(outputs, hidden):
    task = "multiclass" if outputs > 1 else "regression"
    model = perceptron(4, outputs, hidden, task=task, rng=0)
    made = {name: array.shape for name, array in model.graph.state_dict().items()}
    assert parameter_shapes(4, outputs, hidden) == made


def test_the_shapes_of_a_model_larger_than_memory_are_known_at_once():
    assert parameter_shapes(30, 1, [10**12])["weight_2"] == (10**12, 1)


def test_dropout_stands_after_each_hidden_layer_and_is_off_in_prediction():
    model = perceptron(4, hidden=[50, 50], dropout=0.5, rng=0)
    kinds = [type(node.module).__name__ for node in model.predictor.nodes if node.module]
    assert kinds == ["Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear"]
    assert not np.array_equal(model.predictor(X), model.predictor(X))
    model.predictor.eval()
    np.testing.assert_array_equal(model.predictor(X), model.predictor(X))


def test_the_dtype_is_that_of_all_parameters_and_predictions():
    model = perceptron(4, hidden=[5], dtype=np.float32, rng=0)
    assert {array.dtype for array in model.graph.state_dict().values()} == {np.dtype("float32")}
    assert model.predictor(X.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"task": "ranking"}, "task is one of binary, multiclass, regression, got 'ranking'"),
        ({"task": "binary", "outputs": 2}, "task 'binary' has 1 output, got outputs=2"),
        ({"task": "binary", "loss": "huber"}, "the loss of task 'binary' is mse or bce"),
        ({"hidden": [3], "activation": "os.system"}, "'os.system' is none of elu, gelu"),
        ({"hidden": [0]}, "at least 1, got 0"),
        ({"l1": -1.0}, "l1 is a finite number of at least 0"),
        ({"l2": float("nan")}, "l2 is a finite number of at least 0"),
    ],
)
def test_what_cannot_be_made_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        perceptron(4, **arguments)


def test_every_name_leads_to_a_class_of_the_catalogue():
    for table in (ACTIVATIONS, LOSSES, OPTIMIZERS, SCHEDULES):
        for name in table:
            _, _, kind = table[name].partition(":")
            assert resolve(table, name) is getattr(nn, kind)


def test_every_activation_loss_optimiser_and_schedule_of_the_catalogue_has_a_name_or_a_reason():
    named = {
        home.partition(":")[2]
        for table in (ACTIVATIONS, LOSSES, OPTIMIZERS, SCHEDULES)
        for home in table.values()
    }
    families = [FAMILIES[name].split() for name in ("activation", "losses", "cross_entropy")]
    public = {*chain(*families), *vars(nn.optim)["__all__"], *vars(nn.schedules)["__all__"]}
    # The bases of the others, a function, and the one that BCEWithLogits does better.
    assert public - named == {"Optimizer", "Schedule", "clip_grad_norm", "BCE"}


class TestSchedulesInWords:
    def test_have_a_name_and_numbers(self):
        assert parse_schedule("cosine") == ("cosine", {})
        assert parse_schedule("step:step_size=20,gamma=0.5") == (
            "step",
            {"step_size": 20, "gamma": 0.5},
        )

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("sine", "'sine' is none of cosine"),
            ("step:gama=0.5", "'gama=0.5' is no argument of step; write step:ARGUMENT=NUMBER"),
            ("step:gamma", "'gamma' is no argument of step"),
            ("step:gamma=0", "gamma: '0' is not a finite number above 0"),
            ("step:gamma=x", "gamma: 'x' is not a finite number above 0"),
            ("step:step_size=1.5", "step_size: '1.5' is not a whole number of at least 1"),
            ("step:gamma=0.5,gamma=0.6", "gamma is given twice"),
        ],
    )
    def test_are_refused_with_the_part_that_is_wrong(self, text, words):
        with pytest.raises(ValueError, match=words):
            parse_schedule(text)
