"""PyTorch's optimisers as recurrences, and variants of ours."""

from __future__ import annotations

import pytest

from nnlite.optim import SGD, Adagrad, Adam, AdamW, RMSprop

ALL = [
    (SGD, {"momentum": 0.9, "weight_decay": 0.1, "nesterov": True}),
    (Adam, {"weight_decay": 0.1}),
    (AdamW, {}),
    (RMSprop, {"momentum": 0.9, "centered": True}),
    (Adagrad, {"lr_decay": 0.1}),
]

EACH = pytest.mark.parametrize(("kind", "variant"), ALL, ids=[kind.__name__ for kind, _ in ALL])
