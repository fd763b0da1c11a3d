"""What has a name on the command line and in a run's files, and the class behind the name.

No class comes out of a file in another way: a name that is not listed here is refused. The tables
hold names only, so that reading them imports nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ACTIVATIONS = {
    "elu": "ELU",
    "gelu": "GELU",
    "leaky_relu": "LeakyReLU",
    "relu": "ReLU",
    "sigmoid": "Sigmoid",
    "silu": "SiLU",
    "softplus": "Softplus",
    "tanh": "Tanh",
}
LOSSES = {
    "bce": "BCEWithLogits",
    "cross_entropy": "CrossEntropy",
    "huber": "Huber",
    "mae": "MAE",
    "mse": "MSE",
}
OPTIMIZERS = {
    "adagrad": "Adagrad",
    "adam": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSprop",
    "sgd": "SGD",
}
SCHEDULES = {
    "cosine": "CosineAnnealingLR",
    "exponential": "ExponentialLR",
    "inverse_scaling": "InverseScaling",
    "one_cycle": "OneCycleLR",
    "plateau": "ReduceLROnPlateau",
    "step": "StepLR",
}
LOSSES_OF_TASK = {
    "binary": ("mse", "bce"),
    "multiclass": ("cross_entropy",),
    "regression": ("mse", "mae", "huber"),
}
TASKS = tuple(LOSSES_OF_TASK)


def resolve(table: Mapping[str, str], name: str) -> Any:
    """The class that has this name in a table.

    Raises
    ------
    ValueError
        If the table has no such name.

    Examples
    --------
    >>> resolve(OPTIMIZERS, "adam")
    <class 'nnlite.optim.adam.Adam'>
    """
    if name not in table:
        raise ValueError(f"{name!r} is none of {', '.join(table)}")
    import nnlite

    return getattr(nnlite, table[name])
