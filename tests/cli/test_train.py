"""``nnlite train``."""

import csv
import io
import json
import os
import pty
import subprocess
import sys
import termios

import matplotlib.pyplot as plt
import numpy as np
import pytest
from commands import FRUIT, output_of
from sklearn import datasets as sklearn_datasets

import nnlite as nn
from nnlite.cli.main import main
from nnlite.cli.runs.run import load_run
from nnlite.datasets.shipped import shipped

FILES = ["config.json", "graph.png", "history.csv", "loss.png", "weights.npz"]


def history(folder):
    return list(csv.DictReader((folder / "history.csv").read_text().splitlines()))


def config(folder):
    return json.loads((folder / "config.json").read_text(encoding="utf-8"))


def weights(folder):
    with np.load(folder / "weights.npz", allow_pickle=False) as archive:
        return dict(archive)


def write_sklearn(name, path, words=False):
    """A data set of scikit-learn as CSV, with its target in numbers or words; the rows."""
    bunch = getattr(sklearn_datasets, f"load_{name}")()
    targets = bunch.target.tolist()
    if words:
        targets = [str(bunch.target_names[t]) for t in targets]
    rows = [[*x, t] for x, t in zip(bunch.data.tolist(), targets)]
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([[*bunch.feature_names, "target"], *rows])
    return bunch


class TestTrainWithoutArguments:
    def test_reports_and_writes_the_run(self, here, capsys):
        output = output_of(capsys, "train")
        assert output.splitlines()[-1] == f"wrote runs{os.sep}breast_cancer{os.sep}"
        run = here / "runs" / "breast_cancer"
        seen = sorted(path.name for path in run.iterdir() if not path.name.startswith("."))
        assert seen == sorted([*FILES, "checkpoints"])
        assert len(history(run)) == 50
        accuracy = float(history(run)[-1]["validation_accuracy"])
        assert accuracy > 0.95
        assert f"accuracy {accuracy:.4f}" in output

    def test_writes_nothing_to_standard_error_where_that_is_no_terminal(self, here, capsys):
        main(["train"])
        assert capsys.readouterr().err == ""

    def test_trains_the_seminars_model_with_the_plain_loop(self, here):
        """As the lines of the README do, to the rounding of a compiled program."""
        main(["train", "--epochs", "5"])
        rng = np.random.default_rng(0)
        part, _ = nn.datasets.load_breast_cancer().split(test=0.2, rng=rng)
        X, t = nn.datasets.Standardizer.fit(part.X)(part.X), part.t
        graph = nn.models.seminar_model(30, 1e-3, rng=rng)
        sgd = nn.SGD(graph.parameters(), lr=0.1, momentum=0.9)
        for _ in range(5):
            order = rng.permutation(len(X))
            for start in range(0, len(X), 32):
                rows = order[start : start + 32]
                graph(X[rows], t[rows])
                sgd.zero_grad()
                graph.backward()
                sgd.step()
        for name, array in graph.state_dict().items():
            got = weights(here / "runs" / "breast_cancer")[name]
            np.testing.assert_allclose(got, array, rtol=1e-11, atol=1e-14)


def test_training_leaves_no_figure_open(here):
    main(["train", "--epochs", "1"])
    assert plt.get_fignums() == []


