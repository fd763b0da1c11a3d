"""One table of rules, and the mixin that answers NumPy's protocols from it.

A :class:`Value` is what flows through a module in place of an array. When NumPy meets one it asks
it what to do (``__array_ufunc__``, NEP 13, and ``__array_function__``, NEP 18), and the answer is
always the same: look the function up in :data:`RULES`, and call the module found there. So a
module's ``forward`` and ``backward``, written once in plain NumPy, also run on values.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any, NoReturn, TypeVar

import numpy as np

Rule = Callable[..., Any]
Target = TypeVar("Target", bound=Callable[..., Any])

RULES: dict[Callable[..., Any], Rule] = {}

_levels = itertools.count(1)


def next_level() -> int:
    """A number above that of every derivative begun so far.

    Each recording works on a level of its own, and takes values of lower levels for constants.
    That is all it needs to keep nested derivatives apart (no perturbation confusion: Siskind and
    Pearlmutter 2005).
    """
    return next(_levels)


def rule(*functions: Callable[..., Any]) -> Callable[[Target], Target]:
    """Say how NumPy functions (or any NumPy-like functions) act on nodes and duals.

    Parameters
    ----------
    *functions
        The functions, for instance ``np.sinc``.

    Returns
    -------
    callable
        A decorator. It takes a `Module` class, whose ``forward`` says how many of the leading
        arguments are arrays while the constructor takes all others; or a module; or a plain
        function that has the arguments of the NumPy function and is written in functions that
        have rules already.
    """

    def register(target: Target) -> Target:
        call: Rule = target
        if isinstance(target, type):
            count = target.forward.__code__.co_argcount - 1  # type: ignore[attr-defined]

            def call(*args: Any, **kwargs: Any) -> Any:
                return target(*args[count:], **kwargs)(*args[:count])

        for function in functions:
            RULES[function] = call
        return target

    return register


def highest(inputs: tuple[Any, ...]) -> tuple[Value | None, tuple[Any, ...]]:
    """The input that decides what a module does, if any is a `Value`, and the inputs to use."""
    top: Value | None = None
    if any(isinstance(item, Value) for item in inputs):
        inputs = tuple([item.current() if isinstance(item, Value) else item for item in inputs])
        for item in inputs:
            if isinstance(item, Value) and (top is None or item.level > top.level):
                top = item
    return top, inputs


def _describe(function: Callable[..., Any]) -> str:
    module = "numpy" if isinstance(function, np.ufunc) else getattr(function, "__module__", "")
    return f"{module}.{function.__name__}".replace("numpy", "np", 1).lstrip(".")


def _apply_rule(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        found = RULES[function]
    except KeyError:
        name = _describe(function)
        raise NotImplementedError(
            f"{name} has no derivative rule, so it cannot be applied to a node or a dual number. "
            f"Write the formula in functions that have one, or add a rule: a Module with forward "
            f"and backward, decorated with @nn.rule({name})."
        ) from None
    return found(*args, **kwargs)


class Value:
    """What flows through modules in place of an array: it has an array's operators and methods.

    Attributes
    ----------
    level : int
        Which derivative this value belongs to; the highest level among its inputs decides what
        a module does. Zero for the vertices of a graph that is only declared.
    """

    __slots__ = ()
    level: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def current(self) -> Value:
        """The value to use in place of this one; another only for a parameter being recorded."""
        return self

    def apply(self, module: Any, inputs: tuple[Any, ...]) -> Any:
        """What `module` gives on `inputs`, of which this value has the highest level."""
        raise NotImplementedError

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if kwargs.get("out") is not None:
            raise TypeError(
                f"np.{ufunc.__name__} was asked to write a {type(self).__name__} into an array, "
                "which would lose its derivative; write a = a + b in place of a += b."
            )
        if method != "__call__":
            return _apply_rule(getattr(ufunc, method), inputs, kwargs)
        return _apply_rule(ufunc, inputs, kwargs)

    def __array_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        return _apply_rule(func, args, kwargs)

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(
            f"a {type(self).__name__} cannot become a plain array: its derivative would be lost. "
            "Use NumPy functions on it as it is, or take its value where no derivative is wanted."
        )

    def __add__(self, other: Any) -> Any:
        return np.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return np.add(other, self)

    def __sub__(self, other: Any) -> Any:
        return np.subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        return np.subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        return np.multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return np.multiply(other, self)

    def __truediv__(self, other: Any) -> Any:
        return np.divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return np.divide(other, self)

    def __pow__(self, other: Any) -> Any:
        return np.power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return np.power(other, self)

    def __matmul__(self, other: Any) -> Any:
        return np.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return np.matmul(other, self)

    def __neg__(self) -> Any:
        return np.negative(self)

    def __pos__(self) -> Any:
        return self

    def sum(self, axis: Any = None, *, keepdims: bool = False) -> Any:
        return np.sum(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, *, keepdims: bool = False) -> Any:
        return np.mean(self, axis=axis, keepdims=keepdims)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        count = 1
        for length in self.shape:
            count *= length
        return count

    __hash__ = object.__hash__
    __iter__ = None
