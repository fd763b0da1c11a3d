"""Training curves equal those of scikit-learn's MLPClassifier, from the same start and batches.

Its loss is the mean cross-entropy of a batch of n samples, with α/(2n)·‖W‖² for each weight matrix;
a point of its ``loss_curve_`` is the mean of that over an epoch, as the weights change.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

import nnlite as nn
from nnlite.datasets.loader import DataLoader
from nnlite.layers.activation import ReLU, Sigmoid, Tanh
from nnlite.layers.cross_entropy import CrossEntropy
from nnlite.optim import SGD, Adam
from nnlite.optim.schedules import InverseScaling

SAME_LOSS = 1e-9
"""Both sides compute the same numbers but for rounding, 1e-15 a step, which training amplifies."""

SAME_WEIGHT = 1e-6
"""Adam amplifies it most in weights that do not matter, of pixels that are 0 in every picture."""

ACTIVATIONS = {"logistic": Sigmoid, "tanh": Tanh, "relu": ReLU}
ALPHA = 0.01


def iris() -> tuple[np.ndarray, np.ndarray]:
    X, t = load_iris(return_X_y=True)
    return (X - X.mean(axis=0)) / X.std(axis=0), t


def digits() -> tuple[np.ndarray, np.ndarray]:
    X, t = load_digits(return_X_y=True)
    return X / 16, t


PROBLEMS: dict[str, tuple[Any, int, tuple[int, ...], int, float, float]] = {
    "iris": (iris, 32, (10,), 60, 0.05, 0.01),
    "digits": (digits, 100, (24, 12), 12, 0.05, 0.003),
}
"""Data, batch size (the last batch is smaller), hidden layers, epochs, rates of SGD and Adam."""


def each_network(test: Any) -> Any:
    """Run `test` for both data sets and all activations."""
    test = pytest.mark.parametrize("activation", ACTIVATIONS)(test)
    return pytest.mark.parametrize("problem", PROBLEMS)(test)


class RecordedClassifier(MLPClassifier):
    """scikit-learn's classifier, which remembers where training began."""

    def _init_coef(self, *arguments: Any) -> Any:
        W, b = super()._init_coef(*arguments)
        self.__dict__.setdefault("start", []).append((W.copy(), b.copy()))
        return W, b


