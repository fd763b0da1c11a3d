"""Layers with a wrong backward, of the kind that people really write: wrong factors and products.

Each is at fault in one place; `WRONG`, of three files, says what `nn.gradcheck` has to recognise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import nnlite as nn

RNG = np.random.default_rng(7)


X = RNG.normal(size=(5, 3))


T = RNG.normal(size=(5, 3))


SQUARE = RNG.normal(size=(4, 3))


@dataclass
class Wrong:
    """A layer, what to run it on, and a regular expression for what it looks like."""

    layer: Callable[[], Any]
    inputs: tuple[Any, ...]
    looks_like: str


class Slips(dict[str, Wrong]):
    """Layers with a slip, by name."""

    def looking_like(self, looks_like: str, *inputs: Any) -> Callable[[type], type]:
        def register(layer: type) -> type:
            self[layer.__name__] = Wrong(layer, inputs or (X,), looks_like)
            return layer

        return register


WRONG = Slips()
wrong = WRONG.looking_like


class Square(nn.Module):
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return x * x


class Affine(nn.Module):
    """x W + b with a square W."""

    def __init__(self) -> None:
        super().__init__()
        rng = np.random.default_rng(1)
        self.weight = nn.Parameter(rng.normal(size=(3, 3)))
        self.bias = nn.Parameter(rng.normal(size=3))

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return x @ self.weight.value + self.bias.value


class Gain(nn.Module):
    """x · gain."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(np.array([0.5, 2.0, -1.5]))

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return x * self.gain.value


class Loss(nn.Module):
    """The mean of the squares of y − t."""

    def forward(self, y: Any, t: Any) -> Any:
        self.save_for_backward(y - t)
        d = y - t
        return (d * d).mean()


@wrong("^the sign is flipped")
class SignFlipped(nn.Module):
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return np.cos(x)

    def backward(self, grad: Any) -> Any:
        return grad * np.sin(self.saved[0])


@wrong("^the sign is flipped", X, T)
class SignOfTheTargetForgotten(Loss):
    def forward(self, y: Any, t: Any) -> Any:
        return super().forward(y, t)

    def backward(self, grad: Any) -> Any:
        dy = grad * 2 * self.saved[0] / self.saved[0].size
        return dy, dy


@wrong(r"constant factor: it is 0\.5 \(½\)")
class HalfOfIt(Square):
    def forward(self, x: Any) -> Any:
        return super().forward(x)

    def backward(self, grad: Any) -> Any:
        return grad * self.saved[0]


@wrong("constant factor: it is 2 times")
class TwiceIt(Square):
    def forward(self, x: Any) -> Any:
        return super().forward(x) / 2

    def backward(self, grad: Any) -> Any:
        return 2 * grad * self.saved[0]


@wrong(r"constant factor: it is 5 \(the batch size", X, T)
class BatchSizeForgotten(nn.Module):
    def forward(self, y: Any, t: Any) -> Any:
        self.save_for_backward(y - t)
        return ((y - t) ** 2).sum() / len(y)

    def backward(self, grad: Any) -> Any:
        d = 2 * grad * self.saved[0]
        return d, -d


@wrong(r"constant factor: it is 0\.2 \(1/the batch size")
class DividedByTheBatchSize(Affine):
    def forward(self, x: Any) -> Any:
        return super().forward(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        self.weight.accumulate_grad(x.T @ grad / len(x))
        self.bias.accumulate_grad(grad.mean(axis=0))
        return grad @ self.weight.value.T


@wrong(r"constant factor: it is 15 \(the number of its entries")
class MeanTakenForSum(nn.Module):
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return (x * x).mean()

    def backward(self, grad: Any) -> Any:
        return 2 * grad * self.saved[0]


@wrong("constant factor: it is 2 times")
class AccumulatedTwice(Gain):
    def forward(self, x: Any) -> Any:
        return super().forward(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        for _ in range(2):
            self.gain.accumulate_grad((grad * x).sum(axis=0))
        return grad * self.gain.value


@wrong("transposed")
class WeightGradientTransposed(Affine):
    def forward(self, x: Any) -> Any:
        return super().forward(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        self.weight.accumulate_grad(grad.T @ x)
        self.bias.accumulate_grad(grad.sum(axis=0))
        return grad @ self.weight.value.T


@wrong("transposed")
class WeightGradientTransposedNotSquare(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(np.random.default_rng(2).normal(size=(3, 2)))

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return x @ self.weight.value

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        self.weight.accumulate_grad(grad.T @ x)
        return grad @ self.weight.value.T


@wrong("transposition is missing")
class ProductWithoutTransposition(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(np.random.default_rng(2).normal(size=(3, 2)))

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return x @ self.weight.value

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        self.weight.accumulate_grad(x @ grad)
        return grad @ self.weight.value.T


@wrong("multiplied by parameter weight, which should be transposed")
class WeightNotTransposed(Affine):
    def forward(self, x: Any) -> Any:
        return super().forward(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        self.weight.accumulate_grad(x.T @ grad)
        self.bias.accumulate_grad(grad.sum(axis=0))
        return grad @ self.weight.value


@wrong("incoming gradient was not multiplied in")
class IncomingGradientForgotten(nn.Module):
    def forward(self, x: Any) -> Any:
        y = np.tanh(x)
        self.save_for_backward(y)
        return y

    def backward(self, grad: Any) -> Any:
        (y,) = self.saved
        return 1 - y * y


@wrong("incoming gradient was not multiplied in", X, T)
class IncomingGradientOfALossForgotten(Loss):
    def forward(self, y: Any, t: Any) -> Any:
        return super().forward(y, t)

    def backward(self, grad: Any) -> Any:
        (d,) = self.saved
        return 2 * d / d.size, -2 * d / d.size


@wrong("incoming gradient was multiplied in twice")
class IncomingGradientTwice(Gain):
    def forward(self, x: Any) -> Any:
        return super().forward(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        scaled = grad * self.gain.value
        self.gain.accumulate_grad((grad * x).sum(axis=0))
        return scaled * grad


@wrong("handed on as it came")
class InnerDerivativeForgotten(nn.Module):
    def forward(self, x: Any) -> Any:
        return np.tanh(x)

    def backward(self, grad: Any) -> Any:
        return grad
