"""Functions of functions: derivatives of any Python function of NumPy code, Module or Graph.

Names, argument order and return values are JAX's. ``f`` returns one array; its arguments are
floats or arrays of floats.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from nnlite.bundle import Bundle, NotTogetherError
from nnlite.dispatch import Value, next_level
from nnlite.dual import Dual
from nnlite.node import Parameter
from nnlite.recording import Recording, functional

Function = Callable[..., Any]

BUNDLE_SIZE = 64


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


def value_and_grad(f: Function, argnums: int | Sequence[int] = 0) -> Function:
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
    _check_argnums(argnums)

    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        positions = _positions(argnums, args)
        function = partial(f, **kwargs) if kwargs else f
        value, pullback = vjp(_of(function, args, positions), *[args[i] for i in positions])
        if np.shape(value) != ():
            raise TypeError(
                f"grad is for functions with a scalar result; this one has shape {np.shape(value)}."
                " Use vjp or jacobian, or sum the result."
            )
        gradients = pullback(np.ones((), np.result_type(value.dtype)))
        return value, gradients if isinstance(argnums, Sequence) else gradients[0]

    return value_and_gradient


def grad(f: Function, argnums: int | Sequence[int] = 0) -> Function:
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
    >>> hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([6., 0.])
    """
    if isinstance(x, tuple):
        return jvp(grad(f, range(len(x))), x, v)[1]
    return jvp(grad(f), (x,), (v,))[1]


def jacobian(f: Function, *args: Any, argnums: int | Sequence[int] = 0, mode: str = "auto") -> Any:
    """The Jacobian of f, entry by entry.

    Parameters
    ----------
    f : callable
        From arrays to one array.
    *args : array_like of floats
        The arguments of f.
    argnums : int or sequence of int
        The arguments to differentiate with respect to; for a sequence the result is a tuple.
    mode : {"auto", "forward", "reverse"}
        Whether columns are computed from tangents, or rows from cotangents; "auto" takes reverse
        where the input has more elements than the output (n > m), forward otherwise (seminar 3,
        *Conclusion*). Many columns, or rows, travel together in one pass.

    Returns
    -------
    array of shape ``f(x).shape + x.shape``

    Raises
    ------
    ValueError
        If `mode` or `argnums` is none of these.
    TypeError
        If f has several results, or an argument is not of floats.

    Examples
    --------
    >>> A, X = np.array([[1.0, 2.0]]), np.zeros((2, 3))
    >>> jacobian(lambda X: np.sin(A @ X), X).shape
    (1, 3, 2, 3)
    """
    if mode not in ("auto", "forward", "reverse"):
        raise ValueError(f"jacobian: mode is 'auto', 'forward' or 'reverse', got {mode!r}")
    positions = _positions(argnums, args)
    xs = [as_float(args[position]) for position in positions]
    chosen = _of(f, args, positions)
    jacobians = None
    if mode != "forward":
        value, pullback = vjp(chosen, *xs)
        if isinstance(value, tuple):
            raise TypeError("jacobian is for functions with one result; this one has several")
        if mode == "reverse" or sum(np.size(x) for x in xs) > np.size(value):
            jacobians = _from_rows(value, pullback, xs)
        del pullback  # and with it all that the recording stores
    if jacobians is None:
        jacobians = _from_columns(chosen, xs)
    return jacobians if isinstance(argnums, Sequence) else jacobians[0]


