"""Products of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.dispatch import rule
from nnlite.primitives.base import Primitive, unbroadcast


@rule(np.matmul)
class MatMul(Primitive):
    """A @ B: matrices in the last two axes, broadcast over the others; vectors count as NumPy's."""

    def forward(self, a: Any, b: Any) -> Any:
        self.save_for_backward(a, b)
        return np.matmul(a, b)

    def backward(self, grad: Any) -> Any:
        a, b = self.saved
        row, column = np.ndim(a) == 1, np.ndim(b) == 1
        A = np.expand_dims(a, 0) if row else a
        B = np.expand_dims(b, 1) if column else b
        if column:
            grad = np.expand_dims(grad, -1)
        if row:
            grad = np.expand_dims(grad, -2)
        needs_a, needs_b = self.needs_input_grad
        return (
            _shaped(grad @ np.swapaxes(B, -1, -2), A, a) if needs_a else None,
            _shaped(np.swapaxes(A, -1, -2) @ grad, B, b) if needs_b else None,
        )


def _shaped(grad: Any, matrix: Any, given: Any) -> Any:
    return np.reshape(unbroadcast(grad, np.shape(matrix)), np.shape(given))
