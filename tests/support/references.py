"""A case of the catalogue, and what layers compute in NumPy and SciPy alone, on float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.signal
import scipy.special
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import DTypeLike

import nnlite as nn


@dataclass(frozen=True, eq=False)
class Case:
    """One module with one set of inputs.

    Attributes
    ----------
    make : callable
        From a dtype to a new module, the same every time: ``lambda dtype: Linear(2, 3, rng=0)``.
    inputs : tuple of arrays
        Of float64, or of integers where there is no derivative. No kink lies within 0.1 of them.
    reference : callable
        ``reference(module, *inputs)``; of the module it may read only the arrays in it.
    repr : str
        What the module calls itself; Python reads it as a module of the same kind.
    empty : str or None
        None if a batch of no samples gives a result for no samples; otherwise what the refusal
        says.
    extreme : tuple of arrays or None
        Where the module saturates; ±1000 in place of every float if left out.
    evaluating : bool
        Whether the module is in ``eval()`` mode.
    """

    make: Callable[[DTypeLike], nn.Module]
    inputs: tuple[np.ndarray, ...]
    reference: Callable[..., Any]
    repr: str
    empty: str | None = None
    extreme: tuple[np.ndarray, ...] | None = None
    evaluating: bool = False

    def module(self, dtype: DTypeLike = np.float64) -> nn.Module:
        return self.make(dtype).train(not self.evaluating)

    def __str__(self) -> str:
        shapes = ", ".join(str(x.shape) for x in self.inputs)
        return f"{self.repr}{'.eval()' if self.evaluating else ''} on {shapes}"


@dataclass(frozen=True)
class Mistake:
    """A slip, and what the error about it says."""

    of: type[nn.Module]
    slip: Callable[[], Any]
    error: type[Exception]
    message: str


def samples(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def trained(module: Any, seed: int = 5) -> Any:
    """The module with parameters and running statistics as they might be after some training."""
    rng = np.random.default_rng(seed)
    for parameter in module.parameters():
        parameter.value = rng.normal(1, 0.5, parameter.shape).astype(parameter.dtype)
    for name in module.buffers:
        old = getattr(module, name)
        setattr(module, name, rng.uniform(0.5, 2, old.shape).astype(old.dtype))
    return module


def normalized(x: np.ndarray, axes: tuple[int, ...], eps: float) -> np.ndarray:
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def layer_norm(m: Any, x: np.ndarray) -> np.ndarray:
    y = normalized(x, tuple(range(-len(m.normalized_shape), 0)), m.eps)
    y = y if m.weight is None else y * m.weight.value
    return y if m.bias is None else y + m.bias.value


def batch_norm(m: Any, x: np.ndarray) -> np.ndarray:
    column = (slice(None),) + (None,) * (x.ndim - 2)
    if m.training:
        y = normalized(x, tuple(axis for axis in range(x.ndim) if axis != 1), m.eps)
    else:
        y = (x - m.running_mean[column]) / np.sqrt(m.running_var[column] + m.eps)
    return y * m.weight.value[column] + m.bias.value[column] if m.affine else y


def conv2d(
    m: Any, x: np.ndarray, stride: Any = (1, 1), padding: Any = (0, 0), dilation: Any = (1, 1)
) -> np.ndarray:
    """By SciPy: kernels with zeros between their entries, of whose results some are taken."""
    kernels = np.zeros((*m.weight.shape[:2], *((np.array(m.weight.shape[2:]) - 1) * dilation + 1)))
    kernels[:, :, :: dilation[0], :: dilation[1]] = m.weight.value
    x = np.pad(x, [(0, 0), (0, 0), *[(n, n) for n in padding]])
    width = kernels.shape[1]  # channels of one group, of which `outputs` are made
    outputs = len(kernels) * width // x.shape[1]

    def output(o: int) -> Any:
        seen = x[:, o // outputs * width :]
        return sum(
            scipy.signal.correlate(seen[:, c], kernels[o, c][None], "valid") for c in range(width)
        )

    y = np.stack([output(o) for o in range(len(kernels))], axis=1)
    y = y[:, :, :: stride[0], :: stride[1]]
    return y if m.bias is None else y + m.bias.value[:, None, None]


def pooled(
    x: np.ndarray, reduce: Callable[..., Any], size: Any, stride: Any, padding: Any = (0, 0)
) -> np.ndarray:
    """`reduce` over each window, in which the padding is NaN."""
    around = [(0, 0), (0, 0), *[(n, n) for n in padding]]
    windows = sliding_window_view(np.pad(x, around, constant_values=np.nan), size, (2, 3))
    return reduce(windows[:, :, :: stride[0], :: stride[1]], axis=(-2, -1))


def huber(m: Any, y: np.ndarray, t: np.ndarray) -> Any:
    return np.mean(scipy.special.huber(m.delta, y - t))


def bce(m: Any, y: np.ndarray, t: np.ndarray) -> Any:
    return -np.mean(scipy.special.xlogy(t, y) + scipy.special.xlog1py(1 - t, -y))


def bce_with_logits(m: Any, z: np.ndarray, t: np.ndarray) -> Any:
    p = 1.0 if m.pos_weight is None else m.pos_weight
    log_y, log_rest = scipy.special.log_expit(z), scipy.special.log_expit(-z)
    return -np.mean(p * t * log_y + (1 - t) * log_rest)


def cross_entropy(m: Any, z: np.ndarray, t: np.ndarray) -> Any:
    """Szegedy et al. 2016, section 7, with the weights as PyTorch documents them."""
    log_y = z - scipy.special.logsumexp(z, axis=1, keepdims=True)
    w = np.ones(z.shape[1]) if m.weight is None else m.weight
    total, loss = 0.0, 0.0
    for row, label in zip(log_y, t, strict=True):
        total += w[label]
        loss -= (1 - m.label_smoothing) * w[label] * row[label]
        loss -= m.label_smoothing / z.shape[1] * np.dot(w, row)
    return loss / total


def dropout(m: Any, x: np.ndarray) -> np.ndarray:
    """What `Dropout(p, rng=0)` does first."""
    if not m.training:
        return x
    kept = np.random.default_rng(0).random(x.shape) >= m.p
    return kept * x / (1 - m.p) if m.p < 1 else 0 * x
