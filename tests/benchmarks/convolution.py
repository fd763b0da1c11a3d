"""What a convolution costs beside a straightforward one in NumPy and, where installed, PyTorch's.

    python tests/benchmarks/convolution.py [--repeat 15] [--dtype float32]

Forward and backward, with the gradients of input, weight and bias, of the same values, which are
checked to be equal. The times are medians over interleaved rounds of one process; a ratio below 1
says that nnlite is the faster.
"""

import argparse
from importlib.util import find_spec

import numpy as np
from costs import medians
from numpy.lib.stride_tricks import sliding_window_view

import nnlite as nn

SIZES = {
    "digits, first layer": (64, 1, 8, 16, 3),
    "digits, second layer": (64, 16, 8, 32, 3),
    "LeNet, first layer": (32, 1, 28, 6, 5),
    "colour pictures": (32, 3, 32, 16, 3),
    "middle of a network": (32, 16, 32, 32, 3),
    "many channels": (16, 64, 16, 64, 3),
    "1 × 1": (32, 32, 16, 64, 1),
    "one picture": (1, 16, 64, 32, 3),
}
"""Batch, channels in, height and width, channels out, kernel size; the padding keeps the size."""


def by_hand(x, W, b, grad):
    """Output and gradients by im2col, a row of the matrix for each pixel of the output."""
    (m, channels, height, width), (out, _, k, _) = x.shape, W.shape
    p = k // 2
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    X = sliding_window_view(padded, (k, k), (2, 3)).transpose(0, 2, 3, 1, 4, 5)
    X = X.reshape(m * height * width, channels * k * k)
    y = (X @ W.reshape(out, -1).T + b).reshape(m, height, width, out).transpose(0, 3, 1, 2)
    Y = grad.transpose(0, 2, 3, 1).reshape(-1, out)
    pixels = (Y @ W.reshape(out, -1)).reshape(m, height, width, channels, k, k)
    x_bar = np.zeros_like(padded)
    for i, j in np.ndindex(k, k):
        part = pixels[..., i, j].transpose(0, 3, 1, 2)
        x_bar[:, :, i : i + height, j : j + width] += part
    x_bar = x_bar[:, :, p : p + height, p : p + width]
    return y, x_bar, (Y.T @ X).reshape(W.shape), Y.sum(axis=0)


def by_nnlite(conv, x, grad):
    conv.zero_grad()
    y = conv(x)
    return y, conv.backward(grad), conv.weight.grad, conv.bias.grad


def by_torch(x, W, b, grad):
    """A function that does the same in PyTorch, on as many threads as it likes."""
    import torch

    x, W, b, grad = (torch.from_numpy(array) for array in (x, W, b, grad))
    leaves = [leaf.requires_grad_() for leaf in (x, W, b)]

    def run():
        y = torch.nn.functional.conv2d(x, W, b, padding=W.shape[2] // 2)
        gradients = torch.autograd.grad(y, leaves, grad)
        return [array.detach().numpy() for array in (y, *gradients)]

    return run


def ratios(size, repeat=15, dtype=np.float64):
    """The time that `nn.Conv2d` takes, in seconds, and in units of the others' times."""
    m, channels, height, out, k = size
    conv = nn.Conv2d(channels, out, k, padding=k // 2, dtype=dtype, rng=0)
    rng = np.random.default_rng(1)
    x = rng.standard_normal((m, channels, height, height)).astype(dtype)
    grad = rng.standard_normal((m, out, height, height)).astype(dtype)
    W, b = conv.weight.value, conv.bias.value
    runs = {
        "nnlite": lambda: by_nnlite(conv, x, grad),
        "by hand": lambda: by_hand(x, W, b, grad),
    }
    if find_spec("torch"):
        runs["PyTorch"] = by_torch(x, W, b, grad)
    expected = runs["by hand"]()
    for name, run in runs.items():
        for got, exact in zip(run(), expected, strict=True):
            error = np.abs(got - exact).max() / np.abs(exact).max()
            assert error < 1e4 * np.finfo(dtype).eps, f"{name} differs by {error}"
    times = medians(runs, repeat)
    return times["nnlite"], {
        name: times["nnlite"] / time for name, time in times.items() if name != "nnlite"
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--dtype", default="float64", choices=["float64", "float32"])
    options = parser.parse_args()
    print(f"nnlite {nn.__version__}, NumPy {np.__version__}, {options.dtype}")
    for name, size in SIZES.items():
        seconds, found = ratios(size, options.repeat, np.dtype(options.dtype))
        shown = "".join(f"   {ratio:5.2f} of {other}" for other, ratio in found.items())
        print(f"{name:<22}{1e3 * seconds:8.2f} ms{shown}")
