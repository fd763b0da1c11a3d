"""Layer normalisation, and what it shares with batch normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nnlite.core.arguments import AT_LEAST_0, FLAG, FLOATING, SIZE, Checked
from nnlite.core.module import Module
from nnlite.core.node import Parameter
from nnlite.layers.weights import check_dtype

Axes = tuple[int, ...]


class LayerNorm(Module, of="nnlite"):
    """y = γ (x − μ)/√(σ² + ε) + β, with the mean and variance of each sample over its last axes.

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The lengths of the axes that μ and σ² are taken over; an int stands for the last one.
    eps : float
        ε, at least 0.
    elementwise_affine : bool
        Whether there are γ and β.
    bias : bool
        Whether there is β.
    dtype : dtype
        Of weight and bias; a floating dtype.

    Attributes
    ----------
    weight, bias : Parameter of shape ``normalized_shape``, or None
        γ, ones at first, and β, zeros.

    Notes
    -----
    Shapes: x and y (..., *normalized_shape), of one dtype. σ² is biased: divided by the number of
    values. With ŷ = (x − μ)/√(σ² + ε) and ḡ = γ ∂f/∂y:
    ∂f/∂x = (ḡ − mean(ḡ) − ŷ mean(ḡ ŷ))/√(σ² + ε). Ba, Kiros and Hinton 2016, "Layer
    normalization".

    Raises
    ------
    ValueError, TypeError
        If x has other lengths or another dtype.

    Examples
    --------
    >>> LayerNorm(2)(np.array([[1.0, 3.0], [10.0, 0.0]])).round(4)
    array([[-1.,  1.],
           [ 1., -1.]])
    """

    eps = Checked(AT_LEAST_0)
    elementwise_affine = Checked(FLAG)
    dtype = Checked(FLOATING)

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: DTypeLike = np.float64,
    ) -> None:
        super().__init__()
        lengths: Any = normalized_shape
        if not isinstance(lengths, tuple | list):
            lengths = (lengths,)
        self.normalized_shape = tuple([SIZE.of(self, "normalized_shape", n) for n in lengths])
        if not self.normalized_shape:
            raise ValueError("LayerNorm: normalized_shape is one length or several, got none")
        self.eps, self.elementwise_affine, self.dtype = eps, elementwise_affine, dtype
        self.weight: Any = None
        self.bias: Any = None
        if elementwise_affine:
            self.weight = Parameter(np.ones(self.normalized_shape, self.dtype))
            if FLAG.of(self, "bias", bias):
                self.bias = Parameter(np.zeros(self.normalized_shape, self.dtype))

    def forward(self, x: Any) -> Any:
        k = len(self.normalized_shape)
        if x.shape[-k:] != self.normalized_shape:
            lengths = ", ".join(map(str, ("...", *self.normalized_shape)))
            raise ValueError(f"{self!r}: expected x of shape ({lengths}), got {x.shape}")
        check_dtype(self, x, self.dtype, "module")
        normal, _, _, scale = normalized(x, tuple(range(-k, 0)), self.eps)
        self.save_for_backward(normal, scale)
        return affine(normal, self.weight, self.bias, self.normalized_shape)

    def backward(self, grad: Any) -> Any:
        """∂f/∂x = (ḡ − mean(ḡ) − ŷ mean(ḡ ŷ))/√(σ² + ε), from ḡ = γ ∂f/∂y; ∂f/∂γ, ∂f/∂β."""
        normal, scale = self.saved
        k = len(self.normalized_shape)
        accumulate(grad, normal, self.weight, self.bias, tuple(range(normal.ndim - k)))
        if self.weight is not None:
            grad = grad * self.weight.value
        return grad_of_normalized(grad, normal, scale, tuple(range(-k, 0)))


def normalized(x: Any, axes: Axes, eps: float) -> tuple[Any, Any, Any, Any]:
    """(x − μ)/√(σ² + ε), μ, σ² and 1/√(σ² + ε)."""
    mean = np.mean(x, axis=axes, keepdims=True)
    d = x - mean
    variance = np.mean(d * d, axis=axes, keepdims=True)
    scale = 1 / np.sqrt(variance + eps)
    return d * scale, mean, variance, scale


def grad_of_normalized(grad: Any, normal: Any, scale: Any, axes: Axes) -> Any:
    along = np.mean(grad * normal, axis=axes, keepdims=True)
    return scale * (grad - np.mean(grad, axis=axes, keepdims=True) - normal * along)


def affine(normal: Any, weight: Any, bias: Any, shape: Axes) -> Any:
    y = normal if weight is None else normal * np.reshape(weight.value, shape)
    return y if bias is None else y + np.reshape(bias.value, shape)


def accumulate(grad: Any, normal: Any, weight: Any, bias: Any, axes: Axes) -> None:
    if weight is not None:
        weight.accumulate_grad(np.sum(grad * normal, axis=axes))
    if bias is not None:
        bias.accumulate_grad(np.sum(grad, axis=axes))
