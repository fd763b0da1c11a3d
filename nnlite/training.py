"""Training: passes over the data, and what they did to the loss."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite.graph import Graph
from nnlite.loader import DataLoader
from nnlite.node import Node
from nnlite.optim import Optimizer


class DivergenceError(ArithmeticError):
    """The loss is no longer a finite number."""


def steps(graph: Graph, optimizer: Optimizer, loader: DataLoader) -> Iterator[float]:
    """One pass over `loader`, a step of `optimizer` for each batch; yields each batch's loss.

    Raises
    ------
    DivergenceError
        If a loss is not finite; the parameters stay as they were before that step.
    """
    for X, t in loader:
        with np.errstate(over="ignore", invalid="ignore"):
            loss = float(graph(X, t))
            if not np.isfinite(loss):
                raise DivergenceError(f"the loss became {loss}; a smaller learning rate may help")
            optimizer.zero_grad()
            graph.backward()
            optimizer.step()
        yield loss


def evaluate(
    graph: Graph, prediction: Node, X: NDArray[Any], t: NDArray[Any]
) -> tuple[float, float]:
    """The loss on (X, t), and the share of samples whose `prediction` lies on t's side of ½.

    Parameters
    ----------
    graph : Graph
        From (X, t) to the loss.
    prediction : Node
        The vertex of `graph` that holds the predicted probabilities, (batch, 1).
    X, t : ndarray, (m, n) and (m, 1)
        t is 0 or 1.
    """
    loss = float(graph(X, t))
    return loss, float(np.mean((prediction.value > 0.5) == (t > 0.5)))
