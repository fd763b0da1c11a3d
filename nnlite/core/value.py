"""One table of rules, and the mixin that answers NumPy's protocols from it.

A :class:`Value` is what flows through a module in place of an array. When NumPy meets one it asks
it what to do (``__array_ufunc__``, NEP 13, and ``__array_function__``, NEP 18), and the answer is
always the same: look the function up in :data:`RULES`, and call the module found there. So a
module's ``forward`` and ``backward``, written once in plain NumPy, also run on values.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
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
        A decorator. It takes a `Module` class with ``forward``, ``backward`` and ``jvp``, whose
        ``forward`` says how many of the leading arguments are arrays while the constructor takes
        all others; or a plain
        function that has the arguments of the NumPy function and is written in functions that
        have rules already.

    Examples
    --------
    >>> from nnlite import Module, grad
    >>> @rule(np.ediff1d)
    ... class Differences(Module):
    ...     def forward(self, x):
    ...         return np.ediff1d(x)
    ...     def backward(self, grad):
    ...         return np.append(0, grad) - np.append(grad, 0)
    ...     def jvp(self, tangent):
    ...         return np.ediff1d(tangent)
    >>> grad(lambda x: np.sum(np.ediff1d(x) ** 2))(np.array([1.0, 3.0, 4.0]))
    array([-4.,  2.,  2.])
    """

    def register(target: Target) -> Target:
        call: Rule = target
        if isinstance(target, type):
            target.is_rule = True  # type: ignore[attr-defined]
            count = target.forward.__code__.co_argcount - 1  # type: ignore[attr-defined]

            def call(*args: Any, **kwargs: Any) -> Any:
                if len(args) < count:
                    raise TypeError(
                        f"{_describe(functions[0])} of a node or a dual number takes its first "
                        f"{count} arguments by position"
                    )
                return target(*args[count:], **kwargs)(*args[:count])

        for function in functions:
            RULES[function] = call
        return target

    return register


def highest(
    inputs: tuple[Any, ...], parameters: Sequence[Any] = ()
) -> tuple[Value | None, tuple[Any, ...]]:
    """The value of the highest level, and the inputs to use; None where all are arrays.

    The values of a module's parameters count as well: while a function is differentiated with
    respect to them, they are nodes or duals.
    """
    inputs = tuple([_as_input(item) for item in inputs])
    top: Value | None = None
    for item in (*inputs, *[parameter.value for parameter in parameters]):
        if isinstance(item, Value) and (top is None or item.level > top.level):
            top = item
    return top, inputs


def _as_input(item: Any) -> Any:
    if isinstance(item, Value):
        return item.current()
    if type(item) is not np.ndarray and isinstance(item, np.ma.MaskedArray | np.matrix):
        raise TypeError(
            f"got a {type(item).__name__}, whose arithmetic is not that of arrays; pass a plain "
            "array"
        )
    return np.asarray(item) if isinstance(item, list | tuple) else item


def is_float(item: Any) -> bool:
    """Whether an array, a number or a value has a derivative."""
    dtype = item.dtype if hasattr(item, "dtype") else np.result_type(item)
    return bool(dtype.kind == "f")


def _describe(function: Callable[..., Any]) -> str:
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        return f"np.{owner.__name__}.{function.__name__}"
    name = function.__name__
    if getattr(np, name, None) is function:
        return f"np.{name}"
    return f"{getattr(function, '__module__', '')}.{name}".replace("numpy", "np", 1).lstrip(".")


