"""gradcheck: right layers of which not all can be checked, and the notes that say so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from right_layers import ErfWithJvp
from wrong_layers import X

import nnlite as nn
from nnlite.checking import gradcheck


class HalfSquare(nn.Module):
    """½x² above 0: its second derivative jumps where x is 0."""

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return np.where(x > 0, x * x / 2, 0)

    def backward(self, grad: Any) -> Any:
        return grad * np.maximum(self.saved[0], 0)


def test_a_second_derivative_with_a_kink_is_checked_nearby() -> None:
    at_kink, beside = np.array([0.0, 1.0, -2.0]), np.array([0.5, 1.0, -2.0])
    assert gradcheck(HalfSquare(), at_kink).notes == [
        "the second derivative has a kink here, and was checked nearby"
    ]
    assert gradcheck(HalfSquare(), beside).notes == []


class Erf(nn.Module):
    """SciPy's erf, called by a layer whose ``jvp`` is not NumPy code of dual numbers either."""

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return ErfWithJvp()(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        return grad * (2 / np.pi**0.5) * np.exp(-x * x)


def test_the_reference_of_each_derivative_is_exact_where_that_can_be() -> None:
    report = gradcheck(Erf(), X)
    assert report.exact
    assert report.checks["gradient of input x"].startswith("exact, from dual numbers")
    assert report.checks["second derivative, input x"].startswith("by central differences")


class Beyond(nn.Module):
    """max(x − 1, 0), with the derivative from the left at 1."""

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return np.maximum(x - 1, 0)

    def backward(self, grad: Any) -> Any:
        return np.where(self.saved[0] > 1, grad, 0)


@pytest.mark.parametrize("side", [-1e-9, 1e-9])
def test_a_kink_that_float32_rounds_to_is_none_in_float64(side: float) -> None:
    report = gradcheck(Beyond(), np.array([1 + side, 2.0, 0.5]))
    assert report.notes == ["input x is at a kink in float32"]
    assert "float32" in report.checks


class Centred(nn.Module):
    """relu(x − mean + b): where there is one sample it is relu(b), and b is 0."""

    def __init__(self) -> None:
        super().__init__()
        self.b = nn.Parameter(np.zeros(3))

    def forward(self, x: Any) -> Any:
        y = x - x.mean(axis=0) + self.b.value
        self.save_for_backward(y)
        return np.where(y > 0, y, 0)

    def backward(self, grad: Any) -> Any:
        passed = np.where(self.saved[0] >= 0, grad, 0)
        self.b.accumulate_grad(passed.sum(axis=0))
        return passed - passed.mean(axis=0)


def test_a_batch_of_one_may_have_a_kink_of_its_own_or_no_value() -> None:
    assert gradcheck(Centred(), X).notes == ["parameter b is at a kink for a batch of one"]
    assert gradcheck(lambda x: ((x - x.mean(axis=0)) ** 2).sum(axis=0) / (len(x) - 1), X).notes == [
        "a batch of one gives no finite value, so it was not checked"
    ]


def test_a_function_with_constants_of_float64_is_not_checked_in_float32() -> None:
    weights = np.array([1.0, 2.0, 3.0])
    report = gradcheck(lambda x: x * weights, X)
    assert report.notes == ["float32 was not checked: the function has constants of float64 in it"]
    assert "float32" not in report.checks


def test_arguments_without_a_name_of_their_own_are_numbered() -> None:
    report = gradcheck(lambda *factors: factors[0] * factors[1], X, X[::-1])
    assert {"gradient of input 0", "gradient of input 1"} <= set(report.checks)
