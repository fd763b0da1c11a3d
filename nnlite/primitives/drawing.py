"""Random numbers, drawn anew in every run of a graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.dispatch import Value
from nnlite.primitives.base import Constantlike


def uniform(generator: np.random.Generator, like: Any) -> Any:
    """Numbers from 0 to 1, float64, of the shape of `like`."""

    def draw(like: Any) -> Any:
        return uniform(generator, like)

    if isinstance(like, Value):
        return Constantlike(draw)(like)
    return generator.random(np.shape(like))
