"""A run that is stopped, in whatever way, goes on and ends with the same bits."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnlite as nn
from nnlite.datasets.loader import DataLoader
from nnlite.files.checkpoint import CheckpointError, read_checkpoint, write_checkpoint
from nnlite.files.lock import Lock, LockedError
from nnlite.training.callbacks import Callback
from nnlite.training.interruption import Interrupted
from nnlite.training.trainer import Trainer

sys.path.insert(0, str(Path(__file__).parent))

from killing import EPOCHS, make


def bits(trainer: Trainer, folder: Path) -> bytes:
    """Everything that a run has come to."""
    write_checkpoint(folder / "bits", trainer.state_dict())
    return (folder / "bits").read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bits of a run that nobody disturbed, and that wrote no checkpoints."""
    trainer = make(None)
    trainer.fit(EPOCHS)
    return bits(trainer, tmp_path_factory.mktemp("whole"))


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


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """The folder of a run that ended in its third epoch, after step 18, the last that was saved."""
    folder = tmp_path / "run"
    with pytest.raises(Died):
        make(folder, At(19, die)).fit(EPOCHS)
    assert names(folder) == ["checkpoint-000000016.npz", "checkpoint-000000018.npz"]
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.npz"))


@pytest.mark.parametrize(
    ("scenario", "kills"), [("whenever", 30), ("after_steps", 12), ("within_writing", 12)]
)
def test_a_run_killed_at_any_moment_ends_with_the_same_bits(
    tmp_path: Path, scenario: str, kills: int
) -> None:
    program = [sys.executable, "-W", "error", str(Path(__file__).with_name("killing.py"))]
    done = subprocess.run(
        [*program, scenario, str(tmp_path), "1", str(kills)],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONPATH": str(Path(nn.__path__[0]).parent),
        },
    )
    assert done.returncode == 0, done.stderr
    runs = json.loads(done.stdout)
    assert len(runs) == kills
    wanted = (tmp_path / "whole" / "result.npz").read_bytes()
    assert [run for run in runs if Path(run, "result.npz").read_bytes() != wanted] == []


def test_checkpoints_change_nothing(tmp_path: Path, whole: bytes) -> None:
    trainer = make(tmp_path)
    trainer.fit(EPOCHS)
    assert bits(trainer, tmp_path) == whole


def test_a_resumed_run_ends_as_the_undisturbed_one(killed: Path, whole: bytes) -> None:
    trainer = make(killed)
    assert trainer.resume()
    assert (trainer.epoch, trainer.step) == (2, 18)
    trainer.fit(EPOCHS)
    assert bits(trainer, killed) == whole


@pytest.mark.parametrize(
    "part", ["passing", "model", "optimizer", "schedule", "loader", "generators", "callbacks"]
)
def test_every_part_of_the_state_matters(killed: Path, whole: bytes, part: str) -> None:
    """Without this the test above could pass for a part that is lost."""
    state = read_checkpoint(killed / "checkpoint-000000018.npz")
    trainer = make(None)
    trainer.load_state_dict({**state, part: trainer.state_dict()[part]})
    trainer.fit(EPOCHS)
    assert bits(trainer, killed) != whole


def test_a_run_that_is_done_stays_as_it_is(tmp_path: Path, whole: bytes) -> None:
    make(tmp_path).fit(EPOCHS)
    again = make(tmp_path)
    assert again.resume()
    again.fit(EPOCHS)
    assert bits(again, tmp_path) == whole


def test_without_checkpoints_there_is_nothing_to_go_on_with(tmp_path: Path) -> None:
    trainer = make(tmp_path / "new")
    assert trainer.resume() is False
    assert trainer.step == 0


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


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "cut off":
        path.write_bytes(content[: len(content) // 2])
    elif how == "altered":
        path.write_bytes(content[:5000] + b"!" + content[5001:])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "foreign":
        np.savez(path, x=np.zeros(3))
    else:
        state = read_checkpoint(path)
        state["model"]["linear.weight"] = np.zeros((4, 6))
        write_checkpoint(path, state)


@pytest.mark.parametrize("how", ["cut off", "altered", "empty", "foreign", "of another model"])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    killed: Path, whole: bytes, how: str
) -> None:
    damage(killed / "checkpoint-000000018.npz", how)
    trainer = make(killed)
    with pytest.warns(UserWarning, match=r"0018\.npz.*; went on from checkpoint-000000016\.npz"):
        assert trainer.resume()
    assert trainer.step == 16
    trainer.fit(EPOCHS)
    assert bits(trainer, killed) == whole


def test_where_no_checkpoint_is_whole_the_newest_is_named(killed: Path) -> None:
    for name in names(killed):
        damage(killed / name, "cut off")
    with pytest.raises(CheckpointError, match=r"0018\.npz is cut off, altered, or no checkpoint"):
        make(killed).resume()


def test_a_checkpoint_of_another_optimizer_is_refused_and_changes_nothing(
    killed: Path, tmp_path: Path
) -> None:
    trainer = make(killed, momentum=True)
    before = bits(trainer, tmp_path)
    with pytest.raises(
        ValueError,
        match=r"0018\.npz: .* does not fit this Trainer: optimizer is 'Adam' there and 'SGD' here",
    ):
        trainer.resume()
    assert bits(trainer, tmp_path) == before


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("model", "linear.weight"), np.zeros(3)),
        (("optimizer", "mean.0"), np.zeros(3)),
        (("loader", "samples"), 51),
        (("loader", "rng"), {"bit_generator": "PCG64", "state": "no"}),
        (("generators",), []),
        (("callbacks",), [1]),
        (("history",), 3),
        (("epoch",), "three"),
        (("passing",), {}),
        (("parts",), None),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(
    killed: Path, tmp_path: Path, path: tuple[str, ...], value: Any
) -> None:
    state = read_checkpoint(killed / "checkpoint-000000018.npz")
    part = state
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    trainer = make(None)
    trainer.fit(1)
    before = bits(trainer, tmp_path)
    with pytest.raises(ValueError, match="the saved run does not fit this Trainer"):
        trainer.load_state_dict(state)
    assert bits(trainer, tmp_path) == before


