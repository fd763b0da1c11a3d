"""The affine layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nnlite.core.module import Module
from nnlite.core.node import Parameter


class Linear(Module, of="nnlite"):
    """z = x W + b, the seminar's ωᵀx + b for every row x of a batch.

    Parameters
    ----------
    in_features, out_features : int
        Sizes of a row of x and of a row of z, at least 1.
    bias : bool
        Whether b is added.
    dtype : dtype
        Of weight and bias; a floating dtype.
    rng : numpy.random.Generator or int, optional
        Where the initial values come from: uniform in ±1/√in_features, as in PyTorch's
        ``nn.Linear``.

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

    descriptive = ("in_features", "out_features")

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: DTypeLike = np.float64,
        rng: np.random.Generator | int | None = None,
    ) -> None:
        super().__init__()
        for name, size in (("in_features", in_features), ("out_features", out_features)):
            if not isinstance(size, int | np.integer) or size < 1:
                raise ValueError(f"Linear: {name} is a whole number of at least 1, got {size!r}")
        if np.dtype(dtype).kind != "f":
            raise TypeError(f"Linear: dtype is a floating dtype, got {np.dtype(dtype)}")
        self.in_features = int(in_features)
        self.out_features = int(out_features)
        generator = np.random.default_rng(rng)
        bound = 1 / np.sqrt(in_features)

        def initial(*shape: int) -> Parameter:
            return Parameter(generator.uniform(-bound, bound, shape).astype(dtype))

        self.weight = initial(self.in_features, self.out_features)
        self.bias: Any = initial(self.out_features) if bias else None

    def forward(self, x: Any) -> Any:
        W = self.weight.value
        if x.shape[-1:] != W.shape[:1] or x.dtype != W.dtype or W.ndim != 2:
            raise self._misfit(x)
        self.save_for_backward(x)
        z = x @ W
        return z if self.bias is None else z + self.bias.value

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        xs, grads = _rows(x), _rows(grad)
        self.weight.accumulate_grad(xs.T @ grads)
        if self.bias is not None:
            self.bias.accumulate_grad(grads.sum(axis=0))
        return grad @ self.weight.value.T if self.needs_input_grad[0] else None

    def _misfit(self, x: Any) -> Exception:
        W = self.weight.value
        if W.shape != (self.in_features, self.out_features):
            return ValueError(
                f"{self!r}: the weight has been given the shape {W.shape}, not "
                f"{(self.in_features, self.out_features)}"
            )
        if x.dtype != W.dtype:
            return TypeError(
                f"{self!r}: x has dtype {x.dtype} and the weight {W.dtype}; convert one of them, "
                f"x.astype(np.{W.dtype}) or Linear(..., dtype=...): dtypes are never changed "
                "silently"
            )
        message = f"{self!r}: expected x of shape (..., {self.in_features}), got {x.shape}"
        if x.shape[:1] == W.shape[:1]:
            message += "; is x transposed? Rows are samples: pass x.T"
        return ValueError(message)


def _rows(x: Any) -> Any:
    """All vectors of x, along its last axis, as the rows of one matrix."""
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
