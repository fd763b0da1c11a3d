"""gradcheck: slips that are rarer, and errors that a backward raises."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.special
from wrong_layers import Slips, X

import nnlite as nn
from nnlite.checking import GradcheckError, gradcheck

WRONG = Slips()
wrong = WRONG.looking_like


@wrong("the gradient was forgotten: backward returns None or zeros")
class Zeros(nn.Module):
    def forward(self, x: Any) -> Any:
        return np.tanh(x)

    def backward(self, grad: Any) -> Any:
        return np.zeros_like(grad)


@wrong(r"sum over the batch is missing: add \.sum\(axis=0, keepdims=True\)")
class RowNotSummed(nn.Module):
    """x + b, with b as a row."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(np.ones((1, 3)))

    def forward(self, x: Any) -> Any:
        return x + self.bias.value

    def backward(self, grad: Any) -> Any:
        self.bias.accumulate_grad(grad)
        return grad


@wrong("a reshape was not undone", X.reshape(5, 3, 1) * np.ones(2))
class Flattened(nn.Module):
    def forward(self, x: Any) -> Any:
        return np.reshape(x, (len(x), -1))

    def backward(self, grad: Any) -> Any:
        return grad


@wrong("the shape of something else")
class Cut(nn.Module):
    """All columns but one; the gradient of that one is left out, and not 0."""

    def forward(self, x: Any) -> Any:
        return x[:, 1:]

    def backward(self, grad: Any) -> Any:
        return grad


@wrong("handed on as it came")
class Signs(nn.Module):
    """A derivative of 0, with the gradient of the layer that is meant."""

    def forward(self, x: Any) -> Any:
        return np.sign(x)

    def backward(self, grad: Any) -> Any:
        return grad


@wrong("incoming gradient was multiplied in twice")
class SumOfSquares(nn.Module):
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return np.sum(x * x)

    def backward(self, grad: Any) -> Any:
        return 2 * grad * grad * self.saved[0]


@wrong("no slip that is known here")
class PowerForgotten(nn.Module):
    """A sum of cubes, with 3x in place of 3x²."""

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return np.sum(x**3)

    def backward(self, grad: Any) -> Any:
        return 3 * grad * self.saved[0]


@wrong("no slip that is known here", X[:3])
class WrongOrder(nn.Module):
    """tanh(x W), which goes back through Wᵀ first and through tanh then."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(np.random.default_rng(1).normal(size=(3, 3)))

    def forward(self, x: Any) -> Any:
        y = np.tanh(x @ self.weight.value)
        self.save_for_backward(x, y)
        return y

    def backward(self, grad: Any) -> Any:
        x, y = self.saved
        self.weight.accumulate_grad(x.T @ (grad * (1 - y * y)))
        return (grad @ self.weight.value.T) * (1 - y * y)


@wrong(r"wrong only in float32: a constant factor: it is 1\.0[01]")
class LessExactInFloat32(nn.Module):
    """A function of SciPy's, which has no dual numbers."""

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return scipy.special.erf(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        factor = 1 if x.dtype == np.float64 else 1.01
        return grad * (factor * 2 / np.pi**0.5) * np.exp(-x * x)


@wrong("the parameter is written in place")
class WeightDecayInForward(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(np.ones(3))

    def forward(self, x: Any) -> Any:
        self.gain.value = self.gain.value * 0.9
        self.save_for_backward(x)
        return x * self.gain.value

    def backward(self, grad: Any) -> Any:
        self.gain.accumulate_grad((grad * self.saved[0]).sum(axis=0))
        return grad * self.gain.value


MATRIX = scipy.linalg.lu_factor(np.eye(3) * 3 + X[:3])


@wrong("an input is written in place", np.array([1.0, 2.0, 3.0]))
class WrittenInC(nn.Module):
    """A⁻¹ b by a library that does not ask whether an array may be written to."""

    def forward(self, b: Any) -> Any:
        return scipy.linalg.lu_solve(MATRIX, b, overwrite_b=True)

    def backward(self, grad: Any) -> Any:
        return scipy.linalg.lu_solve(MATRIX, grad, trans=1)


@wrong("an error in jvp itself")
class JvpRaises(nn.Module):
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return scipy.special.erf(x)

    def backward(self, grad: Any) -> Any:
        return grad * (2 / np.pi**0.5) * np.exp(-(self.saved[0] ** 2))

    def jvp(self, tangent: Any) -> Any:
        raise ZeroDivisionError


@wrong("constant factor: it is 2 ", np.array([0.25, 1.0]))
class RootOfAProbability(nn.Module):
    """√p, of a p that is refused where it is above 1: at 1 no difference can be taken."""

    def forward(self, p: Any) -> Any:
        if isinstance(p, np.ndarray) and (p > 1).any():
            raise ValueError("not a probability")
        self.save_for_backward(p)
        return p**0.5

    def backward(self, grad: Any) -> Any:
        return grad * self.saved[0] ** -0.5


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("rng", [0, 1])
def test_a_wrong_layer_is_rejected_with_the_right_diagnosis(name: str, rng: int) -> None:
    case = WRONG[name]
    inputs = [np.copy(x) for x in case.inputs]
    with pytest.raises(GradcheckError) as caught:
        gradcheck(case.layer(), *inputs, rng=rng)
    assert re.search(case.looks_like, caught.value.looks_like), str(caught.value)
    assert name in caught.value.message


class Gain(nn.Module):
    """x·w, whose ``backward`` ends in an error."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.gain, self.error = nn.Parameter(np.ones(3)), error

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return x * self.gain.value

    def backward(self, grad: Any) -> Any:
        self.gain.accumulate_grad((grad * self.saved[0]).sum(axis=0))
        raise self.error


@pytest.mark.parametrize("error", [KeyError("factor"), TypeError("no number"), OSError("disk")])
def test_an_error_in_backward_is_told_and_not_taken_for_another(error: Exception) -> None:
    """Not for a gradient that is None, of which a TypeError may also come."""
    with pytest.raises(GradcheckError, match="an error in backward itself") as caught:
        gradcheck(Gain(error), X)
    assert f"backward raised {type(error).__name__}: {error}" in caught.value.message
    assert caught.value.__cause__ is not None


def test_what_is_allowed_may_be_said() -> None:
    class Nearly(nn.Module):
        def forward(self, x: Any) -> Any:
            self.save_for_backward(x)
            return x * x

        def backward(self, grad: Any) -> Any:
            return 2 * grad * self.saved[0] * (1 + 1e-6)

    assert gradcheck(Nearly(), X, rtol=1e-5)
    with pytest.raises(GradcheckError, match=r"it is 1\.000001 times"):
        gradcheck(Nearly(), X, rtol=1e-7)
