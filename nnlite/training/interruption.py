"""Ctrl-C and SIGTERM, so that the step at hand is finished first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class Interrupted(KeyboardInterrupt):
    """Training was stopped by Ctrl-C or SIGTERM, after a whole step; the message says which.

    Attributes
    ----------
    signal : signal.Signals
        Which of the two.
    """

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.signal = signal.Signals(number)


class Signals:
    """Which signal came, if one did."""

    number: int | None = None


@contextmanager
def signals_noted() -> Iterator[Signals]:
    """Note the first SIGINT or SIGTERM instead of acting on it; the second acts at once."""
    noted = Signals()

    def note(number: int, frame: Any) -> None:
        noted.number = number
        restore()

    with _handled(dict.fromkeys((signal.SIGINT, signal.SIGTERM), note)) as restore:
        yield noted
    if noted.number is not None:
        signal.raise_signal(noted.number)  # it came too late for anybody to act on it


@contextmanager
def sigterm_raises() -> Iterator[None]:
    """Let SIGTERM end what is done as Ctrl-C does, so that it can be said how to go on."""

    def stop(number: int, frame: Any) -> None:
        raise Interrupted(number, "stopped")

    with _handled({signal.SIGTERM: stop}):
        yield


@contextmanager
def _handled(handlers: Mapping[signal.Signals, Any]) -> Iterator[Callable[[], None]]:
    """Handle signals otherwise; what is yielded ends that before the ``with`` does.

    Outside of the main thread Python hands out no signals, and nothing is changed. A signal that
    was ignored before stays so.
    """
    before: dict[int, Any] = {}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    try:
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                present = signal.getsignal(number)
                if present not in (signal.SIG_IGN, None):
                    before[number] = present
                    signal.signal(number, handler)
        yield restore
    finally:
        restore()
