"""What a size, a rate or a flag may be: each said once, and checked wherever it is set."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from nnlite.core.text import shape_and_dtype
from nnlite.core.value import Value

T = TypeVar("T")


class Kind(Generic[T]):
    """What something may be; `words` say it, as they follow "is" in an error."""

    def __init__(self, words: str) -> None:
        self.words = words

    def convert(self, value: Any) -> T:
        """`value` as what it is to be; a bare TypeError or ValueError where that cannot be."""
        raise NotImplementedError

    def of(self, owner: Any, name: str, value: Any) -> T:
        """`value` as what it is to be; `owner`, or its class, and `name` are for the error."""
        try:
            return self.convert(value)
        except (TypeError, ValueError) as error:
            raise type(error)(unexpected(owner, name, value, self.words)) from None

    def __str__(self) -> str:
        return self.words


class Number(Kind[T]):
    """Finite numbers, between bounds; booleans are none.

    Parameters
    ----------
    words : str
    kind : int or float
    low, high : float
        The least and the greatest that there may be.
    above, below : float
        What is not reached.
    """

    def __init__(
        self,
        words: str,
        kind: type[T],
        low: float = -math.inf,
        high: float = math.inf,
        above: float = -math.inf,
        below: float = math.inf,
    ) -> None:
        super().__init__(words)
        self.kind: Any = kind
        self.low, self.high, self.above, self.below = low, high, above, below

    def convert(self, value: Any) -> T:
        if isinstance(value, bool) or not isinstance(value, Integral if self.kind is int else Real):
            raise TypeError
        number: Any = value
        if not (self.low <= number <= self.high and self.above < number < self.below):
            raise ValueError
        try:
            return self.kind(number)  # type: ignore[no-any-return]
        except OverflowError:
            raise ValueError from None

    def parse(self, text: str) -> T:
        """The number that a text means."""
        return self.convert(self.kind(text))


class OneOf(Kind[str]):
    """One of some words."""

    def __init__(self, *choices: str) -> None:
        super().__init__(" or ".join(map(repr, choices)))
        self.choices = choices

    def convert(self, value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError
        if value not in self.choices:
            raise ValueError
        return value


class _Flag(Kind[bool]):
    def convert(self, value: Any) -> bool:
        if not isinstance(value, bool | np.bool_):
            raise TypeError
        return bool(value)


class _Floating(Kind[Any]):
    def of(self, owner: Any, name: str, value: Any) -> Any:
        try:
            found: Any = np.dtype(value)
        except (TypeError, ValueError):
            found = repr(value)
        if isinstance(found, str) or found.kind != "f":
            raise TypeError(f"{_kind(owner)}: {name} is {self}, got {found}")
        return found


class TwoOf(Kind[Any]):
    """Two of a kind."""

    def __init__(self, kind: Kind[Any]) -> None:
        super().__init__(f"two, each {kind}")
        self.kind = kind

    def of(self, owner: Any, name: str, value: Any) -> Any:
        if not isinstance(value, tuple | list) or len(value) != 2:
            raise ValueError(f"{_kind(owner)}: {name} are two numbers, got {value!r}")
        return tuple([self.kind.of(owner, f"{name}[{i}]", item) for i, item in enumerate(value)])


class Instance(Kind[T]):
    """An object of a class."""

    def __init__(self, cls: type[T], words: str) -> None:
        super().__init__(words)
        self.cls = cls

    def convert(self, value: Any) -> T:
        if not isinstance(value, self.cls):
            raise TypeError
        return value


class OrNone(Kind[Any]):
    """Of a kind, or None."""

    def __init__(self, kind: Kind[Any]) -> None:
        super().__init__(kind.words)
        self.kind = kind

    def convert(self, value: Any) -> Any:
        return None if value is None else self.kind.convert(value)


class Checked(Generic[T]):
    """An attribute that is of a kind whenever it is set; it is read like any other."""

    def __init__(self, kind: Kind[T]) -> None:
        self.kind = kind

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __set__(self, owner: Any, value: Any) -> None:
        vars(owner)[self.name] = self.kind.of(owner, self.name, value)

    if TYPE_CHECKING:

        def __get__(self, owner: Any, cls: type) -> T: ...


SIZE = Number("a whole number of at least 1", int, low=1)
COUNT = Number("a whole number of at least 0", int, low=0)
WHOLE = Number("a whole number", int)
REAL = Number("a finite number", float)
POSITIVE = Number("a finite number above 0", float, above=0)
AT_LEAST_0 = Number("a finite number of at least 0", float, low=0)
SHARE = Number("a finite number of at least 0 and below 1", float, low=0, below=1)
INNER = Number("above 0 and below 1", float, above=0, below=1)
FROM_0_TO_1 = Number("a number from 0 to 1", float, low=0, high=1)
PROBABILITY = Number("a probability, from 0 to 1", float, low=0, high=1)
FLAG = _Flag("True or False")
FLOATING = _Floating("a floating dtype")


def kinds_of(cls: type) -> dict[str, Kind[Any]]:
    """What the attributes of a class are to be, by name; those of its bases too."""
    found = {name: item for c in reversed(cls.__mro__) for name, item in vars(c).items()}
    return {name: item.kind for name, item in found.items() if isinstance(item, Checked)}


def unexpected(owner: Any, name: str, value: Any, expected: str) -> str:
    kind = _kind(owner)
    if isinstance(value, Value):
        got, forgotten = repr(value), True
    else:
        forgotten = isinstance(value, np.ndarray) and value.size != 1
        got = shape_and_dtype(value) if isinstance(value, np.ndarray) else repr(value)
    message = f"{kind}: {name} is {expected}, got {got}"
    if forgotten:
        message += f"; was a second set of parentheses forgotten, as in {kind}(...)(x)?"
    return message + (" (a class: add parentheses)" if isinstance(value, type) else "")


def _kind(owner: Any) -> str:
    return owner if isinstance(owner, str) else type(owner).__name__
