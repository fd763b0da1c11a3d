"""The table of modules: what each computes, on which inputs, and which slips it explains.

`CASES` drives the generic properties of ``test_catalogue.py`` for every module of the library,
and a module without a row fails there. References are NumPy and SciPy alone, on float64.
"""

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
from nnlite.layers.activation import (
    ELU,
    GELU,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
)
from nnlite.layers.batch_normalization import BatchNorm1d, BatchNorm2d
from nnlite.layers.convolution import Conv2d
from nnlite.layers.cross_entropy import BCE, BCEWithLogits, CrossEntropy
from nnlite.layers.dropout import Dropout
from nnlite.layers.embedding import Embedding
from nnlite.layers.flatten import Flatten
from nnlite.layers.linear import Linear
from nnlite.layers.losses import MAE, MSE, Huber
from nnlite.layers.normalization import LayerNorm
from nnlite.layers.pooling import AvgPool2d, MaxPool2d
from nnlite.layers.regularizers import L1, L2
from nnlite.layers.softmax import LogSoftmax, Softmax


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


def elementwise(make: Callable[[], nn.Module], function: Callable[..., Any], repr: str) -> Case:
    return Case(lambda dtype: make(), (Z,), lambda m, z: function(z), repr)


Z = np.linspace(-2.1, 2.1, 12).reshape(3, 4)
"""On both sides of 0, and no closer to it than 0.19."""
X = samples(4, 3)
T = X + np.where(X > 0, -0.7, 1.5)
"""Targets that differ from `X` by 0.7 and by 1.5."""
IMAGES = samples(3, 2, 4, 5)
APART = np.random.default_rng(0).permutation(120).reshape(3, 2, 4, 5) / 2
P = np.linspace(0.2, 0.8, 12).reshape(4, 3)
SOFT = np.linspace(0.9, 0.1, 12).reshape(4, 3)
HARD = (X > 0).astype(np.float64)
LABELS = np.array([0, 2, 2, 1])
EMPTY_BATCH = "the batch is empty"
ENDS = np.where(X > 0, 1.0, 0.0)

