"""What has a name on the command line and in a run's files, and the class behind the name.

No class comes out of a file in another way: a name that is not listed here is refused. The tables
hold names only, so that reading them imports nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

ACTIVATIONS = {
    "elu": "layers.activation:ELU",
    "gelu": "layers.activation:GELU",
    "leaky_relu": "layers.activation:LeakyReLU",
    "relu": "layers.activation:ReLU",
    "sigmoid": "layers.activation:Sigmoid",
    "silu": "layers.activation:SiLU",
    "softplus": "layers.activation:Softplus",
    "tanh": "layers.activation:Tanh",
}
LOSSES = {
    "bce": "layers.cross_entropy:BCEWithLogits",
    "cross_entropy": "layers.cross_entropy:CrossEntropy",
    "huber": "layers.losses:Huber",
    "mae": "layers.losses:MAE",
    "mse": "layers.losses:MSE",
}
OPTIMIZERS = {
    "adagrad": "optim.adagrad:Adagrad",
    "adam": "optim.adam:Adam",
    "adamw": "optim.adam:AdamW",
    "rmsprop": "optim.rmsprop:RMSprop",
    "sgd": "optim.sgd:SGD",
}
SCHEDULES = {
    "cosine": "optim.schedules.decay:CosineAnnealingLR",
    "exponential": "optim.schedules.decay:ExponentialLR",
    "inverse_scaling": "optim.schedules.decay:InverseScaling",
    "one_cycle": "optim.schedules.one_cycle:OneCycleLR",
    "plateau": "optim.schedules.plateau:ReduceLROnPlateau",
    "step": "optim.schedules.decay:StepLR",
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
    <class 'nnlite.Adam'>
    """
    if name not in table:
        raise ValueError(f"{name!r} is none of {', '.join(table)}")
    file, _, kind = table[name].partition(":")
    return getattr(import_module(f"nnlite.{file}"), kind)
