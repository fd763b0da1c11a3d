"""Training that left the finite numbers, and where it did so."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from nnlite.core.module import Module
from nnlite.core.names import names_of
from nnlite.core.node import Node
from nnlite.core.recording import Recording
from nnlite.graph.graph import Graph


class DivergenceError(ArithmeticError):
    """A loss, a gradient or a parameter is no longer a finite number."""


def is_finite(array: Any) -> bool:
    """Whether every entry is: quickly, where the sum of their squares is."""
    return math.isfinite(np.vdot(array, array)) or bool(np.isfinite(array).all())


def first_value(model: Module) -> str:
    """The first vertex of the last pass whose value is not finite, in words."""
    return _first(vertices(model), "value")


def first_gradient(model: Module) -> str:
    """The first vertex, from the output backwards, whose gradient is not finite, in words."""
    return _first(reversed(vertices(model)), "grad")


def vertices(model: Module) -> Sequence[Node]:
    """Those of a graph, or those that a composite recorded in its last pass, in their order."""
    if isinstance(model, Graph):
        return model.nodes
    saved = getattr(model._vertex, "_saved", None)
    if not saved or not isinstance(saved[0], Recording):
        return ()
    recording = saved[0]
    for path, parameter in model.named_parameters():
        recording.leaves[parameter].name = path
    nodes = [*recording.inputs, *recording.leaves.values(), *recording.order]
    names_of(nodes)
    return nodes


def _first(nodes: Iterable[Node], attribute: str) -> str:
    for node in nodes:
        array = getattr(node, attribute)
        if array is not None and not np.all(np.isfinite(array)):
            return f"{node.name!r}" + ("" if node.module is None else f", {node.module!r}")
    return "not known"
