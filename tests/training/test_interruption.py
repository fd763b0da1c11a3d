"""Signals."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from killing import EPOCHS, make
from undisturbed import At, bits

from nnlite.files.checkpoint import read_checkpoint
from nnlite.training.callbacks import Callback
from nnlite.training.interruption import Interrupted
from nnlite.training.trainer import Trainer


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_step_end_saves_and_says_how_to_go_on(
    tmp_path: Path, whole: bytes, number: signal.Signals
) -> None:
    before = signal.getsignal(number)
    trainer = make(tmp_path, At(19, lambda: os.kill(os.getpid(), number)))
    with pytest.raises(Interrupted, match=r"after step 19, in epoch 3; saved as .*19\.npz") as stop:
        trainer.fit(EPOCHS)
    assert f"resume() and fit({EPOCHS})" in str(stop.value)
    assert stop.value.signal == number
    assert signal.getsignal(number) is before
    again = make(tmp_path)
    again.resume()
    assert again.step == 19
    again.fit(EPOCHS)
    assert bits(again, tmp_path) == whole


def test_without_a_folder_the_same_trainer_goes_on_after_a_signal(
    tmp_path: Path, whole: bytes
) -> None:
    interrupt = At(19, lambda: os.kill(os.getpid(), signal.SIGINT))
    trainer = make(None, interrupt)
    with pytest.raises(Interrupted, match=r"after step 19.*this Trainer's fit\(7\) goes on"):
        trainer.fit(EPOCHS)
    trainer.fit(EPOCHS)
    assert bits(trainer, tmp_path) == whole


def test_a_signal_in_the_last_step_of_an_epoch_lets_the_epoch_end(tmp_path: Path) -> None:
    trainer = make(tmp_path, At(14, lambda: os.kill(os.getpid(), signal.SIGTERM)))
    with pytest.raises(Interrupted, match="after step 14"):
        trainer.fit(EPOCHS)
    assert trainer.epoch == 2
    assert read_checkpoint(tmp_path / "checkpoint-000000014.npz")["epoch"] == 2


def test_a_second_signal_acts_at_once() -> None:
    def twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    trainer = make(None, At(5, twice))
    with pytest.raises(KeyboardInterrupt) as stop:
        trainer.fit(EPOCHS)
    assert not isinstance(stop.value, Interrupted)


def test_a_signal_that_comes_too_late_to_be_noted_is_not_lost() -> None:
    class Late(Callback):
        def on_end(self, trainer: Trainer) -> None:
            os.kill(os.getpid(), signal.SIGINT)

    trainer = make(None, Late())
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(1)
    assert trainer.epoch == 1


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        trainer = make(None, At(5, lambda: os.kill(os.getpid(), signal.SIGINT)))
        trainer.fit(1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert trainer.epoch == 1


def test_another_thread_trains_without_touching_signals() -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as pool:
        assert len(pool.submit(make(None).fit, 1).result()) == 1