CASES: list[Case] = [
    Case(
        lambda dtype: Linear(3, 2, dtype=dtype, rng=0),
        (X,),
        lambda m, x: x @ m.weight.value + m.bias.value,
        "Linear(3, 2)",
    ),
    Case(
        lambda dtype: Linear(3, 2, bias=False, dtype=dtype, rng=0),
        (samples(2, 4, 3),),
        lambda m, x: x @ m.weight.value,
        "Linear(3, 2, bias=False)",
    ),
    elementwise(Sigmoid, scipy.special.expit, "Sigmoid()"),
    elementwise(Tanh, lambda z: 2 * scipy.special.expit(2 * z) - 1, "Tanh()"),
    elementwise(ReLU, lambda z: z * (z > 0), "ReLU()"),
    elementwise(LeakyReLU, lambda z: z * np.where(z > 0, 1, 0.01), "LeakyReLU()"),
    elementwise(
        lambda: LeakyReLU(-0.5),
        lambda z: z * np.where(z > 0, 1, -0.5),
        "LeakyReLU(negative_slope=-0.5)",
    ),
    elementwise(ELU, lambda z: np.where(z > 0, z, np.exp(z) - 1), "ELU()"),
    elementwise(
        lambda: ELU(0.5), lambda z: np.where(z > 0, z, 0.5 * np.exp(z) - 0.5), "ELU(alpha=0.5)"
    ),
    elementwise(GELU, lambda z: z * scipy.special.ndtr(z), "GELU()"),
    elementwise(
        lambda: GELU("tanh"),
        lambda z: z / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))),
        "GELU(approximate='tanh')",
    ),
    elementwise(SiLU, lambda z: z * scipy.special.expit(z), "SiLU()"),
    elementwise(Softplus, lambda z: -scipy.special.log_expit(-z), "Softplus()"),
    elementwise(
        lambda: Softplus(2, 1.5),
        lambda z: np.where(2 * z > 1.5, z, np.log(1 + np.exp(2 * z)) / 2),
        "Softplus(beta=2.0, threshold=1.5)",
    ),
    elementwise(Softmax, lambda z: scipy.special.softmax(z, axis=-1), "Softmax()"),
    Case(
        lambda dtype: Softmax(1),
        (IMAGES,),
        lambda m, z: scipy.special.softmax(z, axis=1),
        "Softmax(axis=1)",
    ),
    elementwise(LogSoftmax, lambda z: scipy.special.log_softmax(z, axis=-1), "LogSoftmax()"),
    Case(
        lambda dtype: LogSoftmax(1),
        (IMAGES,),
        lambda m, z: scipy.special.log_softmax(z, axis=1),
        "LogSoftmax(axis=1)",
    ),
    Case(lambda dtype: trained(LayerNorm(3, dtype=dtype)), (X,), layer_norm, "LayerNorm((3,))"),
    Case(
        lambda dtype: trained(LayerNorm((4, 5), eps=0.1, bias=False, dtype=dtype)),
        (IMAGES,),
        layer_norm,
        "LayerNorm((4, 5), eps=0.1, bias=False)",
    ),
    Case(
        lambda dtype: LayerNorm(3, elementwise_affine=False, dtype=dtype),
        (X,),
        layer_norm,
        "LayerNorm((3,), elementwise_affine=False, bias=False)",
    ),
    Case(
        lambda dtype: trained(BatchNorm1d(3, dtype=dtype)),
        (X,),
        batch_norm,
        "BatchNorm1d(3)",
        empty="at least 2 values a channel",
    ),
    Case(
        lambda dtype: BatchNorm1d(2, eps=0.1, affine=False, dtype=dtype),
        (samples(3, 2, 4),),
        batch_norm,
        "BatchNorm1d(2, eps=0.1, affine=False)",
        empty="at least 2 values a channel",
    ),
    Case(
        lambda dtype: trained(BatchNorm1d(3, momentum=0.5, dtype=dtype)),
        (X,),
        batch_norm,
        "BatchNorm1d(3, momentum=0.5)",
        evaluating=True,
    ),
    Case(
        lambda dtype: trained(BatchNorm2d(2, dtype=dtype)),
        (IMAGES,),
        batch_norm,
        "BatchNorm2d(2)",
        empty="at least 2 values a channel",
    ),
    Case(
        lambda dtype: trained(BatchNorm2d(2, dtype=dtype)),
        (IMAGES,),
        batch_norm,
        "BatchNorm2d(2)",
        evaluating=True,
    ),
    Case(
        lambda dtype: Conv2d(2, 3, 3, dtype=dtype, rng=0),
        (IMAGES,),
        conv2d,
        "Conv2d(2, 3, 3)",
    ),
    Case(
        lambda dtype: Conv2d(
            2, 4, (3, 2), (2, 1), (1, 0), (1, 2), groups=2, bias=False, dtype=dtype, rng=0
        ),
        (IMAGES,),
        lambda m, x: conv2d(m, x, stride=(2, 1), padding=(1, 0), dilation=(1, 2)),
        "Conv2d(2, 4, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2, "
        "bias=False)",
    ),
    Case(
        lambda dtype: MaxPool2d(2),
        (APART,),
        lambda m, x: pooled(x, np.max, (2, 2), (2, 2)),
        "MaxPool2d(2)",
    ),
    Case(
        lambda dtype: MaxPool2d((3, 2), (2, 1), 1),
        (APART,),
        lambda m, x: pooled(x, np.nanmax, (3, 2), (2, 1), (1, 1)),
        "MaxPool2d((3, 2), stride=(2, 1), padding=1)",
    ),
    Case(
        lambda dtype: AvgPool2d((2, 3), (1, 2)),
        (IMAGES,),
        lambda m, x: pooled(x, np.mean, (2, 3), (1, 2)),
        "AvgPool2d((2, 3), stride=(1, 2))",
    ),
    Case(
        lambda dtype: AvgPool2d(3, 2, 1),
        (IMAGES,),
        lambda m, x: pooled(x, np.nansum, (3, 3), (2, 2), (1, 1)) / 9,
        "AvgPool2d(3, stride=2, padding=1)",
    ),
    Case(
        lambda dtype: AvgPool2d(3, 2, 1, count_include_pad=False),
        (IMAGES,),
        lambda m, x: pooled(x, np.nanmean, (3, 3), (2, 2), (1, 1)),
        "AvgPool2d(3, stride=2, padding=1, count_include_pad=False)",
    ),
    Case(lambda dtype: Dropout(rng=0), (X,), dropout, "Dropout()"),
    Case(lambda dtype: Dropout(0.2, rng=0), (IMAGES,), dropout, "Dropout(p=0.2)"),
    Case(lambda dtype: Dropout(1, rng=0), (X,), dropout, "Dropout(p=1.0)"),
    Case(lambda dtype: Dropout(rng=0), (X,), dropout, "Dropout()", evaluating=True),
    Case(
        lambda dtype: Embedding(4, 3, dtype=dtype, rng=0),
        (np.array([[0, 3], [2, 3], [3, 0]]),),
        lambda m, i: np.eye(4)[i] @ m.weight.value,
        "Embedding(4, 3)",
    ),
    Case(
        lambda dtype: Flatten(),
        (IMAGES,),
        lambda m, x: np.array([[*sample.flat] for sample in x]).reshape(-1, 40),
        "Flatten()",
    ),
    Case(
        lambda dtype: Flatten(-3, 2),
        (IMAGES,),
        lambda m, x: np.concatenate([x[:, 0], x[:, 1]], axis=1),
        "Flatten(start_axis=-3, end_axis=2)",
    ),
    Case(lambda dtype: MSE(), (X, T), lambda m, y, t: np.mean((y - t) ** 2), "MSE()", EMPTY_BATCH),
    Case(lambda dtype: MAE(), (X, T), lambda m, y, t: np.mean(abs(y - t)), "MAE()", EMPTY_BATCH),
    Case(lambda dtype: Huber(), (X, T), huber, "Huber()", EMPTY_BATCH),
    Case(lambda dtype: Huber(0.4), (X, T), huber, "Huber(delta=0.4)", EMPTY_BATCH),
    Case(lambda dtype: BCE(), (P, SOFT), bce, "BCE()", EMPTY_BATCH, extreme=(ENDS, 1 - ENDS)),
    Case(lambda dtype: BCE(), (P, LABELS[:, None] > [0, 1, 0]), bce, "BCE()", EMPTY_BATCH, (ENDS,)),
    Case(lambda dtype: BCEWithLogits(), (X, SOFT), bce_with_logits, "BCEWithLogits()", EMPTY_BATCH),
    Case(
        lambda dtype: BCEWithLogits(pos_weight=np.array([1.0, 2.0, 0.0])),
        (X, HARD),
        bce_with_logits,
        "BCEWithLogits()",
        EMPTY_BATCH,
    ),
    Case(
        lambda dtype: BCEWithLogits(3.0),
        (X, LABELS[:, None] > [0, 1, 0]),
        bce_with_logits,
        "BCEWithLogits(pos_weight=3.0)",
        EMPTY_BATCH,
    ),
    Case(lambda dtype: CrossEntropy(), (X, LABELS), cross_entropy, "CrossEntropy()", EMPTY_BATCH),
    Case(
        lambda dtype: CrossEntropy(label_smoothing=0.1),
        (X, LABELS.astype(np.uint8)),
        cross_entropy,
        "CrossEntropy(label_smoothing=0.1)",
        EMPTY_BATCH,
    ),
    Case(
        lambda dtype: CrossEntropy([1.0, 3.0, 0.25], 0.2),
        (X, LABELS),
        cross_entropy,
        "CrossEntropy(label_smoothing=0.2)",
        EMPTY_BATCH,
    ),
    Case(lambda dtype: L2(), (X,), lambda m, w: (w**2).sum() / 2, "L2()"),
    Case(lambda dtype: L1(), (Z,), lambda m, w: abs(w).sum(), "L1()"),
]

