"""Layers with a wrong backward: sums forgotten, and gradients lost, exchanged or written over."""

from __future__ import annotations

from typing import Any

from wrong_layers import RNG, Affine, Gain, Slips, Square, T, X

import nnlite as nn

WRONG = Slips()
wrong = WRONG.looking_like


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
