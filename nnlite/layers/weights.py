"""The weights of a layer: their first values, and the dtype that they ask of x."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from nnlite.core.node import Parameter
from nnlite.core.text import shape_and_dtype
from nnlite.layers.init import uniform

Initializer = Callable[..., Any]
"""``f(shape, *, dtype, rng)``, such as those in ``nnlite.init``."""


def initial(
    layer: Any, init: Initializer, shape: tuple[int, ...], dtype: Any, rng: np.random.Generator
) -> Parameter:
    """A parameter of a layer with values of `init`.

    Raises
    ------
    TypeError
        If `init` cannot be called.
    ValueError
        If its values have another shape or dtype.
    """
    name = type(layer).__name__
    if not callable(init):
        raise TypeError(f"{name}: init is an initialiser, such as nn.init.he_normal, got {init!r}")
    values = np.asarray(init(shape, dtype=dtype, rng=rng))
    if (values.shape, values.dtype) != (shape, dtype):
        raise ValueError(
            f"{name}: init was asked for {np.dtype(dtype)}{list(shape)} and gave "
            f"{shape_and_dtype(values)}"
        )
    return Parameter(values)


def uniform_in(fan_in: int) -> Initializer:
    """Uniform in ±1/√fan_in, as PyTorch's layers begin."""
    bound = 1 / float(np.sqrt(fan_in))
    return partial(uniform, low=-bound, high=bound)


def check_dtype(layer: Any, x: Any, dtype: Any, owner: str = "weight") -> None:
    """Refuse an x of another dtype than the weights, which would change that of the result."""
    if x.dtype != dtype:
        raise TypeError(
            f"{layer!r}: x has dtype {x.dtype} and the {owner} {dtype}; convert one of them, "
            f"x.astype(np.{dtype}) or {type(layer).__name__}(..., dtype=...): dtypes are never "
            "changed silently"
        )
