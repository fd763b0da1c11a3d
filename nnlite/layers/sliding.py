"""What convolution and pooling share: pictures, and a window that slides over them.

Pictures are (batch, channels, height, width) outside and (channels, height, width, batch) inside.
With the batch last, the entries that a window's position picks out of a row lie side by side in
memory, so that NumPy moves them in long runs (Krizhevsky's cuda-convnet, 2012, did the same). The
results are transposed views, which the next layer turns back at no cost.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.core.arguments import Number
from nnlite.core.module import Module
from nnlite.core.primitives.windows import Window, add_windows, windows

Pair = int | tuple[int, int]


def pair(module: Module, name: str, given: Any, low: int = 1) -> tuple[int, int]:
    """The vertical and the horizontal one of two whole numbers, which may be given as one."""
    both = given if isinstance(given, tuple | list) and len(given) == 2 else (given, given)
    expected = f"a whole number of at least {low}, or a pair (vertical, horizontal) of them"
    kind = Number(expected, int, low=low)
    vertical, horizontal = [kind.of(module, name, item) for item in both]
    return vertical, horizontal


class SlidingWindow:
    """Where a window stands on a picture.

    Parameters
    ----------
    size, stride, dilation : pair of int
        Entries of the window, and the steps between windows and between entries of one window.
    padding : pair of pairs of int
        Rows put above and below, and columns put left and right of the picture.
    """

    def __init__(
        self,
        size: tuple[int, int],
        stride: tuple[int, int],
        padding: tuple[tuple[int, int], tuple[int, int]],
        dilation: tuple[int, int] = (1, 1),
    ) -> None:
        self.size, self.stride, self.padding, self.dilation = size, stride, padding, dilation
        self._window = Window(size, (1, 2), stride, dilation)

    def padded(self, x: Any, fill: float = 0.0) -> Any:
        """Pictures with the padding around them and the batch last."""
        x = np.transpose(x, (1, 2, 3, 0))
        if self.padding == ((0, 0), (0, 0)):
            return np.reshape(np.ravel(x), x.shape)  # a copy where the batch was not last already
        options: dict[str, Any] = {"constant_values": fill} if fill else {}
        return np.pad(x, ((0, 0), *self.padding, (0, 0)), **options)

    def windows(self, x: Any) -> Any:
        """The windows of `padded` pictures: (channels, rows, columns, batch, *size)."""
        return windows(x, self._window)

    def add(self, grad: Any, shape: tuple[int, ...]) -> Any:
        """`padded` and `windows` transposed, for pictures of `shape`."""
        m, channels, *lengths = shape
        full = [n + sum(around) for n, around in zip(lengths, self.padding)]
        x = add_windows(grad, self._window, (channels, *full, m))
        rows, columns = [slice(a, a + n) for (a, _), n in zip(self.padding, lengths)]
        return np.transpose(x[:, rows, columns], (3, 0, 1, 2))

    def counts(self, shape: tuple[int, ...]) -> list[Any]:
        """How many rows, and columns, of each window lie on a picture of `shape`."""
        found = []
        for n, size, stride, (a, b) in zip(shape[2:], self.size, self.stride, self.padding):
            start = np.arange(-a, n + b - size + 1, stride)
            found.append(np.minimum(start + size, n) - np.maximum(start, 0))
        return found

    def check(self, module: Module, x: Any, channels: int | None = None) -> None:
        """Refuse what is not a batch of pictures that hold at least one window."""
        shape = x.shape
        wanted = "channels" if channels is None else channels
        expected = f"{module!r}: expected x of shape (batch, {wanted}, height, width), got {shape}"
        if len(shape) != 4:
            hint = ""
            if len(shape) == 3:
                hint = "; is the batch axis missing? For one picture pass x[None]"
                if channels is not None and shape[0] != channels:
                    hint = "; is the channel axis missing? Pass x[:, None]"
            elif len(shape) == 2:
                hint = f"; are these rows of pixels? Pass x.reshape(-1, {wanted}, height, width)"
            raise ValueError(expected + hint)
        if channels is not None and shape[1] != channels:
            if shape[3] == channels:
                expected += "; are the channels last? Pass np.moveaxis(x, -1, 1)"
            raise ValueError(expected)
        if x.dtype.kind != "f":
            raise TypeError(
                f"{module!r}: x has dtype {x.dtype}; pictures are floats: "
                "x.astype(np.float64), or x / 255"
            )
        full = tuple([n + sum(around) for n, around in zip(shape[2:], self.padding)])
        span = tuple([(k - 1) * d + 1 for k, d in zip(self.size, self.dilation)])
        if span[0] > full[0] or span[1] > full[1]:
            raise ValueError(
                f"{module!r}: the window covers {_times(span)} pixels, and a picture of x has "
                f"{_times(full)}, padding included (x has shape {shape}); use a smaller "
                "kernel_size or dilation, or more padding"
            )


def _times(lengths: tuple[int, ...]) -> str:
    return " × ".join(map(str, lengths))
