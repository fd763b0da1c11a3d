"""Layers with a wrong backward: dtypes, state, randomness, indices, branches."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special
from wrong_layers import SQUARE, Affine, Gain, Slips, Square

import nnlite as nn

WRONG = Slips()
wrong = WRONG.looking_like


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
