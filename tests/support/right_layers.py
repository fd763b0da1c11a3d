"""Layers that are right, some of them where it is hard to tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special
from wrong_layers import RNG, SQUARE, T, X

import nnlite as nn


class Erf(nn.Module):
    """SciPy's error function, with a right backward."""

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return scipy.special.erf(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        return grad * np.exp(-x * x) * 2 / np.pi**0.5


class ErfWithJvp(Erf):
    def forward(self, x: Any) -> Any:
        return super().forward(x)

    def backward(self, grad: Any) -> Any:
        return super().backward(grad)

    def jvp(self, tangent: Any) -> Any:
        return super().backward(tangent)


class ReLU(nn.Module):
    """max(0, x), with a slope at 0 of the user's choice."""

    def __init__(self, at_zero: float = 0.0) -> None:
        super().__init__()
        self.at_zero = at_zero

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return np.maximum(0, x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        return grad * np.where(x > 0, 1, np.where(x < 0, 0, self.at_zero)).astype(grad.dtype)


class MaxSharing(nn.Module):
    """The maximum of each row; equal entries share its gradient."""

    def forward(self, x: Any) -> Any:
        y = x.max(axis=1)
        self.save_for_backward(x, y)
        return y

    def backward(self, grad: Any) -> Any:
        x, y = self.saved
        mask = (x == y[:, None]).astype(x.dtype)
        return grad[:, None] * mask / mask.sum(axis=1, keepdims=True)


class MaxPicking(MaxSharing):
    """The maximum of each row; the last of equal entries gets its gradient."""

    def forward(self, x: Any) -> Any:
        return super().forward(x)

    def backward(self, grad: Any) -> Any:
        x, _ = self.saved
        last = x.shape[1] - 1 - np.argmax(x[:, ::-1], axis=1)
        return grad[:, None] * np.equal(last[:, None], np.arange(x.shape[1])).astype(x.dtype)


class Dropout(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rng = np.random.default_rng(3)

    def forward(self, x: Any) -> Any:
        mask = (self.rng.random(x.shape) < 0.5) * 2
        self.save_for_backward(mask)
        return x * mask.astype(x.dtype)

    def backward(self, grad: Any) -> Any:
        return grad * self.saved[0].astype(grad.dtype)


class Gather(nn.Module):
    """Rows of a table."""

    def forward(self, table: Any, rows: Any) -> Any:
        self.save_for_backward(table.shape[0], rows)
        return table[rows]

    def backward(self, grad: Any) -> Any:
        count, rows = self.saved
        chosen = np.equal(np.arange(count)[:, None], rows).astype(grad.dtype)
        return chosen @ grad, None


class Composite(nn.Module):
    """A network with a regulariser, without a backward of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.layers: list[Any] = [nn.Linear(3, 4, rng=0), nn.Sigmoid(), nn.Linear(4, 3, rng=1)]

    def forward(self, x: Any, t: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return nn.MSE()(x, t) / 2 + 0.1 * nn.L2()(self.layers[0].weight)


def quadratic(x: Any, a: Any) -> Any:
    return ((x @ a) ** 2).sum(axis=-1)


def seminar_graph() -> nn.Graph:
    x, t = nn.Input("x"), nn.Input("t")
    linear = nn.Linear(3, 3, rng=0)
    loss = nn.MSE()(nn.Sigmoid()(linear(x)), t) / 2 + 0.1 * nn.L2()(linear.weight)
    return nn.Graph([x, t], loss)


AT_ZERO = np.array([[-1.0, 0.0, 2.0], [0.0, 0.5, 0.0]])
TIED = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [0.0, 1.0, 0.5]])

RIGHT: dict[str, tuple[Callable[[], Any], tuple[Any, ...]]] = {
    "linear": (lambda: nn.Linear(3, 2, rng=0), (X,)),
    "linear without bias": (lambda: nn.Linear(3, 2, bias=False, rng=0), (X,)),
    "linear of float32": (lambda: nn.Linear(3, 2, rng=0, dtype=np.float32), (np.float32(X),)),
    "sigmoid": (nn.Sigmoid, (X,)),
    "mean squared error": (nn.MSE, (X, T)),
    "mean squared error of labels": (nn.MSE, (X, (T > 0).astype(int))),
    "l2": (nn.L2, (X,)),
    "composite": (Composite, (X, T)),
    "function": (lambda: quadratic, (X, RNG.normal(size=(3, 2)))),
    "lambda": (lambda: lambda x: np.sin(x) * x, (X,)),
    "sequential": (lambda: nn.Sequential(nn.Linear(3, 4, rng=0), nn.Sigmoid()), (X,)),
    "graph": (seminar_graph, (X, T)),
    "relu at 0": (ReLU, (AT_ZERO,)),
    "relu of slope 1 at 0": (lambda: ReLU(1.0), (AT_ZERO,)),
    "relu of slope ½ at 0": (lambda: ReLU(0.5), (AT_ZERO,)),
    "shared maximum": (MaxSharing, (TIED,)),
    "last maximum": (MaxPicking, (TIED,)),
    "scipy": (Erf, (X,)),
    "scipy with jvp": (ErfWithJvp, (X,)),
    "dropout": (Dropout, (X,)),
    "rows of a table": (Gather, (SQUARE, np.array([0, 2, 2, 1]))),
    "saturated": (nn.Sigmoid, (np.array([-1000.0, 0.0, 1000.0]),)),
    "one number": (nn.Sigmoid, (0.5,)),
}
