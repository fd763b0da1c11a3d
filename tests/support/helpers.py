"""What several test files share: the seminar's model, tolerances, and a limit on time."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike

import nnlite as nn

FLOATS = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])

ROUNDING = {np.dtype(np.float64): 1e-13, np.dtype(np.float32): 2e-6}
"""Issue 2's bounds on the distance from a closed form, relative to the largest entry."""


def assert_equal_to_rounding(got: Any, exact: Any, dtype: DTypeLike = np.float64) -> None:
    """`got` has the shape and dtype of the exact answer, and its entries to rounding."""
    assert got.dtype == dtype
    assert np.shape(got) == np.shape(exact)
    error = np.max(np.abs(np.float64(got) - exact), initial=0.0)
    assert error <= ROUNDING[np.dtype(dtype)] * np.max(np.abs(exact), initial=0.0)


@dataclass
class Seminar:
    """f(x, ω, b) = (σ(ωᵀx + b) − t)²/2 + λ·½‖ω‖², with every vertex at hand."""

    graph: nn.Graph
    linear: nn.Linear
    x: nn.Input
    t: nn.Input
    z: nn.Node
    y: nn.Node
    mse: nn.Node
    halved: nn.Node
    l2: nn.Node
    penalty: nn.Node


def seminar(
    features: int = 30, lam: Any = 0.1, dtype: DTypeLike = np.float64, wants_x: bool = True
) -> Seminar:
    x, t = nn.Input("x", requires_grad=wants_x), nn.Input("t")
    linear = nn.Linear(features, 1, dtype=dtype, rng=0)
    z = linear(x)
    y = nn.Sigmoid()(z)
    mse = nn.MSE()(y, t)
    halved = mse / 2
    l2 = nn.L2()(linear.weight)
    penalty = lam * l2
    graph = nn.Graph(inputs=[x, t], output=halved + penalty)
    return Seminar(graph, linear, x, t, z, y, mse, halved, l2, penalty)


def data(
    batch: int | None, features: int = 30, dtype: DTypeLike = np.float64, seed: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Standard normal samples with random classes; one sample without a batch axis for None."""
    rng = np.random.default_rng(seed)
    rows = () if batch is None else (batch,)
    X = rng.standard_normal((*rows, features)).astype(dtype)
    return X, rng.integers(0, 2, (*rows, 1)).astype(dtype)


def gradient_of(module: Callable[..., Any], *values: Any) -> Any:
    """∂/∂inputs of the sum of `module`'s output, standing at one vertex."""
    inputs = [nn.Input(f"x{i}", requires_grad=True) for i in range(len(values))]
    graph = nn.Graph(inputs, module(*inputs).sum())
    graph(*values)
    return graph.backward()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Interrupt what takes longer, so that quadratic work fails instead of hanging the tests."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"took longer than {seconds} s")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
