"""Dual: a value and its tangent, forward propagation.

The chain rule from parents to children, ∂u/∂x = Σ ∂u/∂p_j · ∂p_j/∂x (seminar 3, *Forward
Propagation*), multiplied by a direction: each value carries its derivative along that direction
with it, and only what the next operation needs is stored.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.core.node import Node, Parameter, declared_vertex
from nnlite.core.value import Value


class Dual(Value):
    """A primal value and its tangent, the derivative along one direction.

    Attributes
    ----------
    primal : array, scalar, or Value of a lower level
    tangent : the same, of the primal's shape and dtype
    level : int
        Which derivative the tangent belongs to.
    """

    __slots__ = ("primal", "tangent", "level")

    def __init__(self, primal: Any, tangent: Any, level: int) -> None:
        self.primal = primal
        self.tangent = tangent
        self.level = level

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        return np.shape(self.primal)

    @property
    def dtype(self) -> np.dtype[Any]:  # type: ignore[override]
        return self.primal.dtype if hasattr(self.primal, "dtype") else np.result_type(self.primal)

    def _apply(self, module: Any, inputs: tuple[Any, ...]) -> Any:
        inputs = tuple([_given(item) for item in inputs])
        own = tuple([isinstance(item, Dual) and item.level == self.level for item in inputs])
        primals = [item.primal if is_own else item for item, is_own in zip(inputs, own)]
        vertex = Node._alone(own)
        try:
            if not module._is_differentiable:
                return module._forward_at(vertex, primals)
            if module.jvp is None and module._is_rule:
                raise NotImplementedError(
                    f"{type(module).__name__}, the rule for a NumPy function, has no "
                    "jvp(self, *tangents), which forward propagation needs; define it"
                )
            if module.jvp is None or self._feeds(module):
                return module._forward_at(vertex, inputs)
            value = module._forward_at(vertex, primals)
            tangents = [item.tangent if is_own else None for item, is_own in zip(inputs, own)]
            with module.at(vertex):
                tangent = module.jvp(*tangents)
            return Dual(value, _checked_tangent(tangent, value, module), self.level)
        except Exception as error:
            error.add_note(f"in forward propagation through {module!r}")
            raise

    def _feeds(self, module: Any) -> bool:
        """Whether a parameter of the module has a tangent, of which its ``jvp`` knows nothing."""
        values = [parameter.value for parameter in module.parameters()]
        return any(isinstance(value, Dual) and value.level == self.level for value in values)

    def __bool__(self) -> bool:
        return bool(self.primal)

    def __repr__(self) -> str:
        return f"Dual({self.primal!r}, {self.tangent!r})"


def _given(item: Any) -> Any:
    """An input as a value: parameters that no derivative is taken of are constants."""
    if isinstance(item, Parameter):
        return item.value
    if isinstance(item, Node) and item.level == 0:
        raise declared_vertex(item)
    return item


def _checked_tangent(tangent: Any, value: Any, module: Any) -> Any:
    if tangent is None:
        raise TypeError(f"{module!r}.jvp returned None; was `return` forgotten?")
    if np.shape(tangent) != np.shape(value):
        raise ValueError(
            f"{module!r}.jvp returned a tangent of shape {np.shape(tangent)} for a value of shape "
            f"{np.shape(value)}; the two must be the same"
        )
    same = not hasattr(tangent, "dtype") or tangent.dtype == value.dtype
    return tangent if same else tangent.astype(value.dtype)