@pytest.mark.parametrize("begin", [lambda t: t.fit(EPOCHS), Trainer.save], ids=["fit", "save"])
def test_a_run_is_never_written_over(killed: Path, begin: Any) -> None:
    before = {path.name: path.read_bytes() for path in killed.glob("*.npz")}
    with pytest.raises(CheckpointError, match=r"a run, saved up to step 18.*call resume\(\) first"):
        begin(make(killed))
    assert {path.name: path.read_bytes() for path in killed.glob("*.npz")} == before


@pytest.mark.parametrize(
    "work", [lambda t: t.fit(EPOCHS), Trainer.save, Trainer.resume], ids=["fit", "save", "resume"]
)
def test_one_process_at_a_time_works_in_a_folder(killed: Path, work: Any) -> None:
    with Lock(killed), pytest.raises(LockedError, match="another run is at work"):
        work(make(killed))


def test_a_folder_is_free_again_after_fit(killed: Path) -> None:
    trainer = make(killed)
    trainer.resume()
    trainer.fit(3)
    with Lock(killed):
        pass


def test_a_full_disk_ends_the_run_with_the_last_checkpoint_whole(
    tmp_path: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def full(descriptor: int) -> None:
        if trainer.step > 10:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    trainer = make(tmp_path)
    with pytest.raises(OSError, match=r"cannot be written \(No space left on device\).*untouched"):
        trainer.fit(EPOCHS)
    monkeypatch.undo()
    assert names(tmp_path) == ["checkpoint-000000008.npz", "checkpoint-000000010.npz"]
    again = make(tmp_path)
    again.resume()
    again.fit(EPOCHS)
    assert bits(again, tmp_path) == whole


def test_saving_by_hand_in_the_middle_of_an_epoch(tmp_path: Path, whole: bytes) -> None:
    trainer = make(tmp_path / "run")
    saved: list[Path] = []
    trainer.callbacks.append(At(17, lambda: saved.append(trainer.save())))
    trainer.callbacks.append(At(17, die))
    with pytest.raises(Died):
        trainer.fit(EPOCHS)
    assert saved[0].name == "checkpoint-000000017.npz"
    again = make(tmp_path / "run")
    again.resume()
    again.fit(EPOCHS)
    assert bits(again, tmp_path) == whole


def test_saving_and_resuming_need_a_folder() -> None:
    for work in (Trainer.save, Trainer.resume):
        with pytest.raises(ValueError, match="no folder for checkpoints; give it one: folder="):
            work(make(None))


def test_a_moved_run_goes_on_where_it_is(killed: Path, tmp_path: Path, whole: bytes) -> None:
    shutil.move(killed, tmp_path / "elsewhere")
    trainer = make(tmp_path / "elsewhere")
    trainer.resume()
    trainer.fit(EPOCHS)
    assert bits(trainer, tmp_path) == whole


@pytest.mark.parametrize("kind", ["PCG64", "MT19937", "Philox", "SFC64", "PCG64DXSM"])
def test_generators_of_every_kind_go_on(tmp_path: Path, kind: str) -> None:
    def trainer() -> Trainer:
        x = nn.Input("x")
        dropout = nn.Dropout(0.5, rng=np.random.Generator(getattr(np.random, kind)(3)))
        graph = nn.Graph([x, t := nn.Input("t")], nn.MSE()(dropout(nn.Linear(2, 1, rng=0)(x)), t))
        rng = np.random.Generator(getattr(np.random, kind)(4))
        loader = DataLoader(np.ones((6, 2)), np.ones((6, 1)), 2, shuffle=True, rng=rng)
        optimizer = nn.SGD(graph.parameters(), 0.1)
        return Trainer(graph, optimizer, loader, folder=tmp_path / "run", progress=False)

    first = trainer()
    first.fit(2)
    second = trainer()
    second.resume()
    second.fit(4)
    shutil.rmtree(tmp_path / "run")
    first.fit(4)
    assert bits(first, tmp_path) == bits(second, tmp_path)