def hessian(f: Function, *args: Any, argnums: int | Sequence[int] = 0) -> Any:
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
    >>> hessian(lambda x: x[0] * x[1], np.array([2.0, 3.0]))
    array([[0., 1.],
           [1., 0.]])
    """
    if not isinstance(argnums, Sequence):
        return jacobian(grad(f, argnums), *args, argnums=argnums, mode="forward")
    return tuple(
        jacobian(grad(f, position), *args, argnums=argnums, mode="forward") for position in argnums
    )


def _from_rows(value: Any, pullback: Function, xs: list[Any]) -> tuple[Any, ...]:
    """The Jacobian from its rows Jᵀ·e, e the unit cotangents."""
    rows = _propagated(value, pullback)
    found = zip(*rows) if rows else [()] * len(xs)
    return tuple(
        np.reshape(_joined(parts, x), np.shape(value) + np.shape(x)) for parts, x in zip(found, xs)
    )


def _from_columns(f: Function, xs: list[Any]) -> tuple[Any, ...]:
    """The Jacobian from its columns J·e, e the unit tangents."""
    jacobians = []
    for position, x in enumerate(xs):
        alone = _of(f, tuple(xs), (position,))
        value = alone(x)
        if isinstance(value, tuple):
            raise TypeError("jacobian is for functions with one result; this one has several")
        columns = _propagated(x, lambda units, x=x, f=alone: jvp(f, (x,), (units,))[1:])
        joined = _joined([column for (column,) in columns], value)
        jacobians.append(np.reshape(np.moveaxis(joined, 0, -1), np.shape(value) + np.shape(x)))
    return tuple(jacobians)


def _propagated(like: Any, function: Function) -> list[list[Any]]:
    """What `function` makes of all unit arrays of a shape: lists of results with an axis in front.

    The units travel in bundles; where a module has no use for a bundle (it leaves NumPy, or
    branches on a gradient), one by one.
    """
    try:
        return [
            [units.members_of(result) for result in function(units)]
            for units in _unit_bundles(like, BUNDLE_SIZE)
        ]
    except (NotTogetherError, NotImplementedError):
        return [
            [np.expand_dims(result, 0) for result in function(units.members[0])]
            for units in _unit_bundles(like, 1)
        ]


def _joined(parts: Sequence[Any], like: Any) -> Any:
    """The members of all bundles, one after the other; each has the shape of `like`."""
    return np.concatenate(parts) if parts else np.zeros((0, *np.shape(like)), like.dtype)


def _unit_bundles(x: Any, size: int) -> Iterator[Bundle]:
    """The unit arrays of x's shape and dtype, `size` at a time."""
    n = np.size(x)
    for start in range(0, n, size):
        count = min(size, n - start)
        units = np.eye(count, n, start, dtype=x.dtype)
        yield Bundle(units.reshape(count, *np.shape(x)), next_level())


def as_float(x: Any) -> Any:
    """`x` as an array of floats, or as the value it is."""
    if isinstance(x, Value):
        return x
    array = np.asarray(x)
    if array.dtype.kind != "f":
        raise TypeError(
            f"derivatives are taken with respect to floats, got dtype {array.dtype}: write 1.0 in "
            "place of 1, or convert with .astype(np.float64)"
        )
    return array if isinstance(x, np.ndarray) else array[()]


def _split(output: Any, level: int) -> tuple[Any, Any]:
    """A result and its tangent, which is zero where it does not depend on the arguments."""
    if isinstance(output, Dual) and output.level == level:
        return output.primal, output.tangent
    if isinstance(output, Parameter):
        output = output.value
    if not isinstance(output, Value):
        if not isinstance(output, np.ndarray | np.generic | float | int):
            raise TypeError(
                f"the function returned {output!r}, not an array; was `return` forgotten?"
            )
        output = np.asarray(output)[()]
    elif not 0 < output.level < level:
        raise RuntimeError(f"the function returned {output!r}, of another derivative")
    return output, np.zeros_like(output)


def _tangent(x: Any, tangent: Any, position: int) -> Any:
    if not isinstance(tangent, Value):
        tangent = np.asarray(tangent, dtype=x.dtype)[()]
    if np.shape(tangent) != np.shape(x):
        raise ValueError(
            f"jvp: tangent {position} has shape {np.shape(tangent)}, its primal {np.shape(x)}; the "
            "two must be the same"
        )
    return tangent


def _positions(argnums: int | Sequence[int], args: tuple[Any, ...]) -> tuple[int, ...]:
    """`argnums` as positions counted from the front."""
    wanted = argnums if isinstance(argnums, Sequence) else (argnums,)
    if any(not -len(args) <= operator.index(n) < len(args) for n in wanted):
        raise ValueError(
            f"argnums={argnums} but there are {len(args)} arguments; pass them after the function, "
            "as in nn.jacobian(f, x) and nn.grad(f)(x)"
        )
    positions = tuple([operator.index(n) % len(args) for n in wanted])
    if len(set(positions)) != len(positions):
        raise ValueError(f"argnums={argnums} names an argument twice")
    return positions


def _check_argnums(argnums: Any) -> None:
    """Refuse what cannot be positions, such as the point itself: nn.grad(f, x)."""
    for n in argnums if isinstance(argnums, Sequence) else (argnums,):
        if not hasattr(n, "__index__") or isinstance(n, np.ndarray):
            raise TypeError(
                f"argnums is the position of an argument, or several, got {argnums!r}; the "
                "arguments themselves come after: nn.grad(f)(x)"
            )


def _of(f: Function, args: tuple[Any, ...], positions: tuple[int, ...]) -> Function:
    """f as a function of the arguments at `positions` alone."""

    def of(*chosen: Any) -> Any:
        everything = list(args)
        for position, item in zip(positions, chosen):
            everything[position] = item
        return f(*everything)

    return of
