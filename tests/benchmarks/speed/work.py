"""What every system computes: sizes, data and initial weights, the same to the bit."""

import itertools
from dataclasses import dataclass

import numpy as np

RATE, PENALTY = 0.01, 1e-3
CHANNELS, KERNEL, CLASSES = (1, 16, 32), 3, 10


@dataclass(frozen=True)
class Work:
    """One row of the table.

    `kind` says what is computed, `sizes` the widths from the input to the output, or (height,) of
    the pictures; a call is a whole step of training for the first three kinds: forward pass,
    backward pass, and θ ← θ − γ g.
    """

    name: str
    kind: str
    sizes: tuple
    batch: int
    dtype: str = "float32"

    @property
    def trains(self):
        return self.kind in ("seminar", "perceptron", "convolution")


WORKS = [
    Work("seminar 30 × 32", "seminar", (30,), 32),
    Work("seminar 784 × 128", "seminar", (784,), 128),
    Work("seminar 10000 × 256", "seminar", (10000,), 256),
    Work("perceptron 64-32-10 × 32", "perceptron", (64, 32, 10), 32),
    Work("perceptron 784-256-128-10 × 128", "perceptron", (784, 256, 128, 10), 128),
    Work("convolution 8×8, 16-32 × 32", "convolution", (8,), 32),
    Work("hvp 64-32-10 × 32", "hvp", (64, 32, 10), 32),
    Work("hvp 784-256-128-10 × 128", "hvp", (784, 256, 128, 10), 128),
    Work("jvp 784-256-128-10 × 128", "jvp", (784, 256, 128, 10), 128),
    Work("Jacobian 64-128-32", "jacobian", (64, 128, 32), 1),
]
"""The perceptrons that train have ReLUs, those of the derivatives tanh, which is twice smooth; the
losses are the seminar's for the first kind, and a cross entropy for all others."""


def data(work):
    """X and t: standard normal rows, or pictures, and random classes."""
    rng = np.random.default_rng(1)
    if work.kind == "jacobian":
        return (rng.standard_normal(work.sizes[0]).astype(work.dtype),)
    if work.kind == "seminar":
        X = rng.standard_normal((work.batch, work.sizes[0])).astype(work.dtype)
        return X, rng.integers(0, 2, (work.batch, 1)).astype(work.dtype)
    rows = (CHANNELS[0], *work.sizes * 2) if work.kind == "convolution" else work.sizes[:1]
    X = rng.standard_normal((work.batch, *rows)).astype(work.dtype)
    return X, rng.integers(0, CLASSES, work.batch)


def weights(work):
    """[W, b, W, b, …] with W of (in, out), or kernels of (out, in, height, width)."""
    if work.kind == "seminar":
        shapes: list[tuple[int, ...]] = [(work.sizes[0], 1)]
    elif work.kind == "convolution":
        shapes = [(n, m, KERNEL, KERNEL) for m, n in itertools.pairwise(CHANNELS)]
        shapes.append((CHANNELS[-1] * (work.sizes[0] // 4) ** 2, CLASSES))
    else:
        shapes = list(itertools.pairwise(work.sizes))
    return _normal(shapes, work, seed=2)


def direction(work):
    """What `hvp` and `jvp` multiply with: like the weights."""
    return _normal([W.shape for W in weights(work)[::2]], work, seed=3)


def _normal(shapes, work, seed):
    rng = np.random.default_rng(seed)
    arrays = []
    for shape in shapes:
        inputs, outputs = (np.prod(shape[1:]), shape[0]) if len(shape) == 4 else shape
        arrays.append((rng.standard_normal(shape) / np.sqrt(inputs)).astype(work.dtype))
        arrays.append((rng.standard_normal(outputs) / np.sqrt(inputs)).astype(work.dtype))
    return arrays


def tolerance(work, steps):
    """How far results of two right programs may be apart, relative to the largest entry.

    Sums of n rounded terms, in whatever order, differ by about √n ε, and a step has two for each
    layer, forward and backward; these errors add up over the layers and the steps. The factor of
    8 makes room for the tail, and for what a layer's weights magnify.
    """
    widest = max(array.size // array.shape[-1] for array in weights(work)[::2])
    layers = len(weights(work)) // 2
    return 8 * 2 * layers * steps * np.sqrt(max(widest, work.batch)) * np.finfo(work.dtype).eps
