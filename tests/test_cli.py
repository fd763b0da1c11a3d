"""The command line, run in this process except where a process is the point."""

import csv
import json
import os
import pty
import subprocess
import sys
import termios

import matplotlib.pyplot as plt
import numpy as np
import pytest

import nnlite as nn
from nnlite.cli import main

FILES = ["config.json", "graph.png", "history.csv", "loss.png", "weights.npz"]
FRUIT = "mass,length,fruit\n" + "0.2,0.07,apple\n0.3,0.2,banana\n" * 10


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def history(folder):
    return list(csv.DictReader((folder / "history.csv").read_text().splitlines()))


def weights(folder):
    with np.load(folder / "weights.npz", allow_pickle=False) as archive:
        return dict(archive)


def refused(capsys, *arguments):
    """The message with which a command is refused, exit code 2."""
    try:
        code = main(["train", *arguments])
    except SystemExit as stop:
        code = stop.code
    output = capsys.readouterr()
    assert code == 2
    assert output.out == ""
    assert "Traceback" not in output.err
    return output.err


def test_train_without_arguments_reports_and_writes_the_run(here, capsys):
    assert main(["train"]) == 0
    output = capsys.readouterr()
    assert output.err == ""  # no bar, as this is no terminal
    assert output.out.splitlines()[-1] == f"wrote runs{os.sep}breast_cancer{os.sep}"
    run = here / "runs" / "breast_cancer"
    assert sorted(path.name for path in run.iterdir()) == FILES
    assert len(history(run)) == 50
    accuracy = float(history(run)[-1]["test_accuracy"])
    assert accuracy > 0.95
    assert f"accuracy {accuracy:.4f}" in output.out


def test_training_leaves_no_figure_open(here):
    main(["train", "--epochs", "1"])
    assert plt.get_fignums() == []


def test_the_written_run_predicts_as_it_reported(here):
    main(["train", "--seed", "3", "--out", "run"])
    config = json.loads((here / "run" / "config.json").read_text(encoding="utf-8"))
    omega, b = weights(here / "run").values()
    data = nn.datasets.load_breast_cancer()
    train, test = data.split(test=0.2, rng=np.random.default_rng(config["seed"]))
    X = (test.X - config["mean"]) / config["scale"]
    y = 1 / (1 + np.exp(-(X @ omega + b)))
    assert np.mean((y > 0.5) == test.t) == float(history(here / "run")[-1]["test_accuracy"])
    assert config["features"] == list(data.feature_names)
    assert config["classes"] == ["benign", "malignant"]
    np.testing.assert_allclose(config["mean"], train.X.mean(axis=0), rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not(here, dtype):
    for folder, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        main(["train", "--epochs", "2", "--dtype", dtype, "--seed", seed, "--out", folder])
    for name in FILES:
        assert (here / "a" / name).read_bytes() == (here / "b" / name).read_bytes(), name
    assert (here / "a" / "weights.npz").read_bytes() != (here / "c" / "weights.npz").read_bytes()
    assert weights(here / "a")["weight"].dtype == dtype


def test_a_table_of_ones_own_with_two_words_as_target(here, capsys):
    (here / "fruit.csv").write_text(FRUIT)
    assert main(["train", "fruit.csv", "--target", "fruit", "--epochs", "20"]) == 0
    assert "test  loss" in capsys.readouterr().out
    config = json.loads((here / "runs" / "fruit" / "config.json").read_text(encoding="utf-8"))
    assert config["classes"] == ["apple", "banana"]


def test_a_second_run_gets_a_folder_of_its_own(here):
    (here / "fruit.csv").write_text(FRUIT)
    for _ in range(2):
        main(["train", "fruit.csv", "--target", "fruit", "--epochs", "1"])
    assert sorted(path.name for path in (here / "runs").iterdir()) == ["fruit", "fruit-2"]


def test_an_existing_folder_is_left_as_it_is(here, capsys):
    (here / "mine").mkdir()
    (here / "mine" / "thesis.txt").write_text("text")
    assert "exists and is left as it is" in refused(capsys, "--out", "mine")
    assert [path.name for path in (here / "mine").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--lr", "0", "above 0"),
        ("--lr", "nan", "finite"),
        ("--lr", "fast", "invalid float value: 'fast'"),
        ("--l2", "-1", "at least 0"),
        ("--momentum", "inf", "finite"),
        ("--momentum", "1.5", "below 1"),
        ("--epochs", "0", "at least 1"),
        ("--epochs", "1.5", "invalid int value: '1.5'"),
        ("--batch-size", "0", "at least 1"),
        ("--seed", "-1", "at least 0"),
        ("--dtype", "int8", "float32"),
        ("--target", "colour", "needs a FILE"),
    ],
)
def test_a_bad_option_is_refused_with_its_name_and_bound(here, capsys, option, value, words):
    message = refused(capsys, option, value)
    assert option in message
    assert words in message
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("mass,fruit\n", "no samples"),
        ("mass,fruit\n1,apple\n2\n", "line 3"),
        ("mass,fruit\n1,apple\nheavy,banana\n", "'heavy'"),
        ("mass,fruit\n1,apple\nnan,banana\n", "line 3, column 'mass'"),
        ("mass,fruit\n1,apple\ninf,banana\n", "line 3, column 'mass'"),
        ("mass,colour\n1,red\n", "has no column 'fruit'"),
        ("mass,fruit\n1,apple\n2,apple\n", "the only class"),
        ("mass,fruit\n1,apple\n2,banana\n3,cherry\n", "3 classes"),
        ("mass,fruit\n1,5\n2,6\n", "two classes"),
        ("mass,fruit\n1,apple\n2,banana\n", "training or the test part empty"),
    ],
)
def test_a_bad_table_is_refused_and_nothing_is_written(here, capsys, text, words):
    (here / "fruit.csv").write_text(text)
    assert words in refused(capsys, "fruit.csv", "--target", "fruit")
    assert [path.name for path in here.iterdir()] == ["fruit.csv"]


def test_a_missing_file_is_named(here, capsys):
    assert "nowhere.csv" in refused(capsys, "nowhere.csv")


def test_divergence_ends_with_exit_code_1_and_writes_nothing(here, capsys):
    assert main(["train", "--lr", "1e300", "--l2", "1"]) == 1
    assert "smaller learning rate" in capsys.readouterr().err
    assert list(here.iterdir()) == []


def test_a_folder_that_cannot_be_written_ends_with_exit_code_1(here, capsys):
    (here / "file").write_text("")
    assert main(["train", "--epochs", "1", "--out", "file/run"]) == 1
    assert "file" in capsys.readouterr().err


def terminal_output(*arguments):
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(ours, (24, 120))
    command = [sys.executable, "-m", "nnlite", "train", "--epochs", "1", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=theirs)
    os.set_blocking(ours, False)
    os.close(theirs)
    try:
        return os.read(ours, 65536).decode()
    except OSError:  # nothing was written
        return ""
    finally:
        os.close(ours)


def test_the_bar_with_the_running_loss_shows_on_a_terminal_unless_quiet(here):
    assert "loss=" in terminal_output("--out", "loud")
    assert terminal_output("--out", "silent", "--quiet") == ""


def test_import_brings_neither_matplotlib_nor_tqdm():
    code = "import nnlite, sys; print([m for m in ('matplotlib', 'tqdm') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "[]\n"
