"""Runs of ``nnlite train`` that are stopped, in whatever way, and end in the same bits."""

import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from nnlite.cli.main import main

RESULTS = ["weights.npz", "config.json", "history.csv", "loss.png", "graph.png"]
# Everything that has a state: momentum, dropout, a schedule, early stopping, a shuffled loader.
TRAIN = [
    "train",
    *["--hidden", "6", "--dropout", "0.2", "--schedule", "exponential:gamma=0.99"],
    *["--patience", "100", "--epochs", "25", "--checkpoint-steps", "4", "--quiet", "--out"],
]
MOMENTS = np.random.default_rng(5).uniform(0, 1, 6).round(3).tolist()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that was never stopped, as a process of its own, and how many seconds it took."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    start = time.monotonic()
    subprocess.run([sys.executable, "-m", "nnlite", *TRAIN, str(folder)], check=True)
    return folder, time.monotonic() - start


def assert_same_results(folder, expected):
    for name in RESULTS:
        assert (folder / name).read_bytes() == (expected / name).read_bytes(), name


def started(folder, *train):
    """A process that trains, as soon as its folder is there."""
    command = [sys.executable, "-m", "nnlite", *(train or TRAIN), str(folder)]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    while not folder.exists() and process.poll() is None:
        time.sleep(0.005)
    return process


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_killed_at_a_random_moment_goes_on_to_the_same_bits(whole, tmp_path, moment):
    expected, seconds = whole
    process = started(tmp_path / "run")
    time.sleep(moment * seconds)
    process.kill()
    process.communicate()
    assert main(["train", "--resume", str(tmp_path / "run"), "--quiet"]) == 0
    assert_same_results(tmp_path / "run", expected)
    assert not list((tmp_path / "run").rglob("*.tmp"))


def test_a_run_killed_before_its_first_checkpoint_begins_anew(whole, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    shutil.copy(whole[0] / "config.json", tmp_path / "run")
    assert main(["train", "--resume", str(tmp_path / "run"), "--quiet"]) == 0
    assert "no checkpoint" in capsys.readouterr().out
    assert_same_results(tmp_path / "run", whole[0])


def test_a_run_killed_while_its_results_are_written_gets_them_all(whole, tmp_path):
    run = shutil.copytree(whole[0], tmp_path / "run")
    (run / "history.csv").unlink()
    (run / "graph.png").unlink()
    (run / ".graph.png.0badf00d.tmp").write_bytes(b"half a pict")
    assert main(["train", "--resume", str(run), "--quiet"]) == 0
    assert_same_results(run, whole[0])
    assert not list(run.glob(".*.tmp"))


def test_a_damaged_checkpoint_is_passed_over_with_a_warning(whole, tmp_path, capsys):
    run = shutil.copytree(whole[0], tmp_path / "run")
    for name in RESULTS:
        if name != "config.json":
            (run / name).unlink()
    *_, newest = sorted((run / "checkpoints").glob("*.npz"))
    newest.write_bytes(newest.read_bytes()[:-1])
    assert main(["train", "--resume", str(run), "--quiet"]) == 0
    warning = capsys.readouterr().err
    assert warning.startswith(f"nnlite: warning: {newest} is cut off")
    assert warning.count("\n") == 1
    assert_same_results(run, whole[0])


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_a_signal_finishes_the_step_saves_and_says_how_to_go_on(whole, tmp_path, number, code):
    run = tmp_path / "run"
    process = started(run)
    while not list(run.glob("checkpoints/*.npz")):
        time.sleep(0.005)
    process.send_signal(number)
    _, message = process.communicate()
    assert process.returncode == code
    assert message.startswith("nnlite: stopped and saved after step ")
    assert message.endswith(f"; go on with: nnlite train --resume {run}\n")
    assert message.count("\n") == 1
    assert not (run / "weights.npz").exists()
    assert main(["train", "--resume", str(run), "--quiet"]) == 0
    assert_same_results(run, whole[0])


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_a_signal_outside_of_a_step_says_how_to_go_on_too(
    tmp_path, monkeypatch, capsys, number, code
):
    """Here while the results are written."""
    monkeypatch.setattr("nnlite.cli.train.write_results", lambda *_: signal.raise_signal(number))
    run = tmp_path / "run"
    assert main(["train", "--epochs", "1", "--out", str(run)]) == code
    assert f"go on with: nnlite train --resume {run}" in capsys.readouterr().err


def test_more_epochs_are_what_a_longer_run_would_have_been(tmp_path):
    train = ["train", "--schedule", "step:step_size=2", "--patience", "50", "--out"]
    main([*train, str(tmp_path / "long"), "--epochs", "5"])
    main([*train, str(tmp_path / "short"), "--epochs", "3"])
    assert main(["train", "--resume", str(tmp_path / "short"), "--epochs", "5"]) == 0
    assert_same_results(tmp_path / "short", tmp_path / "long")


def test_a_run_goes_on_from_a_file_that_was_moved(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{i},{i % 2}\n" for i in range(40))
    (tmp_path / "data.csv").write_text("x,t\n" + rows)
    main(["train", "data.csv", "--target", "t", "--epochs", "3", "--out", "run"])
    (tmp_path / "data.csv").rename(tmp_path / "elsewhere.csv")
    assert main(["train", "--resume", "run"]) == 2
    assert main(["train", "elsewhere.csv", "--resume", "run"]) == 0


def test_a_full_disk_ends_with_exit_code_1_and_the_run_can_go_on(tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    train = ["train", "--epochs", "3", "--out"]
    main([*train, str(tmp_path / "whole")])
    with monkeypatch.context() as patched:
        patched.setattr("nnlite.cli.runs.folder.write_npz", full)
        assert main([*train, str(tmp_path / "run")]) == 1
    message = capsys.readouterr().err
    assert "No space left on device" in message
    assert "go on with: nnlite train --resume" in message
    assert main(["train", "--resume", str(tmp_path / "run")]) == 0
    assert_same_results(tmp_path / "run", tmp_path / "whole")


def test_a_second_process_is_refused_and_the_first_goes_on(whole, tmp_path, capsys):
    process = started(tmp_path / "run")
    while not list(tmp_path.glob("run/checkpoints/*.npz")):
        time.sleep(0.005)
    assert main(["train", "--resume", str(tmp_path / "run")]) == 2
    assert "another run is at work" in capsys.readouterr().err
    process.communicate()
    assert process.returncode == 0
    assert_same_results(tmp_path / "run", whole[0])
