"""What the commands say of a run that is odd: unfinished, altered, or of data without a spread."""

import json

import numpy as np
import pytest
from commands import FRUIT, output_of

from nnlite.cli.main import main
from nnlite.cli.runs.run import load_run

TRAIN = ["train", "fruit.csv", "--target", "fruit", "--epochs", "2", "--out", "run"]


@pytest.fixture
def fruit(here, capsys):
    """A folder with a table and a run of it."""
    (here / "fruit.csv").write_text(FRUIT)
    assert main([*TRAIN, "--checkpoint-steps", "1"]) == 0
    capsys.readouterr()
    return here


def test_evaluate_counts_predictions_for_each_true_class(fruit, capsys):
    """A row is of the true class: three apples here have the size of bananas."""
    rows = "0.2,0.07,apple\n" * 2 + "0.3,0.2,apple\n" * 3 + "0.3,0.2,banana\n" * 4
    (fruit / "new.csv").write_text("mass,length,fruit\n" + rows)
    first, head, *lines = output_of(capsys, "evaluate", "run", "new.csv").splitlines()
    assert first.split() == ["9", "samples", "accuracy", "0.6667"]
    assert head.split() == ["true", "\\", "predicted", "apple", "banana"]
    assert [line.split() for line in lines] == [["apple", "2", "3"], ["banana", "0", "4"]]
    run = load_run("run")
    np.testing.assert_array_equal(run.confusion(*run.load("new.csv")), [[2, 3], [0, 4]])


def test_r2_of_a_single_sample_is_undefined(here, capsys):
    X = np.random.default_rng(0).normal(size=(30, 2))
    rows = [f"{a},{b},{2 * a - b}" for a, b in X]
    (here / "data.csv").write_text("\n".join(["a,b,q", *rows]))
    train = ["train", "data.csv", "--target", "q", "--epochs", "1", "--validation", "0.03"]
    said = output_of(capsys, *train, "--out", "said").splitlines()
    assert "29 samples to train on, 1 held out" in said
    (line,) = [line for line in said if line.startswith("validation")]
    assert line.endswith("R² undefined")
    report = json.loads(output_of(capsys, *train, "--out", "json", "--json"))
    assert report["validation"]["r2"] is None
    assert report["train"]["r2"] is not None


def test_evaluate_says_undefined_as_train_does(here, capsys):
    X = np.random.default_rng(0).normal(size=(30, 2))
    (here / "data.csv").write_text("\n".join(["a,b,q", *[f"{a},{b},{2 * a - b}" for a, b in X]]))
    output_of(capsys, "train", "data.csv", "--target", "q", "--epochs", "1", "--out", "run")
    (here / "flat.csv").write_text("a,b,q\n1,2,3\n2,1,3\n")
    assert "R² undefined" in output_of(capsys, "evaluate", "run", "flat.csv")
    assert json.loads(output_of(capsys, "evaluate", "run", "flat.csv", "--json"))["r2"] is None


def test_a_run_that_was_stopped_before_its_history_was_written_is_shown(fruit, capsys):
    for name in ("weights.npz", "history.csv", "loss.png", "graph.png"):
        (fruit / "run" / name).unlink()
    report = json.loads(output_of(capsys, "show", "run", "--json"))
    assert report["finished"] is False
    assert report["history"] == report["pictures"] == []
    assert report["config"]["classes"] == ["apple", "banana"]
    assert "go on with nnlite train --resume run" in output_of(capsys, "show", "run")


def test_checkpoints_that_are_a_link_are_refused_and_left_as_they_are(fruit, capsys):
    elsewhere = fruit / "elsewhere"
    (fruit / "run" / "checkpoints").rename(elsewhere)
    (fruit / "run" / "checkpoints").symlink_to(elsewhere)
    (elsewhere / ".somebody's.tmp").touch()
    before = {path: path.read_bytes() for path in elsewhere.iterdir()}
    assert main(["train", "--resume", "run", "--epochs", "3"]) == 2
    assert "checkpoints is a link and not a folder of a run; remove it" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in elsewhere.iterdir()} == before


def test_settings_without_a_feature_are_refused(fruit, capsys):
    path = fruit / "run" / "config.json"
    settings = json.loads(path.read_text()) | {"features": [], "mean": [], "scale": []}
    path.write_text(json.dumps(settings))
    for command in (["show", "run"], ["predict", "run", "fruit.csv"], ["train", "--resume", "run"]):
        assert main(command) == 2
        assert "config.json: there is no feature; restore the file" in capsys.readouterr().err
