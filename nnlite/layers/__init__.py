"""The catalogue, one family a file.

Its names are imported when they are first used, so that the command line reads the registry, which
is here as well, without waiting for NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnlite.layers.activation import *
    from nnlite.layers.batch_normalization import *
    from nnlite.layers.convolution import *
    from nnlite.layers.cross_entropy import *
    from nnlite.layers.dropout import *
    from nnlite.layers.embedding import *
    from nnlite.layers.flatten import *
    from nnlite.layers.linear import *
    from nnlite.layers.losses import *
    from nnlite.layers.normalization import *
    from nnlite.layers.pooling import *
    from nnlite.layers.regularizers import *
    from nnlite.layers.softmax import *

FAMILIES = {
    "activation": "ELU GELU LeakyReLU ReLU Sigmoid SiLU Softplus Tanh",
    "batch_normalization": "BatchNorm1d BatchNorm2d",
    "convolution": "Conv2d",
    "cross_entropy": "BCE BCEWithLogits CrossEntropy",
    "dropout": "Dropout",
    "embedding": "Embedding",
    "flatten": "Flatten",
    "linear": "Linear",
    "losses": "Huber MAE MSE",
    "normalization": "LayerNorm",
    "pooling": "AvgPool2d MaxPool2d",
    "regularizers": "L1 L2",
    "softmax": "LogSoftmax Softmax",
}
_HOMES = {name: family for family, names in FAMILIES.items() for name in names.split()}

if not TYPE_CHECKING:  # for which the imports above are the names that there are
    __all__ = list(_HOMES)

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
