"""Second derivatives (seminar 3, *Multiplying the Hessian by a vector*)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnlite.autodiff.forward import jvp
from nnlite.autodiff.jacobians import jacobian
from nnlite.autodiff.primals import Argnums, Function
from nnlite.autodiff.reverse import grad


def hvp(f: Function, x: Any, v: Any) -> Any:
    """The Hessian of f times v, without the Hessian: forward over reverse.

    ∇²f(x)·v = ∇⟨∇f(x), v⟩ (seminar 3, *Multiplying the Hessian by a vector*), computed as the
    derivative of ∇f along v; where arrays are large it costs two to three gradients.

    Parameters
    ----------
    f : callable
        With a result of one element.
    x : array_like of floats, or a tuple of them for an f of several arguments
    v : the same, of the same shapes

    Returns
    -------
    array of x's shape, or a tuple of them

    Examples
    --------
    >>> import numpy as np
    >>> hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([6., 0.])
    """
    if isinstance(x, tuple):
        return jvp(grad(f, range(len(x))), x, v)[1]
    return jvp(grad(f), (x,), (v,))[1]


def hessian(f: Function, *args: Any, argnums: Argnums = 0) -> Any:
    """The Hessian of a scalar f: the Jacobian, in forward mode, of its gradient.

    Parameters
    ----------
    f : callable
        With a scalar result.
    *args : array_like of floats
        The arguments of f.
    argnums : int or sequence of int
        The arguments to differentiate with respect to.

    Returns
    -------
    array of shape ``x.shape + x.shape``
        For a sequence of `argnums` a tuple of tuples of them, block by block.

    Examples
    --------
    >>> import numpy as np
    >>> hessian(lambda x: x[0] * x[1], np.array([2.0, 3.0]))
    array([[0., 1.],
           [1., 0.]])
    """
    if not isinstance(argnums, Sequence):
        return jacobian(grad(f, argnums), *args, argnums=argnums, mode="forward")
    return tuple(
        jacobian(grad(f, position), *args, argnums=argnums, mode="forward") for position in argnums
    )
