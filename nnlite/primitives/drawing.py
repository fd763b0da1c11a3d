"""Random numbers, drawn anew in every run of a graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.dispatch import Value
from nnlite.primitives.base import Constantlike


class Uniform(Constantlike):
    """A vertex that draws from a generator."""

    def __init__(self, generator: np.random.Generator) -> None:
        super().__init__(lambda like: uniform(generator, like))
        self.generator = generator

    @property
    def label(self) -> str:
        return "uniform"


def uniform(generator: np.random.Generator, like: Any) -> Any:
    """Numbers from 0 to 1, float64, of the shape of `like`; of a node, anew in every run."""
    return Uniform(generator)(like) if isinstance(like, Value) else generator.random(np.shape(like))
