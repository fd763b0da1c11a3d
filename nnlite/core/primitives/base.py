"""What the modules for NumPy's functions share.

Every one has ``forward``, ``backward`` (a row times the Jacobian) and ``jvp`` (the Jacobian times
a column), all three written in NumPy functions that have rules, so that each can be
differentiated again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnlite.core.module import Module
from nnlite.core.node import Parameter


class Primitive(Module, of=__name__):
    """A module that stands for a NumPy function: no parameters, and nothing kept on itself."""

    _is_rule = True
    _is_watched = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(of=cls.__module__, **kwargs)

    def jvp(self, *tangents: Any) -> Any:
        """∂y = Σ ∂y/∂x_i · ẋ_i, where the tangent ẋ_i of a constant input is None."""
        raise NotImplementedError(f"{type(self).__name__} has no jvp")

    def named_parameters(self) -> list[tuple[str, Parameter]]:
        return []

    def parameters(self) -> list[Parameter]:
        return []


class LinearMap(Primitive):
    """A linear function of one array, which is its own tangent.

    A subclass defines ``linear(x)``, the function, and ``transposed(grad, shape)``, the transposed
    function from gradients of the output to those of an input of `shape`.
    """

    linear: Callable[..., Any]
    transposed: Callable[..., Any]

    def forward(self, x: Any) -> Any:
        self.save_for_backward(np.shape(x))
        return self.linear(x)

    def backward(self, grad: Any) -> Any:
        (shape,) = self.saved
        return self.transposed(grad, shape)

    def jvp(self, tangent: Any) -> Any:
        return self.linear(tangent)


class Constantlike(Primitive):
    """A function without a derivative, or whose derivative is zero wherever it has one.

    Its result carries no tangent and asks for no gradient: comparisons, ``floor``, ``argmax`` …
    """

    _is_differentiable = False

    def __init__(self, function: Callable[..., Any], **kwargs: Any) -> None:
        self.function = function
        self.kwargs = kwargs

    @property
    def label(self) -> str:
        return self.function.__name__

    def forward(self, *xs: Any) -> Any:
        return self.function(*xs, **self.kwargs)

    def backward(self, grad: Any) -> Any:
        raise NotImplementedError(f"np.{self.label} has no derivative")

    def __repr__(self) -> str:
        return f"np.{self.label}"


def unbroadcast(grad: Any, like: Any) -> Any:
    """Sum `grad` over the axes that broadcasting added or stretched in an array like `like`."""
    return sum_to_shape(grad, np.shape(like))


def sum_to_shape(grad: Any, new: tuple[int, ...]) -> Any:
    """Sum `grad` over the axes that broadcasting added to, or stretched in, the shape `new`."""
    shape = np.shape(grad)
    if shape == new:
        return grad
    added = len(shape) - len(new)
    stretched = [added + axis for axis, n in enumerate(new) if n != shape[added + axis]]
    return np.reshape(np.sum(grad, axis=(*range(added), *stretched)), new)


def total(terms: list[Any]) -> Any:
    """The sum of the terms that there are; None if there are none."""
    found = None
    for term in terms:
        if term is not None:
            found = term if found is None else found + term
    return found


def refuse(name: str, arguments: dict[str, Any]) -> None:
    """Raise if a NumPy function was given arguments that its rule does not have."""
    if arguments:
        given = ", ".join(f"{argument}=" for argument in arguments)
        raise TypeError(f"{name} of a node or a dual number does not support {given}; leave it out")


def refuse_given(name: str, unsupported: dict[str, Any], **left_out: Any) -> None:
    """`refuse` those arguments that NumPy has and the rule has not, unless they are None."""
    given = {argument: item for argument, item in left_out.items() if item is not None}
    refuse(name, unsupported | given)


def inverse_or_zero(y: Any) -> Any:
    """1/y, and 0 with all its derivatives where y is 0."""
    zero = np.equal(y, 0)
    return np.where(zero, 0, 1 / np.where(zero, 1, y))
