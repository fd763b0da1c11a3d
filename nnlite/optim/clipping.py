"""Keeping gradients from being too large for a step."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from nnlite.core.node import Parameter


def clip_grad_norm(parameters: Iterable[Parameter], max_norm: float) -> float:
    """Scale all gradients by min(1, c/(‖g‖ + 10⁻⁶)), where g is all of them as one vector.

    The formula is that of ``torch.nn.utils.clip_grad_norm_``; the method is that of Pascanu,
    Mikolov and Bengio (2013), *On the difficulty of training recurrent neural networks*,
    algorithm 1.

    Parameters
    ----------
    parameters : iterable of Parameter
        Those without a gradient are left out; each counts once.
    max_norm : float
        c, above 0; infinity only finds the norm.

    Returns
    -------
    float
        ‖g‖ before the scaling.

    Notes
    -----
    Gradients get new arrays of the same dtype; the old ones are left as they were, but for those
    of a compiled graph, which are scaled in their vector. The norm is
    found in double precision and without overflow. Unlike in PyTorch, a norm that is not finite is
    always an error: scaling by 0 or NaN would hide where training broke.

    Raises
    ------
    ArithmeticError
        If the norm is not finite; the message names the first parameter at fault, and nothing is
        changed.

    Examples
    --------
    >>> w = Parameter(np.zeros(2))
    >>> w.grad = np.array([30.0, 40.0])
    >>> clip_grad_norm([w], max_norm=1.0)
    50.0
    >>> w.grad.round(6)
    array([0.6, 0.8])
    """
    if not max_norm > 0:
        raise ValueError(f"clip_grad_norm: max_norm is a number above 0, got {max_norm!r}")
    parameters = [parameters] if isinstance(parameters, Parameter) else list(parameters)
    for parameter in parameters:
        if not isinstance(parameter, Parameter):
            raise TypeError(f"clip_grad_norm takes parameters (nn.Parameter), got {parameter!r}")
    trained = [item for item in dict.fromkeys(parameters) if item.grad is not None]
    total = math.hypot(*[_norm(parameter) for parameter in trained])
    if not math.isfinite(total):
        raise ArithmeticError(f"clip_grad_norm: the norm of all gradients is {total}")
    scale = float(max_norm) / (total + 1e-6)
    if scale < 1:
        flat = trained[0]._vector
        if flat is not None and flat.holds(trained):
            flat.grad *= scale
        else:
            for parameter in trained:
                parameter.grad = scale * parameter.grad
    return total


def _norm(parameter: Parameter) -> float:
    g = np.asarray(parameter.grad, dtype=np.float64)
    broken = g.size - np.count_nonzero(np.isfinite(g))
    if broken:
        raise ArithmeticError(
            f"clip_grad_norm: {broken} of {g.size} entries of the gradient of {parameter!r} are "
            "not finite, so no scaling can help; a smaller learning rate may"
        )
    largest = float(np.max(np.abs(g), initial=0.0))
    return largest * float(np.linalg.norm(g / largest)) if largest else 0.0
