"""Models as graphs, ready to train."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nnlite.core.arguments import AT_LEAST_0
from nnlite.core.node import Input, Node
from nnlite.core.public import public
from nnlite.graph.graph import Graph
from nnlite.layers.activation import Sigmoid
from nnlite.layers.cross_entropy import BCEWithLogits, CrossEntropy
from nnlite.layers.dropout import Dropout
from nnlite.layers.linear import Linear
from nnlite.layers.losses import MSE
from nnlite.layers.registry import ACTIVATIONS, LOSSES, LOSSES_OF_TASK, resolve
from nnlite.layers.regularizers import L1, L2
from nnlite.layers.softmax import Softmax


@dataclass(frozen=True)
class Model:
    """What is trained and what it is trained for: two graphs of the same parameters.

    Attributes
    ----------
    graph : Graph
        From x, (batch, features), and t to the scalar loss.
    predictor : Graph
        From x to the prediction: a number, (batch, 1); the probability of class 1, (batch, 1); or
        that of each class, (batch, classes).
    """

    graph: Graph
    predictor: Graph


def seminar_model(
    features: int,
    lam: float = 0.0,
    *,
    dtype: DTypeLike = np.float64,
    rng: np.random.Generator | int | None = None,
) -> Graph:
    """The seminar's regularised logistic-style model, f = (σ(ωᵀx + b) − t)²/2 + λ·½‖ω‖².

    Parameters
    ----------
    features : int
        n, the length of x and ω.
    lam : float
        λ, at least 0.
    dtype : floating dtype
        Of ω and b, and of the data the graph will take.
    rng : numpy.random.Generator or int, optional
        Where the initial ω and b come from.

    Returns
    -------
    Graph
        From x, (batch, features), and t, (batch, 1), to the scalar f; the data term is averaged
        over the batch. Its vertex ``y`` holds the predictions σ(ωᵀx + b).
    """
    lam = AT_LEAST_0.of("seminar_model", "lam", lam)
    return perceptron(features, task="binary", loss="mse", l2=lam, dtype=dtype, rng=rng).graph


def perceptron(
    features: int,
    outputs: int = 1,
    hidden: Sequence[int] = (),
    activation: str = "relu",
    *,
    task: str = "regression",
    loss: str | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    dropout: float = 0.0,
    dtype: DTypeLike = np.float64,
    rng: np.random.Generator | int | None = None,
) -> Model:
    """Linear layers with an activation between them; without hidden layers, a linear model.

    Parameters
    ----------
    features : int
        The length of a row x.
    outputs : int
        How many classes the task "multiclass" has; otherwise 1.
    hidden : sequence of int
        How many units each hidden layer has.
    activation : str
        Of the hidden layers: a name in ``nnlite.layers.registry.ACTIVATIONS``.
    task : {"binary", "multiclass", "regression"}
        Settles the shape of t: (batch, 1) of 0 and 1, (batch,) of class numbers, or (batch, 1).
    loss : str, optional
        "mse" (½(y − t)², as on the seminar's slide), "mae" or "huber" of a quantity; "bce" or
        "mse" of the probability of class 1; "cross_entropy" of several classes. The first of
        ``nnlite.layers.registry.LOSSES_OF_TASK`` if left out, and "bce" for two classes.
    l1, l2 : float
        Weights of ‖W‖₁ and ½‖W‖² in the loss, summed over all layers; biases are left alone. A
        term of weight 0 is left out, but for λ in the seminar's own model.
    dropout : float
        The probability that a hidden unit is dropped in a training step.
    dtype : floating dtype
        Of all parameters, and of the data the graphs will take.
    rng : numpy.random.Generator or int, optional
        Where the initial parameters and the dropout come from.

    Raises
    ------
    ValueError
        If a name is unknown, the loss is not one of the task, or a number is out of its range.

    Examples
    --------
    >>> model = perceptron(4, 3, hidden=[8], task="multiclass", rng=0)
    >>> model.predictor(np.zeros((2, 4))).shape
    (2, 3)
    >>> sorted(name for name, parameter in model.graph.named_parameters())
    ['bias_1', 'bias_2', 'weight_1', 'weight_2']
    """
    if task not in LOSSES_OF_TASK:
        raise ValueError(f"perceptron: task is one of {', '.join(LOSSES_OF_TASK)}, got {task!r}")
    if task != "multiclass" and outputs != 1:
        raise ValueError(f"perceptron: task {task!r} has 1 output, got outputs={outputs!r}")
    loss = loss or ("bce" if task == "binary" else LOSSES_OF_TASK[task][0])
    if loss not in LOSSES_OF_TASK[task]:
        raise ValueError(
            f"perceptron: the loss of task {task!r} is {' or '.join(LOSSES_OF_TASK[task])}, "
            f"got {loss!r}"
        )
    kind, criterion = resolve(ACTIVATIONS, activation), resolve(LOSSES, loss)
    l1, l2 = [AT_LEAST_0.of("perceptron", name, w) for name, w in (("l1", l1), ("l2", l2))]
    is_seminar = task == "binary" and loss == "mse" and not (hidden or l1)  # λ = 0 is shown, too
    rng = np.random.default_rng(rng)
    x, t = Input("x"), Input("t")
    weights: list[Any] = []
    u: Node = x
    for number, fan_in, fan_out in _layers(features, outputs, hidden):
        linear = Linear(fan_in, fan_out, dtype=dtype, rng=rng)
        linear.weight.name, linear.bias.name = f"weight{number}", f"bias{number}"
        u = linear(u)
        weights.append(linear.weight)
        if len(weights) <= len(hidden):
            u.name = f"z{number}"
            u = kind()(u)
            u.name = f"h{number}"
            if dropout:
                u = Dropout(dropout, rng=rng)(u)
    z = y = u
    if task != "regression":
        y = (Sigmoid() if task == "binary" else Softmax())(z)
    z.name, y.name = "z", "y"  # which are one vertex of a regression
    objective = criterion()(z if criterion in (BCEWithLogits, CrossEntropy) else y, t)
    if criterion is MSE:
        objective = objective / 2
    for weight, norm in ((l2, L2), (l1, L1)):
        for W in weights if weight or (is_seminar and norm is L2) else ():
            objective = objective + weight * norm()(W)
    return Model(Graph([x, t], objective), Graph([x], y))


def parameter_shapes(
    features: int, outputs: int, hidden: Sequence[int] = ()
) -> dict[str, tuple[int, ...]]:
    """What parameters a `perceptron` or `seminar_model` will have: their names and shapes.

    Examples
    --------
    >>> parameter_shapes(30, 1)
    {'weight': (30, 1), 'bias': (1,)}
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for number, fan_in, fan_out in _layers(features, outputs, hidden):
        shapes |= {f"weight{number}": (fan_in, fan_out), f"bias{number}": (fan_out,)}
    return shapes


def _layers(features: int, outputs: int, hidden: Sequence[int]) -> Iterator[tuple[str, int, int]]:
    """What follows the names of each layer's parameters and vertices, and its sizes."""
    for layer, sizes in enumerate(pairwise([features, *hidden, outputs]), start=1):
        yield f"_{layer}" if hidden else "", *sizes


public(globals(), "nnlite.models", own=True)
