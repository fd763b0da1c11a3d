"""Parameters in one vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnlite.core.aligned import BYTES, aligned
from nnlite.core.node import Parameter


class Flat:
    """The values and gradients of parameters as parts of two vectors, written to in place.

    Compiling a graph makes one, so that a step of an optimiser is a few NumPy calls however many
    parameters there are.

    Parameters
    ----------
    parameters : sequence of Parameter
        Of one dtype. Their ``.value`` becomes a view of `theta`.

    Attributes
    ----------
    theta, grad : array, (size,)
        θ and ∂f/∂θ, one parameter after the other; each begins at a multiple of 64 bytes, and what
        is between them stays 0.
    values, grads : list of array
        The part of each parameter, in its shape.
    version : int
        How often `theta` has been written to.
    """

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self.parameters = list(parameters)
        dtypes = sorted({str(parameter.dtype) for parameter in self.parameters})
        if len(dtypes) > 1:
            raise TypeError(f"parameters of one dtype can share a vector, got {', '.join(dtypes)}")
        self.dtype = np.dtype(dtypes[0] if dtypes else np.float64)
        if self.dtype == np.float16:
            raise TypeError("parameters of float16 cannot share a vector; take float32")
        a_line = BYTES // self.dtype.itemsize
        lengths = [-(-parameter.size // a_line) * a_line for parameter in self.parameters]
        self._starts = np.cumsum([0, *lengths]).tolist()
        self.theta = self.joined([parameter.value for parameter in self.parameters])
        self.grad = self.empty()
        self.values = self.parts(self.theta)
        self.grads = self.parts(self.grad)
        self.version = 0
        self._parts = list(zip(self.parameters, self.values, self.grads))
        for parameter, value in zip(self.parameters, self.values):
            parameter.value, parameter.flat = value, self

    def __reduce__(self) -> Any:
        """A copy of a parameter stands alone: its value is no part of a copied vector."""
        return type(None), ()

    def parts(self, vector: Any) -> list[Any]:
        """The part of `vector` that belongs to each parameter, as a view in its shape."""
        return [
            vector[start : start + parameter.size].reshape(parameter.shape)
            for parameter, start in zip(self.parameters, self._starts)
        ]

    def empty(self) -> Any:
        """A vector like `theta`, of zeros."""
        return aligned(self._starts[-1], self.dtype)

    def joined(self, arrays: Sequence[Any]) -> Any:
        """A vector with an array for each parameter as its parts."""
        vector = self.empty()
        for part, array in zip(self.parts(vector), arrays):
            part[...] = array
        return vector

    def absorb(self) -> None:
        """Take up values that the parameters have been given since."""
        for parameter, value in zip(self.parameters, self.values):
            new = parameter.value
            if new is value:
                continue
            if np.shape(new) != value.shape or new.dtype != value.dtype:
                raise ValueError(
                    f"{parameter!r} was given {new.dtype}{list(np.shape(new))}; this graph was "
                    f"compiled for {value.dtype}{list(value.shape)}: compile it again"
                )
            value[...] = new
            parameter.value, parameter.flat = value, self
            self.version += 1

    def holds(self, parameters: Sequence[Parameter]) -> bool:
        """Whether these parameters' values and gradients are the parts, in this order."""
        if len(parameters) != len(self._parts):
            return False
        for parameter, (own, value, grad) in zip(parameters, self._parts):
            if parameter is not own or own.value is not value or own.grad is not grad:
                return False
        return True
