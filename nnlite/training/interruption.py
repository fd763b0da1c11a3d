"""Ctrl-C and SIGTERM, so that the step at hand is finished first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
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
    """Note the first SIGINT or SIGTERM instead of acting on it; the second acts at once.

    Outside of the main thread Python hands out no signals, and nothing is noted. A signal that was
    ignored before stays so.
    """
    noted = Signals()
    before: dict[int, Any] = {}

    def note(number: int, frame: Any) -> None:
        noted.number = number
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    try:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                handler = signal.getsignal(number)
                if handler not in (signal.SIG_IGN, None):
                    before[number] = handler
                    signal.signal(number, note)
        yield noted
    finally:
        restore()
    if noted.number is not None:
        signal.raise_signal(noted.number)  # it came too late for anybody to act on it
