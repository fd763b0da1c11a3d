"""One step of training: a batch's loss, its gradient, and what the optimiser makes of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnlite.core.module import Module
from nnlite.core.restoring import present, put_back
from nnlite.graph.graph import Graph
from nnlite.optim import Optimizer, clip_grad_norm
from nnlite.training.divergence import DivergenceError, first_gradient, first_value, is_finite
from nnlite.training.evaluation import as_number


class TrainingStep:
    """Makes steps of an optimiser, and none that starts from a number that is not finite.

    Parameters
    ----------
    graph : Module
        From (x, t) to the loss.
    optimizer : Optimizer
    clip_norm : float, optional
        The largest norm of all gradients together.
    compiled : bool
        Whether a graph that can be compiled runs as a program.
    """

    def __init__(
        self, graph: Module, optimizer: Optimizer, clip_norm: float | None, compiled: bool
    ) -> None:
        self.graph = graph
        self.optimizer = optimizer
        self.clip_norm = clip_norm
        self._program: Any = None
        self._is_compiled = False  # the step at hand
        self._refused: set[Any] = set()  # shapes for which no program can be written
        self.why_interpreted: str | None = "compile=False"
        if compiled:
            self._compile()
        self._buffers = [(module, name) for module in graph.modules() for name in module.buffers]

    def __call__(self, X: Any, t: Any) -> float:
        """Make a step, and return the loss before it.

        Raises
        ------
        DivergenceError
            If the loss or a gradient is not finite; parameters and buffers are then as they were.
        """
        buffers = present(self._buffers)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            loss = self._loss_and_gradients(X, t)
            if not self._is_finite(loss):
                put_back(buffers)
                message = self._divergence(loss, X, t)
                put_back(buffers)
                raise DivergenceError(message)
            if self.clip_norm is not None:
                clip_grad_norm(self.optimizer.parameters, self.clip_norm)
            self.optimizer.step()
        return loss

    def _compile(self) -> None:
        try:
            if not isinstance(self.graph, Graph):
                raise TypeError(f"{self.graph!r} is a module; nn.Graph([x, t], ...) is a graph")
            self._program, self.why_interpreted = self.graph.compile(), None
        except TypeError as error:
            self.why_interpreted = str(error)

    def _loss_and_gradients(self, X: Any, t: Any) -> float:
        """The loss of a batch; the parameters then hold its gradient, if the loss is finite."""
        shapes = np.shape(X), np.shape(t)
        self._is_compiled = self._program is not None and shapes not in self._refused
        if self._is_compiled:
            try:
                return float(self._program(X, t))
            except (TypeError, ValueError, NotImplementedError) as error:
                self._is_compiled = False
                self._refused.add(shapes)  # it runs as it is, or fails for the same reason
                self.why_interpreted = str(error)
        self.graph.zero_grad()
        value = self.graph(X, t)
        loss = as_number(value)
        if math.isfinite(loss):
            self.graph.backward(np.ones_like(value)[()])
        return loss

    def _is_finite(self, loss: float) -> bool:
        if self._is_compiled:
            return math.isfinite(loss) and is_finite(self._program.gradient)
        gradients = [parameter.grad for parameter in self.optimizer.parameters]
        return math.isfinite(loss) and all(
            gradient is None or is_finite(gradient) for gradient in gradients
        )

    def _divergence(self, loss: float, X: Any, t: Any) -> str:
        if self._is_compiled:  # so that the vertices have no values
            self._program, program = None, self._program
            loss_again = self._loss_and_gradients(X, t)
            self._program = program
            loss = loss if math.isfinite(loss_again) else loss_again
        what, first = f"the loss became {loss}", first_value
        if math.isfinite(loss):
            what, first = "the loss is finite and a gradient is not", first_gradient
        return (
            f"{what}: the first vertex that is not finite is {first(self.graph)}; a smaller "
            "learning rate may help"
        )
