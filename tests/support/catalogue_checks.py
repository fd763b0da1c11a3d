"""The cases of the catalogue, and what their tests share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from catalogue import CASES
from numpy.typing import DTypeLike
from references import Case

import nnlite as nn
from nnlite.core.restoring import exchanged

EVERY = pytest.mark.parametrize("case", CASES, ids=str)


def cast(inputs: Sequence[np.ndarray], dtype: DTypeLike) -> tuple[np.ndarray, ...]:
    """The floats among the inputs in a dtype, as arrays that cannot be written to."""
    arrays = tuple([x.astype(dtype if is_float(x) else x.dtype) for x in inputs])
    for x in arrays:
        x.flags.writeable = False
    return arrays


def is_float(x: np.ndarray) -> bool:
    return x.dtype.kind == "f"


def weights_like(y: Any, seed: int = 1) -> Any:
    """A gradient of the output to start from."""
    weights = np.random.default_rng(seed).normal(size=np.shape(y)).astype(y.dtype)
    weights.flags.writeable = False
    return weights


def run(module: nn.Module, inputs: Sequence[np.ndarray]) -> tuple[Any, list[Any], list[Any]]:
    """The value at one vertex, and the gradients of the float inputs and of the parameters."""
    vertices = [nn.Input(f"x{i}", requires_grad=is_float(x)) for i, x in enumerate(inputs)]
    graph = nn.Graph(vertices, module(*vertices))
    value = graph(*inputs)
    module.zero_grad()
    graph.backward(weights_like(value))
    return (
        value,
        [vertex.grad for vertex in vertices if vertex.requires_grad],
        [parameter.grad for parameter in module.parameters()],
    )


class WithParameters(nn.Module, of=__name__):
    """A new module of a case whose parameters are inputs too: the first of them.

    It counts as nnlite's own, since what it keeps is a module that is used nowhere else.
    """

    def __init__(self, case: Case) -> None:
        self.module = case.module()
        self.owned = self.module.parameters()

    def forward(self, *values: Any) -> Any:
        count = len(self.owned)
        vertex = nn.Node._alone(self.needs_input_grad[count:])
        own = dict(zip(self.owned, values))
        self.save_for_backward(vertex, own)
        with exchanged(own):
            return self.module._forward_at(vertex, values[count:])

    def backward(self, grad: Any) -> Any:
        vertex, own = self.saved
        self.module.zero_grad()
        with exchanged(own), self.module.at(vertex):
            grads = self.module.backward(grad)
        return (
            *[parameter.grad for parameter in own],
            *(grads if isinstance(grads, tuple) else (grads,)),
        )

    def parameters(self) -> list[nn.Parameter]:
        return []


def of_floats(case: Case, inputs: Sequence[np.ndarray]) -> tuple[Callable[..., Any], list[Any]]:
    """The module as a function of its parameters and float inputs; and the values of these."""
    parameters = [parameter.value for parameter in case.module().parameters()]
    count = len(parameters)

    def function(*values: Any) -> Any:
        remaining = iter(values[count:])
        merged = [next(remaining) if is_float(x) else x for x in inputs]
        return WithParameters(case)(*values[:count], *merged)

    return function, [*parameters, *[x for x in inputs if is_float(x)]]


def assert_close(got: Any, expected: Any, tolerance: float) -> None:
    """`got` has the shape of what is expected, and its entries to a share of the largest."""
    assert np.shape(got) == np.shape(expected)
    scale = max(1.0, np.max(np.abs(expected), initial=0.0))
    assert np.max(np.abs(np.float64(got) - expected), initial=0.0) <= tolerance * scale