class Comparison:
    """The same network twice: trained by scikit-learn, and ready to be trained here."""

    def __init__(self, problem: str, activation: str, solver: str, **options: Any) -> None:
        load, batch_size, hidden, self.epochs, sgd_rate, adam_rate = PROBLEMS[problem]
        X, t = load()
        order = np.random.default_rng(0).permutation(len(X))
        X, t = X[order], t[order]
        self.lr = sgd_rate if solver == "sgd" else adam_rate
        self.loader = DataLoader(X, t, batch_size)
        self.theirs = RecordedClassifier(
            hidden,
            activation,
            solver=solver,
            alpha=ALPHA,
            batch_size=batch_size,
            learning_rate_init=self.lr,
            max_iter=self.epochs,
            n_iter_no_change=self.epochs,
            shuffle=False,
            random_state=0,
            **options,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.theirs.fit(X, t)
        self.layers = [nn.Linear(*W.shape) for W, _ in self.theirs.start]
        for layer, (W, b) in zip(self.layers, self.theirs.start):
            layer.weight.value, layer.bias.value = W, b
        self.graph = network(self.layers, ACTIVATIONS[activation])

    def losses(self, optimiser: SGD | Adam, before_step: Callable[[], None]) -> Iterator[float]:
        """The mean loss of each epoch of training here."""
        for _ in range(self.epochs):
            total = 0.0
            for X, t in self.loader:
                total += len(X) * float(self.graph(X, t, ALPHA / len(X)))
                optimiser.zero_grad()
                self.graph.backward()
                before_step()
                optimiser.step()
            yield total / len(self.loader.X)

    def check(
        self,
        optimiser: SGD | Adam,
        before_step: Callable[[], None] = lambda: None,
        after_epoch: Callable[[], None] = lambda: None,
    ) -> None:
        ours = []
        for loss in self.losses(optimiser, before_step):
            ours.append(loss)
            after_epoch()
        curve = self.theirs.loss_curve_
        assert len(curve) == self.epochs
        assert curve[-1] < curve[0]
        np.testing.assert_allclose(ours, curve, rtol=0, atol=SAME_LOSS)
        for layer, W, b in zip(self.layers, self.theirs.coefs_, self.theirs.intercepts_):
            np.testing.assert_allclose(layer.weight.value, W, rtol=0, atol=SAME_WEIGHT)
            np.testing.assert_allclose(layer.bias.value, b, rtol=0, atol=SAME_WEIGHT)


def network(layers: list[nn.Linear], activation: type[nn.Module]) -> nn.Graph:
    """scikit-learn's loss of layers with activations between them; λ = α/n is an input."""
    x, t, lam = nn.Input("x"), nn.Input("t"), nn.Input("lam")
    y, penalty = layers[0](x), nn.L2()(layers[0].weight)
    for layer in layers[1:]:
        y = layer(activation()(y))
        penalty = penalty + nn.L2()(layer.weight)
    return nn.Graph([x, t, lam], CrossEntropy()(y, t) + lam * penalty)


@each_network
@pytest.mark.parametrize(
    ("momentum", "nesterov"),
    [(0.0, False), (0.9, False), (0.9, True)],
    ids=["plain", "momentum", "nesterov"],
)
def test_sgd_has_scikit_learns_training_curve(
    problem: str, activation: str, momentum: float, nesterov: bool
) -> None:
    """Its velocity is −γ times ours: the same steps while γ is constant."""
    comparison = Comparison(
        *(problem, activation, "sgd"), momentum=momentum, nesterovs_momentum=nesterov
    )
    parameters = comparison.graph.parameters()
    comparison.check(SGD(parameters, comparison.lr, momentum, nesterov=nesterov))


@each_network
@pytest.mark.parametrize("power_t", [0.1, 0.5])
def test_inverse_scaling_has_scikit_learns_training_curve(
    problem: str, activation: str, power_t: float
) -> None:
    """One step of the schedule an epoch; time counts samples."""
    comparison = Comparison(
        *(problem, activation, "sgd"),
        learning_rate="invscaling",
        power_t=power_t,
        momentum=0.0,
        nesterovs_momentum=False,
    )
    sgd = SGD(comparison.graph.parameters(), comparison.lr)
    schedule = InverseScaling(sgd, power_t, increment=len(comparison.loader.X))
    comparison.check(sgd, after_epoch=schedule.step)


@each_network
@pytest.mark.parametrize("nesterov", [False, True])
def test_inverse_scaling_with_momentum_has_it_once_the_velocity_is_in_its_units(
    problem: str, activation: str, nesterov: bool
) -> None:
    """Its velocity −γv keeps the γ of earlier steps, ours takes the new one: v is put right."""
    comparison = Comparison(
        *(problem, activation, "sgd"),
        learning_rate="invscaling",
        power_t=0.2,
        momentum=0.9,
        nesterovs_momentum=nesterov,
    )
    sgd = SGD(comparison.graph.parameters(), comparison.lr, 0.9, nesterov=nesterov)
    schedule = InverseScaling(sgd, 0.2, increment=len(comparison.loader.X))

    def after_epoch() -> None:
        before = sgd.lr
        schedule.step()
        for memory in sgd.memory.values():
            memory["velocity"] = before / sgd.lr * memory["velocity"]

    comparison.check(sgd, after_epoch=after_epoch)


@each_network
@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.8, 0.95)], ids=str)
def test_adam_has_scikit_learns_training_curve_with_its_epsilon(
    problem: str, activation: str, betas: tuple[float, float]
) -> None:
    """It adds ε to √v before the correction, PyTorch after it.

    γ √(1 − β₂ᵗ)/(1 − β₁ᵗ) · m/(√v + ε) is γ/(1 − β₁ᵗ) · m/(√(v/(1 − β₂ᵗ)) + ε′) with
    ε′ = ε/√(1 − β₂ᵗ), so that setting ε′ in each step makes the two rules the same. With ε in its
    place the curves differ by 1e-6 to 1e-3.
    """
    comparison = Comparison(
        *(problem, activation, "adam"), beta_1=betas[0], beta_2=betas[1], epsilon=1e-8
    )
    adam = Adam(comparison.graph.parameters(), comparison.lr, betas)
    steps = 0

    def set_epsilon() -> None:
        nonlocal steps
        steps += 1
        adam.eps = 1e-8 / math.sqrt(1 - betas[1] ** steps)

    comparison.check(adam, before_step=set_epsilon)


@each_network
@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.8, 0.95)], ids=str)
def test_adam_has_it_as_it_is_where_epsilon_is_too_small_to_matter(
    problem: str, activation: str, betas: tuple[float, float]
) -> None:
    comparison = Comparison(
        *(problem, activation, "adam"), beta_1=betas[0], beta_2=betas[1], epsilon=1e-18
    )
    comparison.check(Adam(comparison.graph.parameters(), comparison.lr, betas, eps=1e-18))
