"""Batch normalisation: channels with mean 0 and variance 1 over the batch."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from nnlite.core.arguments import AT_LEAST_0, FLAG, FLOATING, FROM_0_TO_1, SIZE, Checked
from nnlite.core.module import Module
from nnlite.core.node import Parameter
from nnlite.core.value import Value
from nnlite.layers.normalization import Axes, accumulate, affine, grad_of_normalized, normalized
from nnlite.layers.weights import check_dtype


class _BatchNorm(Module, of=__name__):
    """`BatchNorm1d` and `BatchNorm2d`, which differ in the shapes they take."""

    buffers = ("running_mean", "running_var")
    _is_modal = True
    num_features = Checked(SIZE)
    eps = Checked(AT_LEAST_0)
    momentum = Checked(FROM_0_TO_1)
    affine = Checked(FLAG)
    dtype = Checked(FLOATING)
    layout: ClassVar[str]
    ndims: ClassVar[tuple[int, ...]]

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        *,
        dtype: DTypeLike = np.float64,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.dtype = affine, dtype
        shape = (self.num_features,)
        self.weight: Any = Parameter(np.ones(shape, self.dtype)) if affine else None
        self.bias: Any = Parameter(np.zeros(shape, self.dtype)) if affine else None
        self.running_mean = np.zeros(shape, self.dtype)
        self.running_var = np.ones(shape, self.dtype)

    def forward(self, x: Any) -> Any:
        self._check_shape(x)
        check_dtype(self, x, self.dtype, "module")
        axes, shape = self._axes(x)
        if self.training:
            normal, mean, variance, scale = normalized(x, axes, self.eps)
            if isinstance(self.running_mean, Value) or not any(
                isinstance(item, Value) for item in (x, *self._values())
            ):
                self._update(mean, variance, x.size // self.num_features)
        else:
            scale = 1 / np.sqrt(np.reshape(self.running_var, shape) + self.eps)
            normal = (x - np.reshape(self.running_mean, shape)) * scale
        self.save_for_backward(normal, scale, self.training)
        return affine(normal, self.weight, self.bias, shape)

    def backward(self, grad: Any) -> Any:
        """∂f/∂x, as in `LayerNorm`; ∂f/∂γ = Σ ḡ ŷ and ∂f/∂β = Σ ḡ over all but the channels."""
        normal, scale, training = self.saved
        axes, shape = self._axes(normal)
        accumulate(grad, normal, self.weight, self.bias, axes)
        if not self.needs_input_grad[0]:
            return None
        if self.weight is not None:
            grad = grad * np.reshape(self.weight.value, shape)
        return grad_of_normalized(grad, normal, scale, axes) if training else grad * scale

    def _values(self) -> list[Any]:
        return [parameter.value for parameter in self.parameters()]

    def _axes(self, x: Any) -> tuple[Axes, Axes]:
        """All axes but that of the channels, and the shape of one number a channel."""
        others = tuple([axis for axis in range(x.ndim) if axis != 1])
        return others, tuple([self.num_features if axis == 1 else 1 for axis in range(x.ndim)])

    def _update(self, mean: Any, variance: Any, count: int) -> None:
        m, shape = self.momentum, self.running_mean.shape
        unbiased = variance.reshape(shape) * (count / (count - 1))
        self.running_mean = (1 - m) * self.running_mean + m * mean.reshape(shape)
        self.running_var = (1 - m) * self.running_var + m * unbiased

    def _check_shape(self, x: Any) -> None:
        C = self.num_features
        if x.ndim not in self.ndims or x.shape[1] != C:
            message = f"{self!r}: expected x of shape {self.layout.replace('C', str(C))}"
            message += f", got {x.shape}"
            if x.ndim == min(self.ndims) - 1 and x.shape[:1] == (C,):
                message += "; is the batch axis missing? For one sample pass x[None]"
            elif x.ndim == 2 and x.shape[0] == C:
                message += "; is x transposed? Rows are samples: pass x.T"
            elif x.ndim in self.ndims and x.shape[-1] == C:
                message += "; do the channels come last? Pass np.moveaxis(x, -1, 1)"
            raise ValueError(message)
        if self.training and x.size < 2 * C:
            raise ValueError(
                f"{self!r}: in training a variance needs at least 2 values a channel, and x of "
                f"shape {x.shape} has {x.size // C}; use a larger batch, or eval()"
            )


class BatchNorm1d(_BatchNorm, of="nnlite"):
    """y = γ (x − μ)/√(σ² + ε) + β, with a mean and a variance for each channel.

    Parameters
    ----------
    num_features : int
        C, the number of channels.
    eps : float
        ε, at least 0.
    momentum : float
        The share m, from 0 to 1, that a batch has in the running statistics.
    affine : bool
        Whether there are γ and β.
    dtype : dtype
        Of all arrays of the module; a floating dtype.

    Attributes
    ----------
    weight, bias : Parameter, (num_features,), or None
        γ, ones at first, and β, zeros.
    running_mean, running_var : array, (num_features,)
        Updated by every forward pass on arrays in training, also that of a compiled step, as
        running ← (1 − m) running + m batch, with the unbiased variance; never by one on nodes or
        dual numbers, so that a derivative changes nothing. Part of ``state_dict()``.

    Notes
    -----
    Shapes: x and y (batch, C) or (batch, C, length), of one dtype. In training μ and σ² are the
    batch's, σ² divided by the number of values; in ``eval()`` mode they are the running ones.
    The derivative is as in `LayerNorm`. PyTorch's ``momentum=None`` and
    ``track_running_stats=False`` are not there. Ioffe and Szegedy 2015, "Batch normalization",
    algorithm 1.

    Raises
    ------
    ValueError, TypeError
        If x has another shape or dtype or, in training, less than 2 values a channel.

    Examples
    --------
    >>> BatchNorm1d(2)(np.array([[1.0, 30.0], [3.0, 10.0]])).round(4)
    array([[-1.,  1.],
           [ 1., -1.]])
    """

    layout = "(batch, C) or (batch, C, length)"
    ndims = (2, 3)


class BatchNorm2d(_BatchNorm, of="nnlite"):
    """`BatchNorm1d` of images: x and y (batch, C, height, width).

    Parameters, attributes and errors are those of `BatchNorm1d`.

    Examples
    --------
    >>> BatchNorm2d(1)(np.array([[[[1.0, 3.0]]]])).round(4)
    array([[[[-1.,  1.]]]])
    """

    layout = "(batch, C, height, width)"
    ndims = (4,)
