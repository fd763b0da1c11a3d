"""Runs that are not disturbed, and what disturbs others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nnlite.files.checkpoint import write_checkpoint
from nnlite.training.callbacks import Callback
from nnlite.training.trainer import Trainer


def bits(trainer: Trainer, folder: Path) -> bytes:
    """Everything that a run has come to."""
    write_checkpoint(folder / "bits", trainer.state_dict())
    return (folder / "bits").read_bytes()


class At(Callback):
    """Does something after a step."""

    def __init__(self, step: int, action: Any) -> None:
        self.step, self.action = step, action

    def on_step(self, trainer: Trainer, loss: float) -> None:
        if trainer.step == self.step:
            self.action()


class Died(Exception):
    pass


def die() -> None:
    raise Died


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.npz"))