def test_the_written_run_predicts_as_it_reported(here):
    main(["train", "--seed", "3", "--out", "run"])
    settings = config(here / "run")
    omega, b = weights(here / "run").values()
    data = nn.datasets.load_breast_cancer()
    train, held_out = data.split(test=0.2, rng=np.random.default_rng(settings["seed"]))
    X = (held_out.X - settings["mean"]) / settings["scale"]
    y = 1 / (1 + np.exp(-(X @ omega + b)))
    accuracy = float(history(here / "run")[-1]["validation_accuracy"])
    assert np.mean((y > 0.5) == held_out.t) == accuracy
    assert settings["features"] == list(data.feature_names)
    assert settings["classes"] == ["benign", "malignant"]
    np.testing.assert_allclose(settings["mean"], train.X[:].mean(axis=0), rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not(here, dtype):
    for folder, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        main(["train", "--epochs", "2", "--dtype", dtype, "--seed", seed, "--out", folder])
    for name in FILES:
        assert (here / "a" / name).read_bytes() == (here / "b" / name).read_bytes(), name
    assert (here / "a" / "weights.npz").read_bytes() != (here / "c" / "weights.npz").read_bytes()
    assert weights(here / "a")["weight"].dtype == dtype


@pytest.mark.parametrize(
    ("name", "words", "task", "metric", "least"),
    [
        ("wine", False, "multiclass", "accuracy", 0.93),
        ("iris", False, "multiclass", "accuracy", 0.93),
        ("iris", True, "multiclass", "accuracy", 0.93),
        ("breast_cancer", False, "binary", "accuracy", 0.95),
        ("digits", False, "multiclass", "accuracy", 0.93),
        ("diabetes", False, "regression", "r2", 0.40),
    ],
)
def test_a_table_is_learnt_and_predicted_with_no_option_but_the_target(
    here, capsys, name, words, task, metric, least
):
    bunch = write_sklearn(name, here / "data.csv", words)
    output = output_of(capsys, "train", "data.csv", "--target", "target")
    run = here / "runs" / "data"
    assert config(run)["task"] == task
    assert float(history(run)[-1][f"validation_{metric}"]) >= least
    assert ("one of" if task != "regression" else "a number") in output

    report = json.loads(output_of(capsys, "evaluate", "runs/data", "data.csv", "--json"))
    header, *rows = csv.reader(io.StringIO(output_of(capsys, "predict", "runs/data", "data.csv")))
    assert len(rows) == len(bunch.target)
    assert header[0] == "target"
    if task == "regression":
        y = np.array([float(row[0]) for row in rows])
        spread = np.sum((bunch.target - bunch.target.mean()) ** 2)
        assert report["r2"] == pytest.approx(1 - np.sum((y - bunch.target) ** 2) / spread)
        assert report["r2"] >= least
    else:
        names = bunch.target_names if words else map(str, sorted(set(bunch.target)))
        assert header[1:] == [f"P({name})" for name in names]
        true = bunch.target_names[bunch.target] if words else bunch.target.astype(str)
        accuracy = np.mean([row[0] == t for row, t in zip(rows, true)])
        assert report["accuracy"] == pytest.approx(accuracy, abs=1e-15)
        assert accuracy >= least
        assert np.sum(report["confusion"]) == len(rows)


class TestTheTask:
    @pytest.fixture
    def told(self, here, capsys):
        def told(cells, *options):
            rows = "".join(f"{i}.5,{cell}\n" for i, cell in enumerate(cells * 10))
            (here / "data.csv").write_text("x,t\n" + rows)
            arguments = ["train", "data.csv", "--target", "t", "--epochs", "1", "--out", "run"]
            return output_of(capsys, *arguments, *options), config(here / "run")["task"]

        return told

    def test_follows_from_words_without_a_hint_as_they_can_be_nothing_else(self, told):
        output, task = told(["red", "green"])
        assert task == "binary"
        assert "--task" not in output

    def test_follows_from_few_numbers_and_it_is_said_how_to_have_it_otherwise(self, told):
        output, task = told([1, 2, 3])
        assert task == "multiclass"
        assert "one of 1, 2, 3" in output
        assert "if the classes are numbers on a scale: --task regression" in output

    def test_follows_from_many_numbers_and_it_is_said_how_to_have_it_otherwise(self, told):
        output, task = told([0.5, 1.25, 2.0])
        assert task == "regression"
        assert "if these numbers stand for classes: --task multiclass" in output

    def test_is_what_the_user_says(self, told):
        output, task = told([1, 2, 3], "--task", "regression")
        assert task == "regression"
        assert "--task" not in output


@pytest.mark.parametrize(
    "options",
    [
        ["--hidden", "8", "4", "--activation", "tanh", "--dropout", "0.2"],
        ["--loss", "bce", "--l1", "0.01", "--l2", "0"],
        ["--optimizer", "adam", "--lr", "0.01", "--weight-decay", "0.001"],
        ["--optimizer", "adamw", "--clip-norm", "1"],
        ["--optimizer", "rmsprop", "--momentum", "0.5"],
        ["--optimizer", "adagrad"],
        ["--schedule", "step:step_size=2,gamma=0.5"],
        ["--schedule", "exponential"],
        ["--schedule", "cosine"],
        ["--schedule", "inverse_scaling:power_t=0.3"],
        ["--schedule", "one_cycle"],
        ["--schedule", "plateau:patience=1,factor=0.5"],
        ["--validation", "0"],
        ["--patience", "2"],
        ["--checkpoint-steps", "3", "--batch-size", "16", "--dtype", "float32"],
    ],
    ids=lambda options: options[0] + " " + options[1].partition(":")[0],
)
def test_every_option_trains_and_the_run_can_be_loaded(here, capsys, options):
    assert main(["train", "--epochs", "4", "--out", "run", *options]) == 0
    with open(shipped("breast_cancer.csv")) as file:
        (here / "data.csv").write_text("".join(file.readlines()[:20]))
    capsys.readouterr()
    report = json.loads(output_of(capsys, "evaluate", "run", "data.csv", "--json"))
    assert report["accuracy"] >= 0.5
    assert main(["show", "run"]) == 0


def test_the_learning_rate_follows_the_schedule(here):
    main(["train", "--epochs", "3", "--schedule", "step:step_size=1,gamma=0.5", "--out", "run"])
    assert [float(row["lr"]) for row in history(here / "run")] == [0.1, 0.05, 0.025]


def test_patience_ends_the_training_and_the_best_weights_are_kept(here):
    main(["train", "--epochs", "400", "--patience", "3", "--lr", "3", "--out", "run"])
    losses = [float(row["validation_loss"]) for row in history(here / "run")]
    assert len(losses) < 400
    assert losses.index(min(losses)) == len(losses) - 4
    run = load_run(here / "run")
    _, held_out = nn.datasets.load_breast_cancer().split(test=0.2, rng=np.random.default_rng(0))
    X = run.standardize(held_out.X)
    assert run.model.graph(X, held_out.t) == pytest.approx(min(losses), rel=1e-12)


def test_a_table_of_arrays_is_learnt_as_well(here, capsys):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    np.save(here / "data.npy", np.hstack([X, X[:, :1] > 0]))
    np.savez(here / "data.npz", X=X, t=X @ [1.0, 2.0, 3.0])
    assert "one of 0, 1" in output_of(capsys, "train", "data.npy", "--target", "3", "--out", "a")
    assert "a number" in output_of(capsys, "train", "data.npz", "--target", "t", "--out", "b")
    assert json.loads(output_of(capsys, "evaluate", "a", "data.npy", "--json"))["accuracy"] > 0.9
    assert json.loads(output_of(capsys, "evaluate", "b", "data.npz", "--json"))["r2"] > 0.99


def test_many_classes_are_not_all_listed(here, capsys):
    rows = "".join(f"{i},name{i % 40}\n" for i in range(80))
    (here / "data.csv").write_text("x,t\n" + rows)
    train = ["train", "data.csv", "--target", "t", "--epochs", "1", "--validation", "0"]
    output = output_of(capsys, *train, "--out", "run")
    assert "name0, name1, name10" in output
    assert "and 28 more" in output
    assert len(output_of(capsys, "evaluate", "run", "data.csv").splitlines()) == 1


class TestFolders:
    @pytest.fixture(autouse=True)
    def fruit(self, here):
        (here / "fruit.csv").write_text(FRUIT)
        self.train = ["train", "fruit.csv", "--target", "fruit", "--epochs", "1"]

    def test_a_second_run_gets_one_of_its_own(self, here):
        for _ in range(2):
            main(self.train)
        assert sorted(path.name for path in (here / "runs").iterdir()) == ["fruit", "fruit-2"]

    def test_overwrite_replaces_the_run_of_the_usual_name_or_of_out(self, here):
        for out in ([], ["--out", "run"]):
            folder = here / (out[1] if out else "runs/fruit")
            for seed in ("1", "2"):
                assert main([*self.train, *out, "--overwrite", "--seed", seed]) == 0
                assert config(folder)["seed"] == int(seed)
        assert [path.name for path in (here / "runs").iterdir()] == ["fruit"]

    def test_names_with_odd_letters_are_as_good_as_others(self, here, capsys):
        text = FRUIT.replace("mass", '"mass, in kg"').replace("apple", "яблоко 🍎")
        (here / "frühstück.csv").write_text(text, encoding="utf-8")
        assert main(["train", "frühstück.csv", "--target", "fruit", "--epochs", "1"]) == 0
        capsys.readouterr()
        output = output_of(capsys, "predict", "runs/frühstück", "frühstück.csv")
        assert output.startswith("fruit,P(banana),P(яблоко 🍎)\n")


def test_train_gives_one_json_object_if_asked(here, capsys):
    report = json.loads(output_of(capsys, "train", "--epochs", "2", "--out", "run", "--json"))
    assert report["run"] == "run"
    assert (report["task"], report["epochs"], report["steps"]) == ("binary", 2, 30)
    last = history(here / "run")[-1]
    assert report["validation"]["accuracy"] == float(last["validation_accuracy"])


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
    assert "loss" in terminal_output("--out", "loud")
    assert terminal_output("--out", "silent", "--quiet") == ""


def test_import_brings_neither_matplotlib_nor_tqdm():
    code = "import nnlite, sys; print([m for m in ('matplotlib', 'tqdm') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "[]\n"


def test_the_parser_does_without_numpy():
    code = (
        "import sys; from nnlite.cli import main; main._parser(); "
        "print([name for name in ('numpy', 'matplotlib', 'tqdm') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "[]\n"
