"""Layers with a wrong backward, of the kind that people really write, and layers that are right.

Each is at fault in one place; `WRONG` says what `nn.gradcheck` has to recognise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.special

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


WRONG: dict[str, Wrong] = {}


def wrong(looks_like: str, *inputs: Any) -> Callable[[type], type]:
    def register(layer: type) -> type:
        WRONG[layer.__name__] = Wrong(layer, inputs or (X,), looks_like)
        return layer

    return register


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


@wrong(r"sum over the batch is missing: add \.sum\(axis=0\)")
class BiasNotSummed(Affine):
    def forward(self, x: Any) -> Any:
        return super().forward(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        self.weight.accumulate_grad(x.T @ grad)
        self.bias.accumulate_grad(grad)
        return grad @ self.weight.value.T


@wrong("only sample 0 was counted: the sum over the batch is missing")
class BiasOfTheFirstSample(Affine):
    def forward(self, x: Any) -> Any:
        return super().forward(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        self.weight.accumulate_grad(x.T @ grad)
        self.bias.accumulate_grad(grad[0])
        return grad @ self.weight.value.T


@wrong("summed over too many axes")
class BiasSummedOverEverything(Affine):
    def forward(self, x: Any) -> Any:
        return super().forward(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        self.weight.accumulate_grad(x.T @ grad)
        self.bias.accumulate_grad(grad.sum())
        return grad @ self.weight.value.T


@wrong("broadcast was not undone", X, RNG.normal(size=3))
class BroadcastNotUndone(nn.Module):
    def forward(self, x: Any, row: Any) -> Any:
        self.save_for_backward(x, row)
        return x[None] * row

    def backward(self, grad: Any) -> Any:
        x, row = self.saved
        return (grad * row)[0], grad * x


@wrong("broadcast was not undone", X, RNG.normal(size=(5, 1)))
class StretchNotUndone(nn.Module):
    def forward(self, x: Any, column: Any) -> Any:
        self.save_for_backward(x, column)
        return x * column

    def backward(self, grad: Any) -> Any:
        x, column = self.saved
        return grad * column, grad * x


@wrong("parameter's gradient is overwritten, not accumulated")
class ParameterOverwritten(Gain):
    def forward(self, x: Any) -> Any:
        return super().forward(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        self.gain.grad = (grad * x).sum(axis=0)
        return grad * self.gain.value


@wrong("added to while it is None")
class ParameterAddedToNone(Gain):
    def forward(self, x: Any) -> Any:
        return super().forward(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        self.gain.grad += (grad * x).sum(axis=0)
        return grad * self.gain.value


@wrong("parameter's gradient was forgotten")
class ParameterForgotten(Gain):
    def forward(self, x: Any) -> Any:
        return super().forward(x)

    def backward(self, grad: Any) -> Any:
        return grad * self.gain.value


@wrong("gradient is forgotten", X, T)
class SecondInputForgotten(nn.Module):
    def forward(self, a: Any, b: Any) -> Any:
        self.save_for_backward(a, b)
        return a * b

    def backward(self, grad: Any) -> Any:
        return grad * self.saved[1]


@wrong("swapped", X, T)
class GradientsSwapped(nn.Module):
    def forward(self, a: Any, b: Any) -> Any:
        self.save_for_backward(a, b)
        return a * b

    def backward(self, grad: Any) -> Any:
        a, b = self.saved
        return grad * a, grad * b


@wrong("returns None")
class ReturnForgotten(Square):
    def forward(self, x: Any) -> Any:
        return super().forward(x)

    def backward(self, grad: Any) -> Any:
        2 * grad * self.saved[0]


@wrong(r"state is kept on the module \(self\.x\)")
class StateOnTheModule(nn.Module):
    def forward(self, x: Any) -> Any:
        self.x = x
        return x * x

    def backward(self, grad: Any) -> Any:
        return 2 * grad * self.x


@wrong("input is written in place")
class InputWritten(nn.Module):
    def forward(self, x: Any) -> Any:
        mask = x < 0
        self.save_for_backward(mask)
        x[mask] = 0
        return x

    def backward(self, grad: Any) -> Any:
        return np.where(self.saved[0], 0, grad)


@wrong("saved array is changed in place")
class SavedArrayChanged(nn.Module):
    def forward(self, x: Any) -> Any:
        y = np.exp(x)
        self.save_for_backward(y)
        return y + 0

    def backward(self, grad: Any) -> Any:
        (y,) = self.saved
        y *= grad
        return y


@wrong("incoming gradient is written in place")
class IncomingGradientWritten(nn.Module):
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return np.maximum(0, x)

    def backward(self, grad: Any) -> Any:
        grad[self.saved[0] < 0] = 0
        return grad


@wrong("wrong only in float32: it is not finite", np.array([[95.0, 93.0, 92.5], [1.0, 2.0, 99.0]]))
class SoftmaxOverflowsInFloat32(nn.Module):
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        m = x.max(axis=1, keepdims=True)
        return np.log(np.exp(x - m).sum(axis=1)) + m[:, 0]

    def backward(self, grad: Any) -> Any:
        e = np.exp(self.saved[0])
        return grad[:, None] * e / e.sum(axis=1, keepdims=True)


@wrong("wrong only in float32: a NumPy scalar or array of another dtype in forward")
class DtypeChanges(nn.Module):
    def forward(self, x: Any) -> Any:
        return x * np.sqrt(np.float64(2))

    def backward(self, grad: Any) -> Any:
        return grad * 2**0.5


@wrong("wrong only in float32: a NumPy scalar or array of another dtype in backward")
class DtypeChangesInBackward(nn.Module):
    def forward(self, x: Any) -> Any:
        return x * 2**0.5

    def backward(self, grad: Any) -> Any:
        return grad * np.sqrt(np.float64(2))


@wrong("wrong only for a batch of one")
class SqueezedBatchOfOne(Affine):
    def forward(self, x: Any) -> Any:
        return super().forward(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        x, g = np.squeeze(x), np.squeeze(grad)
        self.weight.accumulate_grad(x.T @ g)
        self.bias.accumulate_grad(grad.sum(axis=0))
        return grad @ self.weight.value.T


@wrong("wrong only for a batch of one: .*not finite")
class VarianceOfABatchOfOne(nn.Module):
    """Centred columns; the gradient is put together from unbiased estimates."""

    def forward(self, x: Any) -> Any:
        return x - x.mean(axis=0)

    def backward(self, grad: Any) -> Any:
        n = len(grad)
        return (grad - grad.mean(axis=0)) * ((n - 1) / np.float64(n - 1)).astype(grad.dtype)


@wrong("first derivative is right and the second wrong")
class CutOffFromItsInput(Square):
    """Somebody made the saved array plain, so that it would work in C."""

    def forward(self, x: Any) -> Any:
        super().forward(getattr(x, "primal", x))
        return x * x * x

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        return 3 * grad * x * x


class Sech2(nn.Module):
    """A helper whose own derivative is wrong."""

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return 1 / np.cosh(x) ** 2

    def backward(self, grad: Any) -> Any:
        raise NotImplementedError

    def jvp(self, tangent: Any) -> Any:
        (x,) = self.saved
        return -tangent * np.tanh(x) / np.cosh(x) ** 2


@wrong("first derivative is right and the second wrong")
class HelperWithWrongJvp(nn.Module):
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return np.tanh(x)

    def backward(self, grad: Any) -> Any:
        return grad * Sech2()(self.saved[0])


@wrong("random mask is redrawn in backward")
class MaskRedrawn(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rng = np.random.default_rng(3)

    def forward(self, x: Any) -> Any:
        return x * (self.rng.random(x.shape) < 0.5) * 2.0

    def backward(self, grad: Any) -> Any:
        return grad * (self.rng.random(grad.shape) < 0.5) * 2.0


@wrong("random numbers from outside of the module")
class GlobalRandomness(nn.Module):
    def forward(self, x: Any) -> Any:
        mask = np.random.default_rng().random(x.shape) < 0.5
        self.save_for_backward(mask)
        return x * mask

    def backward(self, grad: Any) -> Any:
        return grad * self.saved[0]


@wrong("scale of the mask|constant factor: it is 0.5")
class DropoutScaleForgotten(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rng = np.random.default_rng(3)

    def forward(self, x: Any) -> Any:
        mask = self.rng.random(x.shape) < 0.5
        self.save_for_backward(mask)
        return x * mask / 0.5

    def backward(self, grad: Any) -> Any:
        return grad * self.saved[0]


@wrong("Python float")
class PythonFloat(Square):
    def forward(self, x: Any) -> Any:
        return float(super().forward(x).sum())

    def backward(self, grad: Any) -> Any:
        return 2 * grad * self.saved[0]


@wrong("save_for_backward.* was forgotten")
class NothingSaved(nn.Module):
    def forward(self, x: Any) -> Any:
        return x * x

    def backward(self, grad: Any) -> Any:
        return 2 * grad * self.saved[0]


@wrong("index that occurs twice|right in .* entries", SQUARE, np.array([0, 2, 2, 1]))
class IndexOccursTwice(nn.Module):
    def forward(self, table: Any, rows: Any) -> Any:
        self.save_for_backward(table.shape, rows)
        return table[rows]

    def backward(self, grad: Any) -> Any:
        shape, rows = self.saved
        full = np.zeros(shape, grad.dtype)
        full[rows] = grad
        return full, None


@wrong("right in .* entries: a wrong branch")
class WrongBranch(nn.Module):
    """The slope of a leaky relu is forgotten."""

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return np.where(x > 0, x, 0.1 * x)

    def backward(self, grad: Any) -> Any:
        return np.where(self.saved[0] > 0, grad, 0.0)


@wrong("not finite", np.array([[0.0, 1.0], [2.0, -3.0]]))
class DivisionByZero(Square):
    def forward(self, x: Any) -> Any:
        return super().forward(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        return 2 * grad * x * x / x


@wrong("no slip that is known here")
class SoftmaxWithoutItsOffDiagonal(nn.Module):
    def forward(self, x: Any) -> Any:
        e = np.exp(x - x.max(axis=1, keepdims=True))
        y = e / e.sum(axis=1, keepdims=True)
        self.save_for_backward(y)
        return y

    def backward(self, grad: Any) -> Any:
        (y,) = self.saved
        return grad * y * (1 - y)


@wrong("backward is right and jvp is not: the sign is flipped")
class JvpWithWrongSign(nn.Module):
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return np.sin(x)

    def backward(self, grad: Any) -> Any:
        return grad * np.cos(self.saved[0])

    def jvp(self, tangent: Any) -> Any:
        return -tangent * np.cos(self.saved[0])


@wrong("no slip that is known here|right in .* entries", np.array([-1.0, 0.0, 2.0]))
class BeyondTheKink(nn.Module):
    """relu whose slope at 0 is 2, outside of what lies between both sides."""

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return np.maximum(0, x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        return grad * (x > 0) + 2.0 * grad * (x == 0)


@wrong(r"sign is flipped|constant factor")
class WrongSpecialFunction(nn.Module):
    """The forward is SciPy's, so central differences must find it."""

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return scipy.special.erf(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        return -grad * np.exp(-x * x) * 2 / np.pi**0.5


@wrong("only if self.needs_input_grad")
class NeedsInputGradMisread(Gain):
    def forward(self, x: Any) -> Any:
        return super().forward(x)

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        if not self.needs_input_grad[0]:
            return None
        self.gain.accumulate_grad((grad * x).sum(axis=0))
        return grad * self.gain.value


@wrong("a list is returned; return a tuple")
class ListReturned(Square):
    def forward(self, x: Any) -> Any:
        return super().forward(x)

    def backward(self, grad: Any) -> Any:
        return [2 * grad * self.saved[0]]


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
        self.layers = [nn.Linear(3, 4, rng=0), nn.Sigmoid(), nn.Linear(4, 3, rng=1)]

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
