"""The arguments of a function that is differentiated, and those among them that it is by."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, SupportsIndex

import numpy as np

from nnlite.core.value import Value

Function = Callable[..., Any]
Argnums = SupportsIndex | Sequence[SupportsIndex]


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


def positions_of(argnums: Argnums, args: tuple[Any, ...]) -> tuple[int, ...]:
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


def check_argnums(argnums: Any) -> None:
    """Refuse what cannot be positions, such as the point itself: nn.grad(f, x)."""
    for n in argnums if isinstance(argnums, Sequence) else (argnums,):
        if not hasattr(n, "__index__") or isinstance(n, np.ndarray):
            raise TypeError(
                f"argnums is the position of an argument, or several, got {argnums!r}; the "
                "arguments themselves come after: nn.grad(f)(x)"
            )


def of_chosen(f: Function, args: tuple[Any, ...], positions: tuple[int, ...]) -> Function:
    """f as a function of the arguments at `positions` alone."""

    def of(*chosen: Any) -> Any:
        everything = list(args)
        for position, item in zip(positions, chosen):
            everything[position] = item
        return f(*everything)

    return of
