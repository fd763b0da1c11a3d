"""``nnlite predict`` and ``nnlite show``."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from commands import FRUIT, output_of

from nnlite.cli.main import main
from nnlite.cli.runs.run import load_run


class TestPredict:
    @pytest.fixture(autouse=True)
    def run(self, here, capsys):
        (here / "fruit.csv").write_text(FRUIT)
        main(["train", "fruit.csv", "--target", "fruit", "--out", "run", "--quiet"])
        capsys.readouterr()

    def test_finds_the_columns_by_name_and_ignores_others(self, here, capsys):
        (here / "new.csv").write_text("shop,length,mass\nx,0.07,0.2\ny,0.2,0.3\n")
        (header, *rows) = output_of(capsys, "predict", "run", "new.csv").splitlines()
        assert header == "fruit,P(apple),P(banana)"
        assert [row.partition(",")[0] for row in rows] == ["apple", "banana"]
        assert rows == output_of(capsys, "predict", "run", "fruit.csv").splitlines()[1:3]

    def test_writes_numbers_that_are_read_back_as_the_same_bits(self, here, capsys):
        rows = output_of(capsys, "predict", "run", "fruit.csv").splitlines()[1:]
        P = np.array([[float(cell) for cell in row.split(",")[1:]] for row in rows])
        run = load_run(here / "run")
        np.testing.assert_array_equal(P, run.predict_proba(run.load("fruit.csv").X))

    def test_writes_to_a_new_file_and_replaces_one_only_if_told_to(self, here, capsys):
        output = output_of(capsys, "predict", "run", "fruit.csv")
        assert output_of(capsys, "predict", "run", "fruit.csv", "--out", "p.csv") == ""
        assert (here / "p.csv").read_text() == output
        (here / "p.csv").write_text("mine")
        assert main(["predict", "run", "fruit.csv", "--out", "p.csv"]) == 2
        assert "p.csv exists and is left as it is" in capsys.readouterr().err
        assert (here / "p.csv").read_text() == "mine"
        assert main(["predict", "run", "fruit.csv", "--out", "p.csv", "--overwrite"]) == 0
        assert (here / "p.csv").read_text() == output

    def test_gives_json_lines_if_asked(self, here, capsys):
        lines = output_of(capsys, "predict", "run", "fruit.csv", "--json").splitlines()
        first = json.loads(lines[0])
        assert len(lines) == 20
        assert first["fruit"] == "apple"
        assert list(first["probabilities"]) == ["apple", "banana"]

    def test_in_letters_that_the_screen_lacks_asks_for_a_file_and_nothing_else_fails(self, here):
        (here / "fruit.csv").write_text(FRUIT.replace("apple", "яблоко"), encoding="utf-8")

        def run(*arguments):
            return subprocess.run(
                [sys.executable, "-m", "nnlite", *arguments],
                env=os.environ | {"PYTHONIOENCODING": "ascii"},
                capture_output=True,
                text=True,
            )

        train = run("train", "fruit.csv", "--target", "fruit", "--epochs", "1", "--out", "new")
        assert train.returncode == 0
        assert r"banana, \u044f" in train.stdout
        shown = run("predict", "new", "fruit.csv")
        assert shown.returncode == 1
        assert r"ascii has no letter '\u044f'; write to a file, --out" in shown.stderr
        assert run("predict", "new", "fruit.csv", "--out", "p.csv").returncode == 0

    def test_ends_quietly_when_its_reader_has_seen_enough(self, here):
        rows = FRUIT + "0.2,0.07,apple\n" * 20000
        (here / "long.csv").write_text(rows)
        command = f"{sys.executable} -m nnlite predict run long.csv | head -n 1"
        result = subprocess.run(command, shell=True, capture_output=True, text=True)
        assert result.stdout == "fruit,P(apple),P(banana)\n"
        assert result.stderr == ""


class TestShow:
    def test_tells_the_model_the_history_and_where_the_pictures_are(self, here, capsys):
        main(["train", "--hidden", "8", "--epochs", "12", "--out", "run"])
        capsys.readouterr()
        output = output_of(capsys, "show", "run")
        assert "layers of 30 → 8 → 1 with relu" in output
        assert "Linear(30, 8)" in output
        assert "257" in output  # 30·8 + 8 + 8 + 1 parameters
        assert "validation_accuracy" in output
        assert os.path.join("run", "loss.png") in output

    def test_tells_how_a_run_that_has_not_ended_goes_on(self, here, capsys):
        main(["train", "--epochs", "2", "--out", "run"])
        (here / "run" / "weights.npz").unlink()
        capsys.readouterr()
        output = output_of(capsys, "show", "run")
        assert "has not ended; go on with nnlite train --resume run" in output
        assert json.loads(output_of(capsys, "show", "run", "--json"))["finished"] is False

    def test_tells_the_same_in_json(self, here, capsys):
        main(["train", "--epochs", "2", "--out", "run"])
        capsys.readouterr()
        report = json.loads(output_of(capsys, "show", "run", "--json"))
        assert report["finished"] is True
        assert report["parameters"] == 31
        assert report["config"]["target"] == "diagnosis"
        assert [row["epoch"] for row in report["history"]] == [1, 2]
        assert all(os.path.exists(picture) for picture in report["pictures"])
