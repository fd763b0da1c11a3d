"""gradcheck: is ``backward`` the derivative of ``forward``, and if not, what went wrong?"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from nnlite.checking.conditions import check_batch_of_one, check_float32
from nnlite.checking.derivatives import check_gradient, check_jvp, check_second_derivative
from nnlite.checking.report import Examination, GradcheckError, GradcheckReport
from nnlite.checking.side_effects import (
    check_accumulation,
    check_determinism,
    check_result,
    check_two_vertices,
    check_unwanted,
    check_writes,
)
from nnlite.checking.subject import FunctionModule, Subject
from nnlite.core.module import Module
from nnlite.core.recording import Recording, functional
from nnlite.graph.graph import Graph

__all__ = ["GradcheckError", "GradcheckReport", "gradcheck"]

CHECKS = (
    check_writes,
    check_determinism,
    check_gradient,
    check_accumulation,
    check_unwanted,
    check_two_vertices,
    check_second_derivative,
    check_jvp,
    check_float32,
    check_batch_of_one,
)
"""In the order in which their failures are most telling."""


def gradcheck(
    f: Callable[..., Any],
    *inputs: Any,
    rtol: float | None = None,
    rng: np.random.Generator | int | None = 0,
) -> GradcheckReport:
    """Compare ``backward`` with the derivative of ``forward``, and say what a wrong one looks like.

    The reference is the derivative of ``forward`` from dual numbers, exact to rounding; where
    ``forward`` is not NumPy code it is a central difference in float64, and the report says so.

    Parameters
    ----------
    f : Module, Graph or function of NumPy code
        With one output. It is left as it is: copies are examined.
    *inputs : array_like
        What ``forward`` takes; floats are differentiated, integers and booleans are not.
    rtol : float, optional
        The allowed error, relative to the size of the terms that the gradient is a sum of: 2¹²
        units in the last place if left out (9e-13 in float64, 5e-4 in float32).
    rng : numpy.random.Generator or int, optional
        Where the directions come from; the same each time unless told otherwise.

    Returns
    -------
    GradcheckReport
        What was checked: that nothing is written into an array that was handed in; that the module
        is deterministic; the gradient of every input and parameter, its accumulation, at two
        vertices of one graph, its own derivative (the Hessian-vector product), ``jvp`` where the
        module has one, all this in float64; and the gradient in float32 and for a batch of one.

    Raises
    ------
    GradcheckError
        If something is wrong: which gradient, by how much, and what it looks like.

    Notes
    -----
    At a kink (relu at 0, a maximum that is tied) any value between the derivatives from the left
    and from the right is right; the rest is then checked nearby.

    Examples
    --------
    >>> class Square(Module):
    ...     def forward(self, x):
    ...         self.save_for_backward(x)
    ...         return x * x
    ...     def backward(self, grad):
    ...         (x,) = self.saved
    ...         return grad * x
    >>> gradcheck(Square(), np.array([1.0, 2.0]))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    nnlite.GradcheckError: Square(): the gradient of input x is wrong: ...
    It looks like this: a constant factor: it is 0.5 (½...) times what it should be.
    """
    is_module = isinstance(f, Module) and not isinstance(f, Graph)
    module: Any = f if is_module else FunctionModule(f)
    subject = Subject(module, [np.asarray(x) for x in inputs])
    if not subject.values:
        raise TypeError(f"gradcheck: {module!r} has no parameters, and no input is of floats")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        exam = Examination(subject, rtol, rng)
        check_result(exam)
        exam.subject = exam.in_float64()
        with nullcontext() if is_module else _parameters_of_other_modules_kept(subject):
            for check in CHECKS:
                check(exam)
    return exam.report


@contextmanager
def _parameters_of_other_modules_kept(subject: Subject) -> Iterator[None]:
    """Leave no gradients in parameters that a function uses without being a module."""
    recording = Recording(subject.module.forward, subject.inputs, subject.wanted)
    with functional(recording):
        yield
