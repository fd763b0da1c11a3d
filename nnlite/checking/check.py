"""gradcheck: is ``backward`` the derivative of ``forward``, and if not, what went wrong?"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from nnlite.checking import derivatives, side_effects
from nnlite.checking.report import Examination, GradcheckReport
from nnlite.checking.subject import FunctionModule, Subject
from nnlite.core.module import Module
from nnlite.core.recording import Recording
from nnlite.core.restoring import each, restoring
from nnlite.graph.graph import Graph

CHECKS = (
    side_effects.check_writes,
    side_effects.check_determinism,
    derivatives.check_gradient,
    side_effects.check_accumulation,
    side_effects.check_unwanted,
    side_effects.check_two_vertices,
    derivatives.check_second_derivative,
    derivatives.check_jvp,
    derivatives.check_float32,
    derivatives.check_batch_of_one,
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
        side_effects.check_result(exam)
        exam.subject = exam.in_float64()
        parameters = [] if is_module else _used_by(subject)
        with restoring(each(parameters, "grad")):  # a function may use some that are not its own
            for check in CHECKS:
                check(exam)
    return exam.report


def _used_by(subject: Subject) -> list[Any]:
    """The parameters that a function uses without being a module."""
    recording = Recording(subject.module.forward, subject.inputs, subject.wanted)
    return [*recording.leaves, *recording.foreign]
