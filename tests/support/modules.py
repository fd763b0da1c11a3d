"""Modules as users write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import nnlite as nn

A, B = np.array([1.0, 2.0]), np.array([5.0, 7.0])


class Scale(nn.Module):
    """y = gain * x, as in design.md."""

    def __init__(self, features: int, dtype: DTypeLike = np.float64) -> None:
        super().__init__()
        self.gain = nn.Parameter(np.full(features, 3, dtype))

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return x * self.gain.value

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        self.gain.accumulate_grad((grad * x).sum(axis=0))
        return grad * self.gain.value


class Square(nn.Module):
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return x * x

    def backward(self, grad: Any) -> Any:
        return 2 * grad * self.saved[0]


def assert_right_or_refused(compute: Callable[[], Any], exact: Any) -> None:
    try:
        got = compute()
    except (RuntimeError, TypeError):
        return
    np.testing.assert_array_equal(got, exact)


def at_two_vertices(module: nn.Module) -> nn.Graph:
    x, y = nn.Input("x", requires_grad=True), nn.Input("y", requires_grad=True)
    return nn.Graph([x, y], (module(x) + module(y)).sum())


def at_one_vertex(module: nn.Module) -> nn.Graph:
    x = nn.Input("x", requires_grad=True)
    return nn.Graph([x], module(x).sum())


class Affine(nn.Module):
    """gain * x + shift: a composite, reading one parameter by its value and one as it is."""

    def __init__(self) -> None:
        self.gain = nn.Parameter(np.array([2.0, 3.0]))
        self.shift = nn.Parameter(np.array([0.5, -0.5]))

    def forward(self, x: Any) -> Any:
        return self.gain.value * x + self.shift


class Net(nn.Module):
    """Two composites deep, with a regulariser on a submodule's parameter."""

    def __init__(self) -> None:
        self.linear = nn.Linear(2, 1, rng=0)
        self.affine = Affine()

    def forward(self, x: Any, t: Any) -> Any:
        y = nn.Sigmoid()(self.linear(self.affine(x)))
        return nn.MSE()(y, t) / 2 + 0.1 * nn.L2()(self.linear.weight)
