"""Attributes put back, whatever happens in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Place = tuple[Any, str]
"""An object, and the name of one of its attributes."""


def each(owners: Iterable[Any], *names: str) -> list[Place]:
    """The attributes of these names that each of the owners has."""
    return [(owner, name) for owner in owners for name in names]


@contextmanager
def restoring(places: Iterable[Place], only_if_it_fails: bool = False) -> Iterator[None]:
    """Give attributes their present values again when a ``with`` ends.

    Parameters
    ----------
    places : iterable of (object, str)
    only_if_it_fails : bool
        Whether an end without an error leaves them as they are.
    """
    before = present(places)
    failed = True
    try:
        yield
        failed = False
    finally:
        if failed or not only_if_it_fails:
            put_back(before)


def present(places: Iterable[Place]) -> list[tuple[Any, str, Any]]:
    """The places with what is there now, as `put_back` wants them."""
    return [(owner, name, getattr(owner, name)) for owner, name in places]


def put_back(before: Iterable[tuple[Any, str, Any]]) -> None:
    """Set each owner's attribute of that name."""
    for owner, name, value in before:
        setattr(owner, name, value)


@contextmanager
def exchanged(values: Mapping[Any, Any]) -> Iterator[None]:
    """Give vertices other values for the length of a ``with``."""
    with restoring(each(values, "value")):
        for vertex, value in values.items():
            vertex.value = value
        yield