def _apply_rule(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        found = RULES[function]
    except KeyError:
        name = _describe(function)
        raise NotImplementedError(
            f"{name} has no derivative rule, so it cannot be applied to a node or a dual number. "
            f"Write the formula in functions that have one, or add a rule: a Module with forward, "
            f"backward and jvp, decorated with @nn.rule({name})."
        ) from None
    return found(*args, **kwargs)


def _operator(function: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The methods for value ∘ other and, reflected, for other ∘ value."""

    def value_first(self: Value, other: Any) -> Any:
        return function(self, other)

    def other_first(self: Value, other: Any) -> Any:
        return function(other, self)

    return value_first, other_first


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    """The method of the same name and arguments as a NumPy function of one array."""

    def method(self: Value, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    method.__name__ = function.__name__
    method.__doc__ = f"The same as np.{function.__name__}."
    return method


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
            f"{type(self).__name__} cannot become a plain array: its derivative would be lost. "
            "Use NumPy functions on it as it is, np.stack([...]) to put several into one array, or "
            "its value where no derivative is wanted."
        )

    __add__, __radd__ = _operator(np.add)
    __sub__, __rsub__ = _operator(np.subtract)
    __mul__, __rmul__ = _operator(np.multiply)
    __truediv__, __rtruediv__ = _operator(np.divide)
    __floordiv__, __rfloordiv__ = _operator(np.floor_divide)
    __mod__, __rmod__ = _operator(np.remainder)
    __divmod__, __rdivmod__ = _operator(np.divmod)
    __pow__, __rpow__ = _operator(np.power)
    __matmul__, __rmatmul__ = _operator(np.matmul)
    __and__, __rand__ = _operator(np.bitwise_and)
    __or__, __ror__ = _operator(np.bitwise_or)
    __xor__, __rxor__ = _operator(np.bitwise_xor)
    __lt__ = _method(np.less)
    __le__ = _method(np.less_equal)
    __gt__ = _method(np.greater)
    __ge__ = _method(np.greater_equal)
    __neg__ = _method(np.negative)
    __pos__ = _method(np.positive)
    __abs__ = _method(np.absolute)
    __invert__ = _method(np.invert)

    sum = _method(np.sum)
    mean = _method(np.mean)
    prod = _method(np.prod)
    var = _method(np.var)
    std = _method(np.std)
    max = _method(np.max)
    min = _method(np.min)
    cumsum = _method(np.cumsum)
    cumprod = _method(np.cumprod)
    argmax = _method(np.argmax)
    argmin = _method(np.argmin)
    argsort = _method(np.argsort)
    any = _method(np.any)
    all = _method(np.all)
    round = _method(np.round)
    clip = _method(np.clip)
    dot = _method(np.dot)
    take = _method(np.take)
    repeat = _method(np.repeat)
    ravel = flatten = _method(np.ravel)
    squeeze = _method(np.squeeze)
    swapaxes = _method(np.swapaxes)
    diagonal = _method(np.diagonal)
    trace = _method(np.trace)
    copy = _method(np.copy)

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        return _apply_rule(np.ndarray.astype, (self, dtype, *args), kwargs)

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, **kwargs)

    def transpose(self, *axes: Any) -> Any:
        return np.transpose(self, axes[0] if len(axes) == 1 else axes or None)

    @property
    def T(self) -> Any:
        return np.transpose(self)

    @property
    def mT(self) -> Any:
        return np.matrix_transpose(self)

    def __eq__(self, other: Any) -> Any:
        return np.equal(self, other)

    def __ne__(self, other: Any) -> Any:
        return np.not_equal(self, other)

    __hash__ = object.__hash__

    def __getitem__(self, key: Any) -> Any:
        return _apply_rule(operator.getitem, (self, key), {})

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"{self!r} has no axes, so no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __setitem__(self, key: Any, item: Any) -> NoReturn:
        raise TypeError(
            f"writing into a {type(self).__name__} would lose its derivative: build a new one with "
            "np.where(mask, new, x), np.concatenate or np.stack."
        )

    def _no_number(self, *args: Any) -> NoReturn:
        raise TypeError(
            f"a plain number made of {self!r} would lose its derivative; use NumPy's functions in "
            "place of math's and Python's, or its value where no derivative is wanted"
        )

    __float__ = __int__ = __index__ = __complex__ = __round__ = _no_number

    def _in_place(self, other: Any) -> Any:
        """``y += b`` would change the array in NumPy, and every other name it has."""
        if self.level and self.shape:
            raise TypeError(
                f"{type(self).__name__}s are not changed in place; write y = y + b in place of "
                "y += b (likewise for -=, *=, /= and the others)"
            )
        return NotImplemented

    __iadd__ = __isub__ = __imul__ = __itruediv__ = __ipow__ = __imatmul__ = _in_place

    def item(self, *args: Any) -> NoReturn:
        raise TypeError(
            f".item() of a {type(self).__name__} would lose its derivative; x[...] keeps it."
        )

    def tolist(self) -> NoReturn:
        raise TypeError(
            f".tolist() of a {type(self).__name__} would lose its derivative; list(x) keeps it."
        )

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)
