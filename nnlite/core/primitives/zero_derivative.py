"""Functions without a derivative: their results carry no tangent and ask for no gradient.

On duals they give plain values; on nodes a vertex, which is computed anew wherever the graph is
evaluated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnlite.core.node import Node
from nnlite.core.primitives.base import Constantlike, refuse
from nnlite.core.primitives.dtypes import AsType
from nnlite.core.rules import RULES, Rule, rule
from nnlite.core.value import Value

UFUNCS = (
    *(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal),
    *(np.logical_and, np.logical_or, np.logical_not, np.logical_xor),
    *(np.invert, np.bitwise_and, np.bitwise_or, np.bitwise_xor),
    *(np.isnan, np.isinf, np.isfinite, np.signbit),
    *(np.sign, np.floor, np.ceil, np.rint, np.trunc, np.floor_divide),
)

# The arrays among the parameters of a function, and after a slash its options.
SIGNATURES: dict[Callable[..., Any], str] = {
    np.round: "a / decimals",
    np.around: "a / decimals",
    np.fix: "x /",
    np.isposinf: "x /",
    np.isneginf: "x /",
    np.isreal: "x /",
    np.iscomplex: "x /",
    np.argmax: "a / axis out keepdims",
    np.argmin: "a / axis out keepdims",
    np.nanargmax: "a / axis out keepdims",
    np.nanargmin: "a / axis out keepdims",
    np.argsort: "a / axis kind order stable",
    np.argpartition: "a kth / axis kind order",
    np.argwhere: "a /",
    np.flatnonzero: "a /",
    np.count_nonzero: "a / axis keepdims",
    np.any: "a / axis out keepdims where",
    np.all: "a / axis out keepdims where",
    np.searchsorted: "a v / side sorter",
    np.digitize: "x bins / right",
    np.isclose: "a b / rtol atol equal_nan",
    np.allclose: "a b / rtol atol equal_nan",
    np.array_equal: "a1 a2 / equal_nan",
    np.array_equiv: "a1 a2 /",
}


def _of_arrays(function: Callable[..., Any], signature: str) -> Rule:
    arrays, options = (part.split() for part in signature.split("/"))
    names = (*arrays, *options)

    def supported(name: str, item: Any) -> bool:
        return name in arrays or (name in options and name != "out" and not isinstance(item, Value))

    def call(*args: Any, **kwargs: Any) -> Any:
        given = dict(zip(names, args, strict=False)) | kwargs
        if given.get("out", 0) is None:
            del given["out"]
        refuse(
            f"np.{function.__name__}",
            {name: item for name, item in given.items() if not supported(name, item)},
        )
        xs = [given.pop(name) for name in arrays]
        return Constantlike(function, **given)(*xs)

    return call


for _ufunc in UFUNCS:
    RULES[_ufunc] = _of_arrays(_ufunc, " ".join("xy"[: _ufunc.nin]) + " /")
for _function, _signature in SIGNATURES.items():
    RULES[_function] = _of_arrays(_function, _signature)


def _indices_along(axis: int) -> Callable[[Any], Any]:
    def nonzero(x: Any) -> Any:
        return np.nonzero(x)[axis]

    return nonzero


@rule(np.nonzero)
def nonzero(a: Any) -> tuple[Any, ...]:
    """One array of indices an axis, each of them a vertex if `a` is one."""
    return tuple([Constantlike(_indices_along(axis))(a) for axis in range(a.ndim)])


RULES[np.shape] = lambda a: a.shape
RULES[np.ndim] = lambda a: a.ndim


@rule(np.size)
def size(a: Any, axis: Any = None) -> int:
    return np.size(np.broadcast_to(False, a.shape), axis)


@rule(np.min_scalar_type)
def min_scalar_type(a: Any) -> Any:
    if a.ndim == 0:
        raise NotImplementedError(
            "np.min_scalar_type of a node or a dual number without axes depends on its value"
        )
    return a.dtype


def _filled(like: Callable[..., Any], filled: Callable[..., Any]) -> Rule:
    """An array made from no more than the shape and the dtype of another."""

    def call(a: Any, dtype: Any = None, *, shape: Any = None, **unsupported: Any) -> Any:
        refuse(f"np.{like.__name__}", unsupported)
        if isinstance(a, Node) and a.value is None:
            return Constantlike(like, dtype=dtype, shape=shape)(a)
        return filled(
            a.shape if shape is None else shape, a.dtype if dtype is None else np.dtype(dtype)
        )

    return call


RULES[np.zeros_like] = _filled(np.zeros_like, np.zeros)
RULES[np.ones_like] = _filled(np.ones_like, np.ones)
RULES[np.empty_like] = _filled(np.empty_like, np.empty)


@rule(np.full_like)
def full_like(a: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    """An array of one value, which may itself be differentiated."""
    if isinstance(fill_value, Value):
        fill = AsType(a.dtype if dtype is None else dtype)(fill_value)
        return np.broadcast_to(fill, a.shape if shape is None else shape)
    if isinstance(a, Node) and a.value is None:
        return Constantlike(np.full_like, fill_value=fill_value, dtype=dtype, shape=shape)(a)
    return np.full(
        a.shape if shape is None else shape, fill_value, a.dtype if dtype is None else dtype
    )
