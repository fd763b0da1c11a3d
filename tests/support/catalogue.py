"""The table of modules: what each computes, and on which inputs.

`CASES` drives the generic properties of ``test_catalogue.py`` for every module of the library,
and a module without a row fails there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.signal
import scipy.special
from references import (
    Case,
    batch_norm,
    bce,
    bce_with_logits,
    conv2d,
    cross_entropy,
    dropout,
    huber,
    layer_norm,
    pooled,
    samples,
    trained,
)

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
