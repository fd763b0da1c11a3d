"""The convolution of pictures."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nnlite.core.arguments import FLAG, FLOATING, SIZE, Checked
from nnlite.core.module import Module
from nnlite.layers.sliding import Pair, SlidingWindow, pair
from nnlite.layers.weights import Initializer, check_dtype, initial, uniform_in


class Conv2d(Module, of="nnlite"):
    """y[n, o] = b[o] + Σ_c W[o, c] ⋆ x[n, c], the cross-correlation of pictures with kernels.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, dilation : int or pair of int
        (vertical, horizontal); the dilation is the step between the pixels under one kernel.
    padding : int, pair of int, "valid" or "same"
        Zeros on either side of each axis. "valid" is 0; "same" keeps height and width, with the
        odd zero below and on the right, and needs a stride of 1.
    groups : int
        Channels are cut into so many groups, and each output channel sees one group.
    bias : bool
        Whether b is added.
    init : callable, optional
        What the weight begins with, such as ``nn.init.he_normal``; uniform in
        ±1/√(in_channels / groups · kh · kw), as in PyTorch's ``nn.Conv2d``, if left out. The bias
        begins so in any case.
    dtype : dtype
        Of weight and bias; a floating dtype.
    rng : numpy.random.Generator or int, optional
        Where the initial values come from.

    Attributes
    ----------
    weight : Parameter, (out_channels, in_channels / groups, kh, kw)
    bias : Parameter, (out_channels,), or None

    Notes
    -----
    Shapes: x (batch, in_channels, height, width), y (batch, out_channels, rows, columns) with
    rows = ⌊(height + padding − dilation · (kh − 1) − 1) / stride⌋ + 1, likewise columns; x has the
    dtype of the weight. The pixels under each kernel are the columns of a matrix X (im2col), so
    that Y = W X, W̄ = Ȳ Xᵀ, and X̄ = Wᵀ Ȳ is added up where the pixels came from. Unlike PyTorch's,
    x always has a batch axis, and there is no ``padding_mode``: use np.pad.

    Raises
    ------
    ValueError
        If x is not such a batch, or a kernel covers more than a padded picture.
    TypeError
        If x is of another dtype than the weight.

    Examples
    --------
    >>> edges = Conv2d(1, 1, (1, 2), bias=False)
    >>> edges.weight.value = np.array([[[[-1.0, 1.0]]]])
    >>> edges(np.array([[[[0.0, 0.0, 5.0, 5.0]]]]))
    array([[[[0., 5., 0.]]]])
    """

    in_channels = Checked(SIZE)
    out_channels = Checked(SIZE)
    groups = Checked(SIZE)

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair | str = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        init: Initializer | None = None,
        dtype: DTypeLike = np.float64,
        rng: np.random.Generator | int | None = None,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ValueError(
                f"Conv2d: in_channels={in_channels} and out_channels={out_channels} cannot both be "
                f"cut into groups={groups} equal parts"
            )
        dtype, rng = FLOATING.of(self, "dtype", dtype), np.random.default_rng(rng)
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.dilation = dilation
        self.window = self._window()
        shape = (self.out_channels, self.in_channels // self.groups, *self.window.size)
        usual = uniform_in(prod(shape[1:]))
        self.weight = initial(self, init or usual, shape, dtype, rng)
        self.bias: Any = None
        if FLAG.of(self, "bias", bias):
            self.bias = initial(self, usual, shape[:1], dtype, rng)

    def forward(self, x: Any) -> Any:
        self.window.check(self, x, self.in_channels)
        check_dtype(self, x, self.weight.value.dtype)
        pixels = self.window.windows(self.window.padded(x))
        _, *places, m, _, _ = pixels.shape
        X = self._columns(np.transpose(pixels, (0, 4, 5, 1, 2, 3)), 3)
        self.save_for_backward(X, x.shape)
        Y = np.reshape(self._kernels() @ X, (self.out_channels, *places, m))
        if self.bias is not None:
            Y = Y + np.reshape(self.bias.value, (-1, 1, 1, 1))
        return np.transpose(Y, (3, 0, 1, 2))

    def backward(self, grad: Any) -> Any:
        """∂f/∂x = Wᵀ Ȳ, added up where the pixels came from; ∂f/∂W = Ȳ Xᵀ and ∂f/∂b = Σ Ȳ."""
        X, shape = self.saved
        m, _, *places = grad.shape
        Y = self._columns(np.transpose(grad, (1, 2, 3, 0)), 1)
        self.weight.accumulate_grad(np.reshape(Y @ X.mT, self.weight.value.shape))
        if self.bias is not None:
            self.bias.accumulate_grad(np.ravel(np.sum(Y, axis=2)))
        if not self.needs_input_grad[0]:
            return None
        pixels = np.reshape(self._kernels().mT @ Y, (shape[1], *self.window.size, *places, m))
        return self.window.add(np.transpose(pixels, (0, 3, 4, 5, 1, 2)), shape)

    def _kernels(self) -> Any:
        """W, as a matrix for each group of channels."""
        return self._columns(self.weight.value, 1)

    def _columns(self, x: Any, rows: int) -> Any:
        """A matrix for each group of channels; the first axes of x, so many, make its rows."""
        height = prod(x.shape[:rows]) // self.groups
        return np.reshape(x, (self.groups, height, prod(x.shape[rows:])))

    def _window(self) -> SlidingWindow:
        kernel = pair(self, "kernel_size", self.kernel_size)
        stride = pair(self, "stride", self.stride)
        dilation = pair(self, "dilation", self.dilation)
        if self.padding == "same":
            if stride != (1, 1):
                raise ValueError(f"Conv2d: padding='same' needs stride=1, got {self.stride!r}")
            added = [(n - 1) * step for n, step in zip(kernel, dilation)]
            vertical, horizontal = [(n // 2, n - n // 2) for n in added]
        elif isinstance(self.padding, str) and self.padding != "valid":
            raise ValueError(
                f"Conv2d: padding is a number, a pair of them, 'same' or 'valid', got "
                f"{self.padding!r}"
            )
        else:
            given = 0 if self.padding == "valid" else self.padding
            vertical, horizontal = [(n, n) for n in pair(self, "padding", given, low=0)]
        return SlidingWindow(kernel, stride, (vertical, horizontal), dilation)
