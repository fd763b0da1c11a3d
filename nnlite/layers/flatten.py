"""Flatten: images, or anything else with several axes, as rows of numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnlite.core.arguments import WHOLE, Checked
from nnlite.core.module import Module


class Flatten(Module, of="nnlite"):
    """Several neighbouring axes as one; the first, that of the batch, stays if nothing is said.

    Parameters
    ----------
    start_axis, end_axis : int
        The first and the last of the axes that become one; PyTorch's ``start_dim`` and
        ``end_dim``.

    Notes
    -----
    Shapes: (batch, ...) to (batch, product of the others); entries are read in C order.

    Raises
    ------
    ValueError
        If x has no such axes.

    Examples
    --------
    >>> Flatten()(np.zeros((2, 3, 4))).shape
    (2, 12)
    """

    start_axis = Checked(WHOLE)
    end_axis = Checked(WHOLE)

    def __init__(self, start_axis: int = 1, end_axis: int = -1) -> None:
        super().__init__()
        self.start_axis, self.end_axis = start_axis, end_axis

    def forward(self, x: Any) -> Any:
        shape = np.shape(x)
        ends = (self.start_axis, self.end_axis)
        if not all(-len(shape) <= axis < len(shape) for axis in ends):
            raise ValueError(
                f"{self!r}: x of shape {shape} has no axis "
                f"{max(ends)}; is the batch axis missing? For one sample pass x[None]"
            )
        start, end = (axis % len(shape) for axis in ends)
        if start > end:
            raise ValueError(
                f"{self!r}: of x of shape {shape}, axis {self.start_axis} comes after axis "
                f"{self.end_axis}"
            )
        self.save_for_backward(shape)
        joined = math.prod(shape[start : end + 1])
        return np.reshape(x, (*shape[:start], joined, *shape[end + 1 :]))

    def backward(self, grad: Any) -> Any:
        """∂f/∂x = ḡ in the shape of x."""
        (shape,) = self.saved
        return np.reshape(grad, shape)
