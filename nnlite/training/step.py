"""One step of training: a batch's loss, its gradient, and what the optimiser makes of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnlite.module import Module
from nnlite.optim import Optimizer, clip_grad_norm
from nnlite.training.divergence import DivergenceError, first_gradient, first_value, is_finite
from nnlite.training.evaluation import as_number


class Step:
    """Makes steps of an optimiser, and none that starts from a number that is not finite.

    Parameters
    ----------
    graph : Module
        From (x, t) to the loss.
    optimizer : Optimizer
    clip_norm : float, optional
        The largest norm of all gradients together.
    """

    def __init__(self, graph: Module, optimizer: Optimizer, clip_norm: float | None) -> None:
        self.graph = graph
        self.optimizer = optimizer
        self.clip_norm = clip_norm
        self._buffers = [(module, name) for module in graph.modules() for name in module.buffers]

    def __call__(self, X: Any, t: Any) -> float:
        """Make a step, and return the loss before it.

        Raises
        ------
        DivergenceError
            If the loss or a gradient is not finite; parameters and buffers are then as they were.
        """
        buffers = [(module, name, getattr(module, name)) for module, name in self._buffers]
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                loss = self._loss_and_gradients(X, t)
                self._check_finite(loss)
                if self.clip_norm is not None:
                    clip_grad_norm(self.optimizer.parameters, self.clip_norm)
                self.optimizer.step()
        except DivergenceError:
            for module, name, array in buffers:
                setattr(module, name, array)
            raise
        return loss

    def _loss_and_gradients(self, X: Any, t: Any) -> float:
        """The loss of a batch; the parameters then hold its gradient, if the loss is finite."""
        self.graph.zero_grad()
        loss = as_number(self.graph(X, t))
        if math.isfinite(loss):
            self.graph.backward()
        return loss

    def _check_finite(self, loss: float) -> None:
        what, first = f"the loss became {loss}", first_value
        if math.isfinite(loss):
            gradients = [parameter.grad for parameter in self.optimizer.parameters]
            if all(gradient is None or is_finite(gradient) for gradient in gradients):
                return
            what, first = "the loss is finite and a gradient is not", first_gradient
        raise DivergenceError(
            f"{what}: the first vertex that is not finite is {first(self.graph)}; a smaller "
            "learning rate may help"
        )
