"""Random numbers, drawn anew in every run of a graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from nnlite.core.generators import same_state
from nnlite.core.node import Node
from nnlite.core.primitives.base import Constantlike
from nnlite.core.value import Value


class Uniform(Constantlike):
    """A vertex that draws from a generator."""

    def __init__(self, generator: np.random.Generator) -> None:
        super().__init__(lambda like: uniform_noise(generator, like))
        self.generator = generator

    @property
    def label(self) -> str:
        return "uniform"


def uniform_noise(generator: np.random.Generator, like: Any) -> Any:
    """Numbers from 0 to 1, float64, of the shape of `like`; of a node, anew in every run."""
    return Uniform(generator)(like) if isinstance(like, Value) else generator.random(np.shape(like))


def is_drawn_unseen(
    generators: Sequence[np.random.Generator], before: Sequence[Any], vertices: Iterable[Node]
) -> bool:
    """Whether a generator is not in the state that it had before, though no vertex draws from it.

    What a module drew from it is a constant of the recorded graph then, the same in every run.
    """
    known = [node.module.generator for node in vertices if isinstance(node.module, Uniform)]
    return any(
        not same_state(generator.bit_generator.state, state)
        and all(generator is not other for other in known)
        for generator, state in zip(generators, before)
    )
