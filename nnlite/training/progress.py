"""How far training is: a bar in a terminal or a notebook, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
import warnings
from typing import Any

from nnlite.training.callbacks import Callback, Training
from nnlite.training.history import Row

_SECONDS_BETWEEN_LINES = 10.0


class Progress(Callback):
    """A bar of steps, with the epoch and the latest loss.

    Where standard error is a file or a pipe there is no bar, and after an epoch a line, no two
    within ten seconds of each other. In a notebook without ``ipywidgets`` the bar is of text.
    """

    _bar: Any = None

    def on_start(self, trainer: Training) -> None:
        self._told = time.monotonic()
        if _is_notebook() or sys.stderr.isatty():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that there are no ipywidgets
                from tqdm.auto import tqdm
            total = trainer.epochs * len(trainer.loader)
            self._bar = tqdm(total=total, initial=trainer.step, unit="step")

    def on_step(self, trainer: Training, loss: float) -> None:
        if self._bar is not None:
            self._bar.set_postfix_str(f"epoch {trainer.epoch + 1}, loss {loss:.4g}", refresh=False)
            self._bar.update()

    def on_epoch(self, trainer: Training, row: Row) -> None:
        if self._bar is None and time.monotonic() - self._told > _SECONDS_BETWEEN_LINES:
            self._told = time.monotonic()
            losses = ", ".join(f"{name} {row[name]:.4g}" for name in row if name.endswith("_loss"))
            line = f"epoch {row['epoch']} of {trainer.epochs}: {losses}"
            print(line, file=sys.stderr, flush=True)

    def on_end(self, trainer: Training) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _is_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and "IPKernelApp" in getattr(shell, "config", {})
