"""Parameters as one vector θ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nnlite.core.node import Parameter

BYTES = 64  # a cache line, and a register of AVX-512


class Packing:
    """Where the part of each parameter is in a vector: one after the other, in their order.

    Parameters
    ----------
    parameters : sequence of Parameter
    multiple : int
        Each part begins at a multiple of so many entries.

    Attributes
    ----------
    size : int
        Of the vector.
    """

    def __init__(self, parameters: Sequence[Parameter], multiple: int = 1) -> None:
        self.parameters = list(parameters)
        lengths = [-(-parameter.size // multiple) * multiple for parameter in self.parameters]
        *self._starts, self.size = np.cumsum([0, *lengths]).tolist()

    def parts(self, vector: Any) -> list[Any]:
        """The part of `vector` that belongs to each parameter, as a view in its shape."""
        return [
            vector[start : start + parameter.size].reshape(parameter.shape)
            for parameter, start in zip(self.parameters, self._starts)
        ]

    def fill(self, vector: Any, arrays: Sequence[Any]) -> Any:
        """`vector`, with an array for each parameter written into its part."""
        for part, array in zip(self.parts(vector), arrays):
            part[...] = array
        return vector


class Vector(Packing):
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
        dtypes = sorted({str(parameter.dtype) for parameter in parameters})
        if len(dtypes) > 1:
            raise TypeError(f"parameters of one dtype can share a vector, got {', '.join(dtypes)}")
        self.dtype = np.dtype(dtypes[0] if dtypes else np.float64)
        if self.dtype == np.float16:
            raise TypeError("parameters of float16 cannot share a vector; take float32")
        super().__init__(parameters, BYTES // self.dtype.itemsize)
        self.theta = self.joined([parameter.value for parameter in self.parameters])
        self.grad = aligned(self.size, self.dtype)
        self.values = self.parts(self.theta)
        self.grads = self.parts(self.grad)
        self.version = 0
        self._parts = list(zip(self.parameters, self.values, self.grads))
        for parameter, value in zip(self.parameters, self.values):
            parameter.value, parameter._vector = value, self

    def __reduce__(self) -> Any:
        """A copy of a parameter stands alone: its value is no part of a copied vector."""
        return type(None), ()

    def joined(self, arrays: Sequence[Any]) -> Any:
        """A vector like `theta`, with an array for each parameter as its parts."""
        return self.fill(aligned(self.size, self.dtype), arrays)

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
            parameter.value, parameter._vector = value, self
            self.version += 1

    def holds(self, parameters: Sequence[Parameter]) -> bool:
        """Whether these parameters' values and gradients are the parts, in this order."""
        if len(parameters) != len(self._parts):
            return False
        for parameter, (own, value, grad) in zip(parameters, self._parts):
            if parameter is not own or own.value is not value or own.grad is not grad:
                return False
        return True


def aligned(size: int, dtype: DTypeLike) -> Any:
    """A vector of `size` zeros at an address that is a multiple of 64.

    NumPy's own arrays start at multiples of 16; where they are in the processor's cache, adding
    two takes about twice as long.
    """
    length = size * np.dtype(dtype).itemsize
    memory = np.zeros(length + BYTES, np.uint8)
    start = -memory.ctypes.data % BYTES
    return memory[start : start + length].view(dtype)
