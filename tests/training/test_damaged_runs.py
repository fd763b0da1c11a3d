"""Checkpoints that are damaged, of another run, or in use."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from killing import EPOCHS, make
from undisturbed import bits, names

from nnlite.files.checkpoint import CheckpointError, read_checkpoint, write_checkpoint
from nnlite.files.lock import Lock, LockedError
from nnlite.training.trainer import Trainer


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
