"""Forward mode: the Jacobian times a column (seminar 3, *Forward Propagation*)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnlite.autodiff.primals import Function, as_float
from nnlite.core.dual import Dual
from nnlite.core.node import Parameter
from nnlite.core.value import Value, as_result, next_level


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of f, and its derivative along the tangents: the Jacobian times a column.

    Forward propagation: it runs together with the forward pass and stores one layer.

    Parameters
    ----------
    f : callable
        A function, Module or Graph.
    primals : sequence of array_like of floats
        The arguments of f.
    tangents : sequence of array_like
        A direction for each, of the same shape.

    Returns
    -------
    value, tangent : array
        f(*primals) and J·tangents, of the same shape; tuples of them where f returns a tuple.

    Raises
    ------
    TypeError
        If a primal is not of floats, if there are not as many tangents, or f returns no array.
    ValueError
        If a tangent has another shape than its primal.
    NotImplementedError
        If f calls a NumPy function without a rule.

    Examples
    --------
    >>> value, tangent = jvp(np.sin, (0.0,), (1.0,))
    >>> float(value), float(tangent)
    (0.0, 1.0)
    """
    if not isinstance(primals, tuple | list) or not isinstance(tangents, tuple | list):
        raise TypeError("jvp: primals and tangents are tuples, as in nn.jvp(f, (x,), (v,))")
    if len(primals) != len(tangents):
        raise TypeError(f"jvp: {len(primals)} primals but {len(tangents)} tangents")
    primals = [as_float(x) for x in primals]
    level = next_level()
    duals = [
        Dual(x, _tangent(x, v, position), level)
        for position, (x, v) in enumerate(zip(primals, tangents))
    ]
    output = f(*duals)
    if isinstance(output, tuple):
        pairs = [_split(item, level) for item in output]
        return tuple(value for value, _ in pairs), tuple(tangent for _, tangent in pairs)
    return _split(output, level)


def _split(output: Any, level: int) -> tuple[Any, Any]:
    """A result and its tangent, which is zero where it does not depend on the arguments."""
    if isinstance(output, Dual) and output.level == level:
        return output.primal, output.tangent
    if isinstance(output, Parameter):
        output = output.value
    if not isinstance(output, Value):
        output = as_result(output)
    elif not 0 < output.level < level:
        raise RuntimeError(f"the function returned {output!r}, of another derivative")
    return output, as_result(np.zeros_like(output))


def _tangent(x: Any, tangent: Any, position: int) -> Any:
    if not isinstance(tangent, Value):
        tangent = np.asarray(tangent, dtype=x.dtype)[()]
    if np.shape(tangent) != np.shape(x):
        raise ValueError(
            f"jvp: tangent {position} has shape {np.shape(tangent)}, its primal {np.shape(x)}; the "
            "two must be the same"
        )
    return tangent
