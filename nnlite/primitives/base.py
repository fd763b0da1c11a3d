"""What the modules for NumPy's functions share."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.module import Module
from nnlite.node import Node, Parameter


class Primitive(Module):
    """A module that stands for a NumPy function: no parameters, and nothing kept on itself."""

    def run(self, vertex: Node, values: Any) -> Any:
        self._vertex = vertex
        return self.forward(*values)

    def named_parameters(self) -> list[tuple[str, Parameter]]:
        return []

    def parameters(self) -> list[Parameter]:
        return []


def unbroadcast(grad: Any, shape: tuple[int, ...]) -> Any:
    """Sum `grad` over the axes that broadcasting added to, or stretched in, an array of `shape`."""
    if np.shape(grad) == shape:
        return grad
    added = np.ndim(grad) - len(shape)
    stretched = tuple(
        added + axis
        for axis, length in enumerate(shape)
        if length == 1 and np.shape(grad)[added + axis] != 1
    )
    if added or stretched:
        grad = np.sum(grad, axis=(*range(added), *stretched), keepdims=True)
    return np.reshape(grad, shape)
