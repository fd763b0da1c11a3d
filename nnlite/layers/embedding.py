"""Embedding: a learned vector for every word, or anything else that has a number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nnlite.core.arguments import FLOATING, SIZE, Checked
from nnlite.core.module import Module
from nnlite.core.primitives.checked import checked
from nnlite.core.primitives.indexing import scatter
from nnlite.layers.init import normal
from nnlite.layers.weights import Initializer, initial


class Embedding(Module, of="nnlite"):
    """Row i of a matrix for every index i.

    Parameters
    ----------
    num_embeddings : int
        The number of rows: indices are from 0 to ``num_embeddings - 1``.
    embedding_dim : int
        The length of a row.
    init : callable, optional
        What the weight begins with, such as ``nn.init.uniform``; standard normal, as in PyTorch,
        if left out.
    dtype : dtype
        Of the weight; a floating dtype.
    rng : numpy.random.Generator or int, optional
        Where the initial values come from.

    Attributes
    ----------
    weight : Parameter, (num_embeddings, embedding_dim)

    Notes
    -----
    Shapes: indices (...), the result (..., embedding_dim), of the dtype of the weight. The
    gradient of a row is the sum over the places where its index stands; indices have none.
    PyTorch's ``padding_idx`` and ``max_norm`` are not there.

    Raises
    ------
    TypeError
        If the indices are not integers.
    IndexError
        If an index is below 0 or beyond the last row.

    Examples
    --------
    >>> embedding = Embedding(3, 2, rng=0)
    >>> embedding.weight.value = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    >>> embedding(np.array([2, 0]))
    array([[4., 5.],
           [0., 1.]])
    """

    num_embeddings = Checked(SIZE)
    embedding_dim = Checked(SIZE)

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        init: Initializer = normal,
        dtype: DTypeLike = np.float64,
        rng: np.random.Generator | int | None = None,
    ) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        shape = (self.num_embeddings, self.embedding_dim)
        dtype = FLOATING.of(self, "dtype", dtype)
        self.weight = initial(self, init, shape, dtype, np.random.default_rng(rng))

    def forward(self, indices: Any) -> Any:
        if indices.dtype.kind not in "iu":
            raise TypeError(
                f"{self!r}: indices are integers, got dtype {indices.dtype}; are they one-hot? "
                "Then pass x.argmax(axis=-1)"
            )
        indices = checked(self._check_range, indices)
        self.save_for_backward(indices)
        return np.take(self.weight.value, indices, axis=0)

    def backward(self, grad: Any) -> Any:
        """∂f/∂W: to row i is added ḡ of each place where i stands; indices have none."""
        (indices,) = self.saved
        shape = (self.num_embeddings, self.embedding_dim)
        self.weight.accumulate_grad(scatter(grad, (indices,), shape))
        return None

    def _check_range(self, indices: Any) -> None:
        wrong = indices[(indices < 0) | (indices >= self.num_embeddings)]
        if wrong.size:
            raise IndexError(
                f"{self!r}: an index is from 0 to {self.num_embeddings - 1}, got {wrong[0]}"
            )
