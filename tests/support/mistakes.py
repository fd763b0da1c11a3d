"""Slips in the use of modules, and what the errors about them say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from catalogue import HARD, IMAGES, LABELS, P, T, X
from references import Mistake

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

X32 = X.astype(np.float32)
ONE_HOT = np.eye(3)[LABELS]
NODE = nn.Input("x")
FORGOTTEN = "was a second set of parentheses forgotten"


def call(kind: Any, *arguments: Any) -> Callable[[], Any]:
    return lambda: kind(*arguments)


MISTAKES: list[Mistake] = [
    Mistake(Linear, lambda: Linear(4, 2)(np.ones((4, 3))), ValueError, "x transposed.*x.T"),
    Mistake(Linear, lambda: Linear(0, 2), ValueError, "in_features is a whole number"),
    Mistake(Linear, lambda: Linear(3, 2)(X32), TypeError, "x has dtype float32"),
    *(
        Mistake(kind, call(kind, x), TypeError, FORGOTTEN)
        for kind in (Sigmoid, Tanh, ReLU, LeakyReLU, ELU, GELU, SiLU, Softplus, Softmax)
        for x in (X, NODE)
    ),
    *(
        Mistake(kind, call(kind, x), TypeError, FORGOTTEN)
        for kind in (LogSoftmax, LayerNorm, BatchNorm1d, BatchNorm2d, Dropout, Flatten, L1, L2)
        for x in (X, NODE)
    ),
    *(
        Mistake(kind, call(kind, NODE, t), TypeError, FORGOTTEN)
        for kind in (MSE, MAE, Huber, BCE, BCEWithLogits, CrossEntropy)
        for t in (T, NODE)
    ),
    Mistake(Sigmoid, lambda: Sigmoid(X), TypeError, r"as in Sigmoid\(\)\(x\)\?"),
    Mistake(LeakyReLU, lambda: LeakyReLU("0.1"), TypeError, "negative_slope is .*got '0.1'"),  # type: ignore[arg-type]
    Mistake(ELU, lambda: ELU(np.inf), ValueError, "alpha is a finite number, got inf"),
    Mistake(GELU, lambda: GELU("erf"), ValueError, "approximate is 'none' or 'tanh', got 'erf'"),
    Mistake(GELU, lambda: GELU(True), TypeError, "approximate is 'none' or 'tanh', got True"),  # type: ignore[arg-type]
    Mistake(Softplus, lambda: Softplus(0), ValueError, "beta is a finite number above 0, got 0"),
    Mistake(Softmax, lambda: Softmax(2)(X), ValueError, r"z of shape \(4, 3\) has no axis 2"),
    Mistake(Softmax, lambda: Softmax(0.5), TypeError, "axis is a whole number, got 0.5"),  # type: ignore[arg-type]
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
    Mistake(MaxPool2d, lambda: MaxPool2d(IMAGES), TypeError, r"as in MaxPool2d\(...\)\(x\)"),  # type: ignore[arg-type]
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
    Mistake(Flatten, lambda: Flatten(1.0), TypeError, "start_axis is a whole number, got 1.0"),  # type: ignore[arg-type]
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
