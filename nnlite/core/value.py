"""Value: what flows through a module in place of an array, and answers NumPy's protocols.

When NumPy meets a :class:`Value` it asks it what to do (``__array_ufunc__``, NEP 13, and
``__array_function__``, NEP 18), and the answer is always the same: look the function up in the
table of rules, and call the module found there. So a module's ``forward`` and ``backward``,
written once in plain NumPy, also run on values.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from nnlite.core.rules import apply_rule
from nnlite.core.slips import IN_PLACE, NO_ARRAY, PYTHON_FLOAT, with_slip

_levels = itertools.count(1)


class LostDerivativeError(TypeError):
    """Something would take a value without its derivative.

    Attributes
    ----------
    slip : str
        What probably led to it.
    """

    def __init__(self, message: str, slip: str = PYTHON_FLOAT) -> None:
        super().__init__(message)
        self.slip = slip


def next_level() -> int:
    """A number above that of every derivative begun so far.

    Each recording works on a level of its own, and takes values of lower levels for constants.
    That is all it needs to keep nested derivatives apart (no perturbation confusion: Siskind and
    Pearlmutter 2005).
    """
    return next(_levels)


def highest(
    inputs: tuple[Any, ...], parameters: Sequence[Any] = ()
) -> tuple[Value | None, tuple[Any, ...]]:
    """The value of the highest level, and the inputs to use; None where all are arrays.

    The values of a module's parameters count as well: while a function is differentiated with
    respect to them, they are nodes or duals.
    """
    inputs = tuple([i._current() if isinstance(i, Value) else as_array(i) for i in inputs])
    top: Value | None = None
    for item in (*inputs, *[parameter.value for parameter in parameters]):
        if isinstance(item, Value) and (top is None or item.level > top.level):
            top = item
    return top, inputs


def as_array(item: Any, name: str = "an input") -> Any:
    """What enters as an array, or as the number or the value it is: the one gate for all.

    Raises
    ------
    TypeError
        If it is a matrix or a masked array.
    """
    if type(item) is np.ndarray or isinstance(item, Value | float | int | np.generic):
        return item
    if isinstance(item, np.ma.MaskedArray | np.matrix):
        raise TypeError(
            f"{name} is a {type(item).__name__}, whose arithmetic is not that of arrays; pass a "
            "plain array"
        )
    is_like = isinstance(item, list | tuple) or hasattr(item, "__array__")
    return np.asarray(item) if is_like else item


def as_result(item: Any) -> Any:
    """What a function that is differentiated returned, where that is no value, as an array."""
    if isinstance(item, np.ndarray | np.generic | float | int):
        return np.asarray(item)[()]
    message = f"the function returned {item!r}, not an array; was `return` forgotten?"
    raise with_slip(TypeError(message), NO_ARRAY)


def is_float(item: Any) -> bool:
    """Whether an array, a number or a value has a derivative."""
    dtype = item.dtype if hasattr(item, "dtype") else np.result_type(item)
    return bool(dtype.kind == "f")


def _operator(function: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The methods for value ∘ other and, reflected, for other ∘ value."""

    def value_first(self: Value, other: Any) -> Any:
        return function(self, other)

    def other_first(self: Value, other: Any) -> Any:
        return function(other, self)

    return value_first, other_first


def _methods(*functions: Callable[..., Any]) -> list[Callable[..., Any]]:
    """For each NumPy function of an array, the method of the same name and arguments."""

    def method_for(function: Callable[..., Any]) -> Callable[..., Any]:
        def method(self: Value, *args: Any, **kwargs: Any) -> Any:
            return function(self, *args, **kwargs)

        method.__name__ = function.__name__
        method.__doc__ = f"The same as np.{function.__name__}."
        return method

    return list(map(method_for, functions))


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

    def _current(self) -> Value:
        """The value to use in place of this one; another only for a parameter being recorded."""
        return self

    def _apply(self, module: Any, inputs: tuple[Any, ...]) -> Any:
        """What `module` gives on `inputs`, of which this value has the highest level."""
        raise NotImplementedError

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if kwargs.get("out") is not None:
            raise LostDerivativeError(
                f"np.{ufunc.__name__} was asked to write a {type(self).__name__} into an array, "
                "which would lose its derivative; write a = a + b in place of a += b.",
                IN_PLACE,
            )
        if method != "__call__":
            return apply_rule(getattr(ufunc, method), inputs, kwargs)
        return apply_rule(ufunc, inputs, kwargs)

    def __array_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        return apply_rule(func, args, kwargs)

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise LostDerivativeError(
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
    __lt__, __le__ = _methods(np.less, np.less_equal)
    __gt__, __ge__ = _methods(np.greater, np.greater_equal)
    __neg__, __pos__ = _methods(np.negative, np.positive)
    __abs__, __invert__ = _methods(np.absolute, np.invert)

    sum, mean, prod, var, std = _methods(np.sum, np.mean, np.prod, np.var, np.std)
    cumsum, cumprod, dot = _methods(np.cumsum, np.cumprod, np.dot)
    max, min, argmax, argmin = _methods(np.max, np.min, np.argmax, np.argmin)
    argsort, any, all, round = _methods(np.argsort, np.any, np.all, np.round)
    clip, take, repeat, copy = _methods(np.clip, np.take, np.repeat, np.copy)
    ravel, flatten, squeeze = _methods(np.ravel, np.ravel, np.squeeze)
    swapaxes, diagonal, trace = _methods(np.swapaxes, np.diagonal, np.trace)

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """The same as ``ndarray.astype``; the gradient is converted back."""
        return apply_rule(np.ndarray.astype, (self, dtype, *args), kwargs)

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        """The same as np.reshape; the lengths may be given one by one."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, **kwargs)

    def transpose(self, *axes: Any) -> Any:
        """The same as np.transpose; the axes may be given one by one."""
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
        return apply_rule(operator.getitem, (self, key), {})

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"{self!r} has no axes, so no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __setitem__(self, key: Any, item: Any) -> NoReturn:
        raise LostDerivativeError(
            f"writing into a {type(self).__name__} would lose its derivative: build a new one with "
            "np.where(mask, new, x), np.concatenate or np.stack.",
            IN_PLACE,
        )

    def _no_number(self, *args: Any) -> NoReturn:
        raise LostDerivativeError(
            f"a plain number made of {self!r} would lose its derivative; use NumPy's functions in "
            "place of math's and Python's, or its value where no derivative is wanted"
        )

    __float__ = __int__ = __index__ = __complex__ = __round__ = _no_number

    def _in_place(self, other: Any) -> Any:
        """``y += b`` would change the array in NumPy, and every other name it has."""
        if self.level and self.shape:
            raise LostDerivativeError(
                f"{type(self).__name__}s are not changed in place; write y = y + b in place of "
                "y += b (likewise for -=, *=, /= and the others)",
                IN_PLACE,
            )
        return NotImplemented

    __iadd__ = __isub__ = __imul__ = __itruediv__ = __ipow__ = __imatmul__ = _in_place

    def item(self, *args: Any) -> NoReturn:
        """Refused: a Python number has no derivative."""
        raise LostDerivativeError(
            f".item() of a {type(self).__name__} would lose its derivative; x[...] keeps it."
        )

    def tolist(self) -> NoReturn:
        """Refused: Python numbers have no derivative."""
        raise LostDerivativeError(
            f".tolist() of a {type(self).__name__} would lose its derivative; list(x) keeps it."
        )

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)
