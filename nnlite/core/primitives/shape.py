"""Functions that give the same entries another shape, or another order of axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnlite.core.primitives.base import LinearMap, sum_to_shape
from nnlite.core.rules import RULES, rule

Function = Callable[..., Any]


class Rearranged(LinearMap):
    """A linear NumPy function of one array, such as one that moves entries, with its arguments."""

    def __init__(self, function: Function, *args: Any, **kwargs: Any) -> None:
        self.function = function
        self.args = args
        self.kwargs = kwargs

    @property
    def label(self) -> str:
        return self.function.__name__

    def linear(self, x: Any) -> Any:
        return self.function(x, *self.args, **self.kwargs)

    def __repr__(self) -> str:
        given = [repr(arg) for arg in self.args] + [f"{k}={v!r}" for k, v in self.kwargs.items()]
        return f"{self.label}({', '.join(given)})"


class Transposable(Rearranged):
    """A linear NumPy function of one array, with a function for its transposed.

    That takes the gradient, the shape of the array, and the other arguments.
    """

    def __init__(self, function: Function, transpose: Function, *args: Any, **kwargs: Any) -> None:
        super().__init__(function, *args, **kwargs)
        self.transpose = transpose

    def transposed(self, grad: Any, shape: tuple[int, ...]) -> Any:
        return self.transpose(grad, shape, *self.args, **self.kwargs)


def transposed(*functions: Function) -> Callable[[Function], Function]:
    """Say what the transposed of linear NumPy functions is; see `Transposable`."""

    def register(transpose: Function) -> Function:
        for function in functions:

            def call(x: Any, *args: Any, _function: Function = function, **kwargs: Any) -> Any:
                return Transposable(_function, transpose, *args, **kwargs)(x)

            RULES[function] = call
        return transpose

    return register


class Reshape(Rearranged):
    """The same entries, read in C order, in another shape."""

    def __init__(self, function: Function, *args: Any, **kwargs: Any) -> None:
        super().__init__(function, *args, **kwargs)
        orders = [item for item in (*args, *kwargs.values()) if isinstance(item, str)]
        if orders not in ([], ["C"]):
            raise NotImplementedError(
                f"np.{self.label}: only order='C' has a derivative rule, got {orders[0]!r}; "
                "transpose before and after"
            )

    def transposed(self, grad: Any, shape: tuple[int, ...]) -> Any:
        return np.reshape(grad, shape)


class Permute(Rearranged):
    """The same entries with the axes in another order."""

    def transposed(self, grad: Any, shape: tuple[int, ...]) -> Any:
        order = self.order(len(shape))
        return np.transpose(grad, tuple(sorted(range(len(order)), key=order.__getitem__)))

    def order(self, ndim: int) -> tuple[int, ...]:
        """Which axis of the argument each axis of the result was."""
        # An array whose axis i has length i shows in its shape where each axis went.
        shape: tuple[int, ...] = self.linear(np.empty(tuple(range(ndim)))).shape
        return shape


class BroadcastTo(Rearranged):
    """The same entries, repeated along the axes that are new or were of length 1."""

    def transposed(self, grad: Any, shape: tuple[int, ...]) -> Any:
        return sum_to_shape(grad, shape)


class Identity(Rearranged):
    """The entries as they are: a copy."""

    def transposed(self, grad: Any, shape: tuple[int, ...]) -> Any:
        return grad


def _rules(kind: type[Rearranged], *functions: Function) -> None:
    for function in functions:

        def call(x: Any, *args: Any, _function: Function = function, **kwargs: Any) -> Any:
            return kind(_function, *args, **kwargs)(x)

        RULES[function] = call


_rules(Reshape, np.reshape, np.ravel, np.expand_dims, np.squeeze)
_rules(Permute, np.transpose, np.matrix_transpose, np.swapaxes, np.moveaxis, np.rollaxis)
_rules(BroadcastTo, np.broadcast_to)
_rules(Identity, np.copy)


def _each(function: Function) -> Function:
    def call(*arrays: Any) -> Any:
        reshaped = [Reshape(function)(x) for x in arrays]
        return reshaped[0] if len(reshaped) == 1 else tuple(reshaped)

    return call


for _function in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
    RULES[_function] = _each(_function)


@rule(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    """The arrays, each broadcast to the shape of all."""
    shape = np.broadcast_shapes(*[np.shape(x) for x in args])
    return tuple([np.broadcast_to(x, shape) for x in args])


@rule(np.meshgrid)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    """Vectors as the coordinates of a grid."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"np.meshgrid: indexing is 'xy' or 'ij', got {indexing!r}")
    n = len(xi)
    axes = list(range(n))
    if indexing == "xy" and n > 1:
        axes[:2] = [1, 0]
    grid = [np.reshape(x, [-1 if i == axis else 1 for i in range(n)]) for x, axis in zip(xi, axes)]
    return tuple(grid) if sparse else np.broadcast_arrays(*grid)
