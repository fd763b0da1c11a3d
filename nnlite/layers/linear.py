"""The affine layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nnlite.core.arguments import FLAG, FLOATING, SIZE
from nnlite.core.module import Module
from nnlite.layers.weights import Initializer, check_dtype, initial, uniform_in


class Linear(Module, of="nnlite"):
    """z = x W + b, the seminar's ωᵀx + b for every row x of a batch.

    Parameters
    ----------
    in_features, out_features : int
        Sizes of a row of x and of a row of z, at least 1.
    bias : bool
        Whether b is added.
    init : callable, optional
        What the weight begins with, such as ``nn.init.he_normal``; uniform in ±1/√in_features, as
        in PyTorch's ``nn.Linear``, if left out. The bias begins so in any case.
    dtype : dtype
        Of weight and bias; a floating dtype.
    rng : numpy.random.Generator or int, optional
        Where the initial values come from.

    Attributes
    ----------
    weight : Parameter, (in_features, out_features)
        W; the transpose of PyTorch's.
    bias : Parameter, (out_features,), or None

    Notes
    -----
    Shapes: x (..., in_features), z (..., out_features); x has the dtype of the weight.
    With ḡ = ∂f/∂z: ∂f/∂x = ḡ Wᵀ, ∂f/∂W = xᵀ ḡ, ∂f/∂b = Σ ḡ over the batch.

    Examples
    --------
    >>> linear = Linear(2, 1, rng=0)
    >>> linear.weight.value = np.array([[2.0], [3.0]])
    >>> linear.bias.value = np.array([1.0])
    >>> linear(np.array([[1.0, 1.0], [0.0, 2.0]]))
    array([[6.],
           [7.]])
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        init: Initializer | None = None,
        dtype: DTypeLike = np.float64,
        rng: np.random.Generator | int | None = None,
    ) -> None:
        super().__init__()
        n = SIZE.of(self, "in_features", in_features)
        m = SIZE.of(self, "out_features", out_features)
        dtype, rng = FLOATING.of(self, "dtype", dtype), np.random.default_rng(rng)
        usual = uniform_in(n)
        self.weight = initial(self, init or usual, (n, m), dtype, rng)
        self.bias: Any = None
        if FLAG.of(self, "bias", bias):
            self.bias = initial(self, usual, (m,), dtype, rng)

    @property
    def in_features(self) -> int:
        return self.weight.shape[0]

    @property
    def out_features(self) -> int:
        return self.weight.shape[1]

    def forward(self, x: Any) -> Any:
        W = self.weight.value
        if x.shape[-1:] != W.shape[:1] or x.dtype != W.dtype or W.ndim != 2:
            raise self._misfit(x)
        self.save_for_backward(x)
        z = x @ W
        return z if self.bias is None else z + self.bias.value

    def backward(self, grad: Any) -> Any:
        """∂f/∂x = ḡ Wᵀ, ∂f/∂W = xᵀ ḡ and ∂f/∂b = Σ ḡ over the batch, from ḡ = ∂f/∂z."""
        (x,) = self.saved
        xs, grads = _rows(x), _rows(grad)
        self.weight.accumulate_grad(xs.T @ grads)
        if self.bias is not None:
            self.bias.accumulate_grad(grads.sum(axis=0))
        return grad @ self.weight.value.T if self.needs_input_grad[0] else None

    def _misfit(self, x: Any) -> Exception:
        W = self.weight.value
        if W.ndim != 2:
            return ValueError(
                f"Linear: the weight has been given the shape {W.shape}, not (in, out)"
            )
        check_dtype(self, x, W.dtype)
        message = f"{self!r}: expected x of shape (..., {self.in_features}), got {x.shape}"
        if x.shape[:1] == W.shape[:1]:
            message += "; is x transposed? Rows are samples: pass x.T"
        return ValueError(message)


def _rows(x: Any) -> Any:
    """All vectors of x, along its last axis, as the rows of one matrix."""
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
