"""Pooling, and the mistakes that convolution and pooling explain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from derivatives import check_derivatives
from helpers import FLOATS, assert_equal_to_rounding, gradient_of
from numpy.typing import DTypeLike
from pixels import both, geometry, samples

import nnlite as nn
from nnlite.layers.convolution import Conv2d
from nnlite.layers.pooling import AvgPool2d, MaxPool2d


def distinct(*shape: int) -> np.ndarray:
    """Numbers that lie 1 apart, in random order."""
    return np.random.default_rng(0).permutation(np.prod(shape)).astype(float).reshape(shape)


def pooled(x: Any, choose: Callable[..., Any], kernel: Any, stride: Any, padding: Any) -> Any:
    """`choose` of the entries of each window, NaN for those in the padding."""
    (top, left), (sy, sx), (kh, kw) = map(both, (padding, stride, kernel))
    x = np.pad(x, ((0, 0), (0, 0), (top, top), (left, left)), constant_values=np.nan)
    rows, columns = (x.shape[2] - kh) // sy + 1, (x.shape[3] - kw) // sx + 1
    y = np.zeros((*x.shape[:2], rows, columns))
    for n, c, i, j in np.ndindex(*y.shape):
        y[n, c, i, j] = choose(x[n, c, i * sy : i * sy + kh, j * sx : j * sx + kw])
    return y


POOLS = {
    "plain": ((2,), (2, 3, 4, 6)),
    "pixels left over": ((3,), (2, 1, 7, 5)),
    "overlapping": ((3, 2), (2, 2, 7, 6)),
    "apart": ((2, 3), (2, 2, 8, 7)),
    "pairs": (((3, 2), (2, 1), (1, 0)), (2, 2, 5, 4)),
    "padding": ((3, 2, 1), (2, 2, 5, 4)),
    "1 × 1": ((1,), (2, 2, 3, 3)),
    "the whole picture": (((4, 3),), (2, 2, 4, 3)),
    "no samples": ((2,), (0, 2, 4, 4)),
}

INSIDE: dict[str, Any] = {"count_include_pad": False}
EVERY_POOL = pytest.mark.parametrize(("sizes", "shape"), POOLS.values(), ids=POOLS)


class TestPooling:
    @EVERY_POOL
    def test_is_the_largest_or_the_mean_of_each_window(self, sizes: Any, shape: Any) -> None:
        x = samples(*shape)
        pool: MaxPool2d | AvgPool2d = MaxPool2d(*sizes)
        np.testing.assert_array_equal(pool(x), pooled(x, np.nanmax, *geometry(pool)))
        pool = AvgPool2d(*sizes)
        exact = pooled(x, lambda w: np.nansum(w) / w.size, *geometry(pool))
        assert_equal_to_rounding(pool(x), exact)
        without = AvgPool2d(*sizes, **INSIDE)
        assert_equal_to_rounding(without(x), pooled(x, np.nanmean, *geometry(pool)))

    @EVERY_POOL
    @pytest.mark.parametrize(
        "layer", [MaxPool2d, AvgPool2d, lambda *sizes: AvgPool2d(*sizes, **INSIDE)]
    )
    def test_has_the_right_derivatives(self, layer: Any, sizes: Any, shape: Any) -> None:
        pool = layer(*sizes)
        check_derivatives(lambda x: pool(x) ** 3 / 100, distinct(*shape) / 10 - 2)

    def test_a_tied_maximum_gives_its_gradient_to_the_first_in_every_mode(self) -> None:
        x = np.array([[[[1.0, 3.0, 3.0], [3.0, 3.0, 0.0], [2.0, 3.0, 3.0]]]])
        pool = MaxPool2d(2, 1)
        exact = np.array([[[[0, 2, 0], [1, 1, 0], [0, 0, 0]]]])  # by hand: the first in each window
        np.testing.assert_array_equal(gradient_of(pool, x), exact)
        np.testing.assert_array_equal(nn.vjp(lambda x: pool(x).sum(), x)[1](1.0)[0], exact)
        found = nn.jacobian(lambda x: pool(x).sum(), x, mode="forward")
        np.testing.assert_array_equal(found, exact)

    @FLOATS
    def test_keeps_the_dtype(self, dtype: DTypeLike) -> None:
        x = samples(2, 2, 4, 4).astype(dtype)
        for pool in (MaxPool2d(2), AvgPool2d(2), AvgPool2d(3, 2, 1, count_include_pad=False)):
            assert pool(x).dtype == gradient_of(pool, x).dtype == dtype

    def test_padding_is_never_the_maximum(self) -> None:
        x = np.full((1, 1, 3, 3), -1000.0)
        pool = MaxPool2d(3, 1, 1)
        np.testing.assert_array_equal(pool(x), x)
        assert gradient_of(pool, x).sum() == x.size


IMAGES = np.zeros((5, 3, 8, 8))
CONV, CONV32 = Conv2d(3, 4, 3), Conv2d(3, 4, 3, dtype=np.float32)

REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "channels last": (
        lambda: CONV(np.zeros((5, 8, 8, 3))),
        ValueError,
        r"Conv2d\(3, 4, 3\): expected x of shape \(batch, 3, height, width\), got \(5, 8, 8, 3\); "
        r"are the channels last\? Pass np.moveaxis\(x, -1, 1\)",
    ),
    "no batch axis": (
        lambda: CONV(IMAGES[0]),
        ValueError,
        r"got \(3, 8, 8\); is the batch axis missing\? For one picture pass x\[None\]",
    ),
    "no channel axis": (
        lambda: CONV(IMAGES[:, 0]),
        ValueError,
        r"got \(5, 8, 8\); is the channel axis missing\?.*x\[:, None\]",
    ),
    "rows of pixels": (
        lambda: CONV(np.zeros((5, 192))),
        ValueError,
        r"rows of pixels\?.*x.reshape\(-1, 3, height, width\)",
    ),
    "other channels": (
        lambda: CONV(np.zeros((5, 1, 8, 8))),
        ValueError,
        r"expected x of shape \(batch, 3, height, width\), got \(5, 1, 8, 8\)$",
    ),
    "a kernel beyond the picture": (
        lambda: Conv2d(3, 4, (9, 11), padding=1, dilation=(1, 2))(IMAGES),
        ValueError,
        r"the window covers 9 × 21 pixels, and a picture of x has 10 × 10, padding included",
    ),
    "another dtype": (
        lambda: CONV(IMAGES.astype(np.float32)),
        TypeError,
        r"x has dtype float32 and the weight float64.*x.astype\(np.float64\).*dtype=",
    ),
    "float64 for float32": (lambda: CONV32(IMAGES), TypeError, r"x.astype\(np.float32\)"),
    "integers": (lambda: CONV(IMAGES.astype(int)), TypeError, "x has dtype int64; pictures are"),
    "bytes to pool": (
        lambda: MaxPool2d(2)(IMAGES.astype(np.uint8)),
        TypeError,
        r"MaxPool2d\(2\): x has dtype uint8; pictures are floats.*x / 255",
    ),
    "pooling without a batch": (
        lambda: AvgPool2d(2)(IMAGES[0]),
        ValueError,
        r"AvgPool2d\(2\): expected x of shape \(batch, channels, height, width\), got \(3, 8, 8\)",
    ),
    "pooling beyond the picture": (
        lambda: MaxPool2d(9)(IMAGES),
        ValueError,
        "the window covers 9 × 9 pixels, and a picture of x has 8 × 8",
    ),
    "no channels": (lambda: Conv2d(0, 4, 3), ValueError, "in_channels is a whole number of at"),
    "half a channel": (
        lambda: Conv2d(3, 4.0, 3),  # type: ignore[arg-type]
        TypeError,
        "out_channels is a whole number",
    ),
    "groups": (
        lambda: Conv2d(4, 6, 3, groups=4),
        ValueError,
        "in_channels=4 and out_channels=6 cannot both be cut into groups=4 equal parts",
    ),
    "three sizes": (
        lambda: Conv2d(3, 4, (3, 3, 3)),  # type: ignore[arg-type]
        TypeError,
        r"or a pair.*got \(3, 3, 3\)",
    ),
    "no kernel": (lambda: Conv2d(3, 4, 0), ValueError, "kernel_size is a whole number of at least"),
    "stride": (lambda: Conv2d(3, 4, 3, stride=0), ValueError, "stride is a whole number of at"),
    "dilation": (lambda: Conv2d(3, 4, 3, dilation=(1, 0)), ValueError, "dilation is a whole"),
    "padding": (lambda: Conv2d(3, 4, 3, padding=-1), ValueError, "padding is .* at least 0"),
    "a word": (
        lambda: Conv2d(3, 4, 3, padding="full"),
        ValueError,
        "padding is a number, a pair of them, 'same' or 'valid', got 'full'",
    ),
    "same with a stride": (
        lambda: Conv2d(3, 4, 3, stride=2, padding="same"),
        ValueError,
        "padding='same' needs stride=1, got 2",
    ),
    "integer weights": (lambda: Conv2d(3, 4, 3, dtype=int), TypeError, "a floating dtype, got int"),
    "pool padding": (
        lambda: MaxPool2d(3, padding=2),
        ValueError,
        "MaxPool2d: padding is at most half of kernel_size=3, got 2",
    ),
    "forgotten parentheses": (
        lambda: MaxPool2d(IMAGES),  # type: ignore[arg-type]
        TypeError,
        r"second set of parentheses forgotten, as in MaxPool2d\(...\)\(x\)",
    ),
}


@pytest.mark.parametrize(("slip", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_a_slip_is_explained(slip: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        slip()


def test_a_layer_says_how_it_was_made() -> None:
    assert repr(Conv2d(1, 8, (3, 5), padding="same", bias=False)) == (
        "Conv2d(1, 8, (3, 5), padding='same', bias=False)"
    )
    assert repr(MaxPool2d(2)) == "MaxPool2d(2)"
    assert repr(AvgPool2d(3, 2, count_include_pad=False)) == (
        "AvgPool2d(3, stride=2, count_include_pad=False)"
    )
