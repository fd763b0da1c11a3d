"""Reverse mode: a row times the Jacobian, and gradients (seminar 3, *Multiplying the Jacobian*)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from nnlite.autodiff.primals import (
    Argnums,
    Function,
    as_float,
    check_argnums,
    of_chosen,
    positions_of,
)
from nnlite.core.recording import Recording, functional


def vjp(f: Function, *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value of f, and the function that multiplies its Jacobian by a row from the left.

    Parameters
    ----------
    f : callable
        A function, Module or Graph.
    *primals : array_like of floats
        The arguments of f.

    Returns
    -------
    value : array
        f(*primals).
    pullback : callable
        From a cotangent of the value's shape to a tuple, for each primal x the array Jᵀ·cotangent
        of x's shape: ∇⟨f(x), cotangent⟩ (seminar 3, *Multiplying the Jacobian by a row*). It
        builds no Jacobian, and may be called many times. Where f returns a tuple, the cotangent
        is a tuple, too.

    Raises
    ------
    TypeError
        If a primal is not of floats, or f returns no array.
    NotImplementedError
        If f calls a NumPy function without a rule.
    ValueError, RuntimeError
        From the pullback: for a cotangent of another shape, and after a primal, or a parameter
        that f used, has changed.

    Examples
    --------
    >>> value, pullback = vjp(lambda x, y: x * y, np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    >>> pullback(np.array([1.0, 0.0]))
    (array([3., 0.]), array([1., 0.]))
    """
    recording = Recording(f, [as_float(x) for x in primals], [True] * len(primals))

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        with functional(recording):
            return recording.pull_back(cotangent)

    return recording.value, pullback


def value_and_grad(f: Function, argnums: Argnums = 0) -> Function:
    """A function that gives the value of f and its gradient.

    Parameters
    ----------
    f : callable
        With a result of one element.
    argnums : int or sequence of int
        The arguments to differentiate with respect to; for a sequence the gradient is a tuple.

    Returns
    -------
    callable
        Of f's arguments, to the value and the gradient, an array of the argument's shape and
        dtype.

    Raises
    ------
    TypeError
        From that function, if f's result is no scalar or an argument is not of floats.

    Examples
    --------
    >>> value, gradient = value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    >>> float(value), gradient
    (5.0, array([2., 4.]))
    """
    check_argnums(argnums)

    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        positions = positions_of(argnums, args)
        function = partial(f, **kwargs) if kwargs else f
        value, pullback = vjp(of_chosen(function, args, positions), *[args[i] for i in positions])
        if np.shape(value) != ():
            raise TypeError(
                f"grad is for functions with a scalar result; this one has shape {np.shape(value)}."
                " Use vjp or jacobian, or sum the result."
            )
        gradients = pullback(np.ones((), np.result_type(value.dtype)))
        return value, gradients if isinstance(argnums, Sequence) else gradients[0]

    return value_and_gradient


def grad(f: Function, argnums: Argnums = 0) -> Function:
    """A function that gives the gradient of f; parameters and errors are `value_and_grad`'s.

    Examples
    --------
    >>> float(grad(grad(np.sin))(0.5) + np.sin(0.5))
    0.0
    """
    both = value_and_grad(f, argnums)

    def gradient(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return gradient