X32 = X.astype(np.float32)
ONE_HOT = np.eye(3)[LABELS]
NODE = nn.Input("x")
FORGOTTEN = "was a second set of parentheses forgotten"

MISTAKES: list[Mistake] = [
    Mistake(Linear, lambda: Linear(4, 2)(np.ones((4, 3))), ValueError, "x transposed.*x.T"),
    Mistake(Linear, lambda: Linear(0, 2), ValueError, "in_features is a whole number"),
    Mistake(Linear, lambda: Linear(3, 2)(X32), TypeError, "x has dtype float32"),
    *(
        Mistake(kind, lambda kind=kind, x=x: kind(x), TypeError, FORGOTTEN)
        for kind in (Sigmoid, Tanh, ReLU, LeakyReLU, ELU, GELU, SiLU, Softplus, Softmax)
        for x in (X, NODE)
    ),
    *(
        Mistake(kind, lambda kind=kind, x=x: kind(x), TypeError, FORGOTTEN)
        for kind in (LogSoftmax, LayerNorm, BatchNorm1d, BatchNorm2d, Dropout, Flatten, L1, L2)
        for x in (X, NODE)
    ),
    *(
        Mistake(kind, lambda kind=kind, t=t: kind(NODE, t), TypeError, FORGOTTEN)
        for kind in (MSE, MAE, Huber, BCE, BCEWithLogits, CrossEntropy)
        for t in (T, NODE)
    ),
    Mistake(Sigmoid, lambda: Sigmoid(X), TypeError, r"as in Sigmoid\(\)\(x\)\?"),
    Mistake(LeakyReLU, lambda: LeakyReLU("0.1"), TypeError, "negative_slope is .*got '0.1'"),
    Mistake(ELU, lambda: ELU(np.inf), ValueError, "alpha is a finite number, got inf"),
    Mistake(GELU, lambda: GELU("erf"), ValueError, "approximate is 'none' or 'tanh', got 'erf'"),
    Mistake(GELU, lambda: GELU(True), TypeError, "approximate is 'none' or 'tanh', got True"),
    Mistake(Softplus, lambda: Softplus(0), ValueError, "beta is a finite number above 0, got 0"),
    Mistake(Softmax, lambda: Softmax(2)(X), ValueError, r"z of shape \(4, 3\) has no axis 2"),
    Mistake(Softmax, lambda: Softmax(0.5), TypeError, "axis is a whole number, got 0.5"),
    Mistake(Softmax, lambda: Softmax()(X[:, :0]), ValueError, "has nothing along axis -1"),
    Mistake(LogSoftmax, lambda: LogSoftmax(2)(X), ValueError, "has no axis 2"),
    Mistake(LayerNorm, lambda: LayerNorm(4)(X), ValueError, r"expected x of shape \(..., 4\)"),
    Mistake(LayerNorm, lambda: LayerNorm(3)(X32), TypeError, "x has dtype float32 .* float64"),
    Mistake(LayerNorm, lambda: LayerNorm((3, 0)), ValueError, "normalized_shape is a whole"),
    Mistake(LayerNorm, lambda: LayerNorm(()), ValueError, "one length or several, got none"),
    Mistake(LayerNorm, lambda: LayerNorm(3, -1), ValueError, "eps is .* at least 0, got -1"),
    Mistake(LayerNorm, lambda: LayerNorm(3, dtype=int), TypeError, "dtype is a floating dtype"),
    Mistake(BatchNorm1d, lambda: BatchNorm1d(4)(X), ValueError, "transposed.*pass x.T"),
    Mistake(BatchNorm1d, lambda: BatchNorm1d(3)(X[0]), ValueError, r"batch axis.*x\[None\]"),
    Mistake(BatchNorm1d, lambda: BatchNorm1d(3)(X[:1]), ValueError, "2 values a channel.*has 1"),
    Mistake(BatchNorm1d, lambda: BatchNorm1d(3)(X32), TypeError, "x has dtype float32"),
    Mistake(BatchNorm1d, lambda: BatchNorm1d(3, momentum=2), ValueError, "from 0 to 1, got 2"),
    Mistake(BatchNorm2d, lambda: BatchNorm2d(5)(IMAGES), ValueError, r"np.moveaxis\(x, -1, 1\)"),
    Mistake(BatchNorm2d, lambda: BatchNorm2d(2)(IMAGES[0]), ValueError, "batch axis missing"),
    Mistake(BatchNorm2d, lambda: BatchNorm2d(3)(X), ValueError, r"\(batch, 3, height, width\)"),
    Mistake(Conv2d, lambda: Conv2d(5, 3, 3)(IMAGES), ValueError, r"channels last.*moveaxis"),
    Mistake(Conv2d, lambda: Conv2d(2, 3, 3)(IMAGES[0]), ValueError, r"batch axis.*x\[None\]"),
    Mistake(Conv2d, lambda: Conv2d(2, 3, 5)(IMAGES), ValueError, "5 × 5 pixels.* has 4 × 5"),
    Mistake(Conv2d, lambda: Conv2d(2, 3, 0), ValueError, "kernel_size is a whole .*got 0"),
    Mistake(Conv2d, lambda: Conv2d(2, 3, 1, dtype="f")(IMAGES), TypeError, "x has dtype float64"),
    Mistake(MaxPool2d, lambda: MaxPool2d(2)(X), ValueError, "rows of pixels.*x.reshape"),
    Mistake(MaxPool2d, lambda: MaxPool2d(IMAGES), TypeError, r"as in MaxPool2d\(...\)\(x\)"),
    Mistake(AvgPool2d, lambda: AvgPool2d(5)(IMAGES), ValueError, "5 × 5 pixels.* has 4 × 5"),
    Mistake(AvgPool2d, lambda: AvgPool2d(2, 0), ValueError, "stride is a whole number .*got 0"),
    Mistake(Dropout, lambda: Dropout(1.5), ValueError, "p is a probability.*got 1.5"),
    Mistake(Dropout, lambda: Dropout()(LABELS), TypeError, "x are floats, got dtype int64"),
    Mistake(Embedding, lambda: Embedding(0, 3), ValueError, "num_embeddings is .* at least 1"),
    Mistake(Embedding, lambda: Embedding(3, 2)(ONE_HOT), TypeError, "one-hot.*argmax"),
    Mistake(Embedding, lambda: Embedding(2, 2)(LABELS), IndexError, "from 0 to 1, got 2"),
    Mistake(Embedding, lambda: Embedding(2, 2)(-LABELS), IndexError, "from 0 to 1, got -2"),
    Mistake(Flatten, lambda: Flatten()(X[0]), ValueError, r"batch axis missing.*x\[None\]"),
    Mistake(Flatten, lambda: Flatten(2, 1)(IMAGES), ValueError, "axis 2 comes after axis 1"),
    Mistake(Flatten, lambda: Flatten(1.0), TypeError, "start_axis is a whole number, got 1.0"),
    Mistake(MSE, lambda: MSE()(X, X[:, 0]), ValueError, "must be the same"),
    Mistake(MAE, lambda: MAE()(X, X[:, 0]), ValueError, "must be the same"),
    Mistake(Huber, lambda: Huber(0), ValueError, "delta is a finite number above 0, got 0"),
    Mistake(Huber, lambda: Huber()(X, X32), TypeError, "y has dtype float64 and t float32"),
    Mistake(BCE, lambda: BCE()(X, HARD), ValueError, "are they logits.*BCEWithLogits"),
    Mistake(BCE, lambda: BCE()(LABELS, P[:, 0]), TypeError, "are y and t exchanged"),
    Mistake(BCEWithLogits, lambda: BCEWithLogits()(X, X32), TypeError, "and t float32"),
    Mistake(BCEWithLogits, lambda: BCEWithLogits(-1), ValueError, "pos_weight is .*got -1"),
    Mistake(
        BCEWithLogits, lambda: BCEWithLogits([1, 2])(X, HARD), ValueError, "pos_weight has shape"
    ),
    Mistake(CrossEntropy, lambda: CrossEntropy()(X, ONE_HOT), ValueError, "one-hot.*argmax"),
    Mistake(CrossEntropy, lambda: CrossEntropy()(X.T, LABELS), ValueError, "z transposed.*z.T"),
    Mistake(CrossEntropy, lambda: CrossEntropy()(X[0], LABELS[0]), ValueError, "batch axis"),
    Mistake(CrossEntropy, lambda: CrossEntropy()(X, LABELS[:, None]), ValueError, r"t\[:, 0\]"),
    Mistake(CrossEntropy, lambda: CrossEntropy()(X, LABELS / 1), TypeError, "t are integers"),
    Mistake(CrossEntropy, lambda: CrossEntropy()(X, LABELS + 1), ValueError, "from 0 to 2, got 3"),
    Mistake(CrossEntropy, lambda: CrossEntropy()(X, LABELS - 1), ValueError, "0 to 2, got -1"),
    Mistake(CrossEntropy, lambda: CrossEntropy()(LABELS, X), TypeError, "z and t exchanged"),
    Mistake(CrossEntropy, lambda: CrossEntropy([1, 2])(X, LABELS), ValueError, "for 2 classes"),
    Mistake(CrossEntropy, lambda: CrossEntropy(np.nan), ValueError, "weight is .*got nan"),
    Mistake(CrossEntropy, lambda: CrossEntropy(2.0), ValueError, "one number a class"),
    Mistake(CrossEntropy, lambda: CrossEntropy(None, 2), ValueError, "from 0 to 1, got 2"),
]
