"""What is raised where data cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class DataError(ValueError):
    """Data that cannot be used: the message says what is wrong, where, and what to do."""


class RunError(ValueError):
    """A run's folder that cannot be used: the message says what is wrong, where, and what to do."""


def quote(text: str) -> str:
    """Return the text in quotation marks, shortened if a message cannot hold it."""
    return repr(text if len(text) <= 60 else text[:60] + "…")


@contextmanager
def reading(
    path: Any, kind: type[Exception] = DataError, advice: str = "check the path"
) -> Iterator[None]:
    """Let a file that the system cannot read be an error of a kind, which says what to do."""
    try:
        yield
    except OSError as error:
        raise kind(f"{path} cannot be read ({error.strerror or error}); {advice}") from error
