"""A run goes on with the same bits."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from killing import EPOCHS, make
from places import ROOT
from undisturbed import At, Died, bits, die

import nnlite as nn
from nnlite.datasets.loader import DataLoader
from nnlite.files.checkpoint import read_checkpoint
from nnlite.training.trainer import Trainer


@pytest.mark.parametrize(
    ("scenario", "kills"), [("whenever", 30), ("after_steps", 12), ("within_writing", 12)]
)
def test_a_run_killed_at_any_moment_ends_with_the_same_bits(
    tmp_path: Path, scenario: str, kills: int
) -> None:
    program = [sys.executable, "-W", "error", str(ROOT / "tests" / "support" / "killing.py")]
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
