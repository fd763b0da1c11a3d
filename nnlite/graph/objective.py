"""Objective: a graph as a function of one flat vector of parameters, for SciPy's optimisers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlite.core.dual import Dual
from nnlite.core.value import next_level
from nnlite.core.vector import Packing
from nnlite.graph.graph import Graph

Theta = NDArray[np.float64]


class Objective:
    """A graph with given inputs as a function of its parameters.

    The names are those of `scipy.optimize.minimize`. Calls leave the parameters of the graph and
    their gradients as they were; `store` changes them.

    Parameters
    ----------
    graph : Graph
        With one output of one element, and at least one parameter.
    *inputs : array_like
        What the graph runs on.

    Attributes
    ----------
    theta : float64 array, (size,)
        The parameters as they are, one after the other in the order of ``graph.parameters()``.

    Examples
    --------
    >>> from nnlite import Graph, Input, Parameter
    >>> w, x = Parameter(np.array([1.0, 2.0])), Input("x")
    >>> objective = Objective(Graph([x], (w * w * x).sum()), np.array([3.0, 4.0]))
    >>> objective.fun(objective.theta), objective.jac(objective.theta)
    (19.0, array([ 6., 16.]))
    >>> objective.hessp(objective.theta, np.array([1.0, 0.0]))
    array([6., 0.])
    """

    def __init__(self, graph: Graph, *inputs: Any) -> None:
        self.graph = graph
        self.inputs = inputs
        self.parameters = graph.parameters()
        if not self.parameters:
            raise ValueError("Objective: the graph has no parameters to be a function of")
        self._packing = Packing(self.parameters)
        self.size = self._packing.size

    @property
    def theta(self) -> Theta:
        return self._flat([parameter.value for parameter in self.parameters])

    def fun(self, theta: ArrayLike) -> float:
        """f(θ), for θ of (size,)."""
        with self._at(self.as_arrays(theta)):
            return float(np.asarray(self._value()).item())

    def jac(self, theta: ArrayLike) -> Theta:
        """∇f(θ), of (size,)."""
        with self._at(self.as_arrays(theta)):
            self._value()
            self.graph.backward()
            return self._flat(self._gradients())

    def hessp(self, theta: ArrayLike, v: ArrayLike) -> Theta:
        """∇²f(θ)·v, of (size,): back propagation on dual numbers, forward over reverse."""
        level = next_level()
        pairs = zip(self.as_arrays(theta), self.as_arrays(v))
        duals = [Dual(value, tangent, level) for value, tangent in pairs]
        with self._at(duals):
            self._value()
            self.graph.backward()
            return self._flat(
                [
                    g.tangent if isinstance(g, Dual) and g.level == level else np.zeros_like(g)
                    for g in self._gradients()
                ]
            )

    def store(self, theta: ArrayLike) -> None:
        """Give the graph's parameters the values in θ."""
        for parameter, value in zip(self.parameters, self.as_arrays(theta)):
            parameter.value = value

    def _value(self) -> Any:
        value = self.graph(*self.inputs)
        if np.size(value) != 1:
            raise ValueError(
                f"Objective: the graph's output has shape {np.shape(value)}; an objective has one "
                "element"
            )
        return value

    def _gradients(self) -> list[Any]:
        return [np.zeros_like(p.value) if p.grad is None else p.grad for p in self.parameters]

    def as_arrays(self, theta: ArrayLike) -> list[Any]:
        """θ, or a direction, as an array for each parameter, of its shape and dtype."""
        vector = np.array(theta)
        if vector.shape != (self.size,):
            raise ValueError(
                f"Objective: expected a vector of shape ({self.size},), one number for each "
                f"parameter of the graph, got {vector.shape}"
            )
        return [
            part.astype(parameter.dtype)
            for parameter, part in zip(self.parameters, self._packing.parts(vector))
        ]

    def _flat(self, arrays: list[Any]) -> Theta:
        return self._packing.fill(np.zeros(self.size), arrays)  # type: ignore[no-any-return]

    @contextmanager
    def _at(self, values: list[Any]) -> Iterator[None]:
        """Run with other parameters, and put everything back."""
        with self.graph._set_aside():
            for parameter, value in zip(self.parameters, values):
                parameter.value, parameter.grad = value, None
            yield
