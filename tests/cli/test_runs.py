"""Runs that are read back: what they predict, and what happens if their files were altered."""

import json
import re
import shutil
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import nnlite as nn
from nnlite.cli.main import main
from nnlite.cli.runs.config import read_config
from nnlite.cli.runs.folder import contents, read_history, remove
from nnlite.cli.runs.run import load_run
from nnlite.files.archive import write_npz
from nnlite.files.errors import DataError, RunError

TABLES = {
    "binary": ("size,kind", lambda x: "large" if x > 0 else "small"),
    "multiclass": ("size,kind", lambda x: "large" if x > 0.4 else "small" if x < -0.4 else "mid"),
    "regression": ("size,kind", lambda x: 1000 + 20 * x),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with the data and the run of each task, not to be changed."""
    folder = tmp_path_factory.mktemp("runs")
    values = np.random.default_rng(0).uniform(-1, 1, (60, 2)).tolist()
    for task, (_, rule) in TABLES.items():
        rows = "".join(f"{a!r},{b!r},{rule(a + b)}\n" for a, b in values)
        (folder / f"{task}.csv").write_text("a,b,kind\n" + rows)
        command = ["train", str(folder / f"{task}.csv"), "--target", "kind", "--hidden", "6"]
        assert main([*command, "--out", str(folder / task), "--epochs", "60", "--json"]) == 0
    return folder


@pytest.fixture
def run_folder(runs, tmp_path):
    """A copy of a run that a test may spoil."""
    return shutil.copytree(runs / "multiclass", tmp_path / "run")


def altered(folder, **entries):
    """The folder, with other entries in its settings."""
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8")) | entries
    path.write_text(json.dumps(config), encoding="utf-8")
    return folder


def problem_of(read, path):
    """The file that a RunError names first, None if all is well."""
    try:
        read(path)
    except RunError as error:
        named = re.match(r"[^\s,:]*", str(error))
        assert named is not None
        return named[0]
    return None


class TestPrediction:
    @pytest.mark.parametrize("task", TABLES)
    def test_gives_the_same_bits_in_a_fresh_process_as_in_memory(self, runs, task):
        run = load_run(runs / task)
        X = run.load_features(runs / f"{task}.csv")
        command = [sys.executable, "-m", "nnlite", "predict", runs / task, runs / f"{task}.csv"]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        rows = [line.split(",") for line in result.stdout.splitlines()[1:]]
        if task == "regression":
            np.testing.assert_array_equal([float(row[0]) for row in rows], run.predict(X))
        else:
            P = [[float(cell) for cell in row[1:]] for row in rows]
            np.testing.assert_array_equal(P, run.predict_proba(X))
            assert [row[0] for row in rows] == run.predict(X).tolist()

    @pytest.mark.parametrize("task", TABLES)
    def test_is_that_of_the_model_which_was_just_trained(self, runs, tmp_path, task):
        from nnlite.cli.main import _parser
        from nnlite.cli.train import train

        command = ["train", str(runs / f"{task}.csv"), "--target", "kind", "--epochs", "3"]
        trained = train(_parser().parse_args([*command, "--out", str(tmp_path / "run")]))
        loaded = load_run(tmp_path / "run")
        X = loaded.load_features(runs / f"{task}.csv")
        np.testing.assert_array_equal(loaded.predict(X), trained.predict(X))

    def test_is_of_raw_samples_in_the_targets_own_unit(self, runs):
        run = load_run(runs / "regression")
        X, t = run.load(runs / "regression.csv")
        y = run.predict(X)
        assert y.shape == (60,)
        assert np.all((y > 900) & (y < 1100))
        quality = run.evaluate(X, t)
        assert quality["r2"] > 0.9
        assert quality["rmse"] == pytest.approx(np.sqrt(np.mean((y - t[:, 0]) ** 2)), rel=1e-13)

    @pytest.mark.parametrize("task", ["binary", "multiclass"])
    def test_of_classes_is_a_name_and_probabilities_that_add_up(self, runs, task):
        run = load_run(runs / task)
        X, t = run.load(runs / f"{task}.csv")
        P = run.predict_proba(X)
        assert P.shape == (60, len(run.config.classes))
        # Each of at most 3 numbers below 1 is rounded once.
        np.testing.assert_allclose(P.sum(axis=1), 1, rtol=0, atol=1e-15)
        right = run.predict(X) == np.array(run.config.classes)[t.astype(int).reshape(-1)]
        assert run.evaluate(X, t) == {"accuracy": np.mean(right)}
        assert run.confusion(X, t).trace() == np.sum(right)

    def test_of_many_samples_is_made_of_pieces_and_of_none_is_empty(self, runs):
        run = load_run(runs / "multiclass")
        X = np.random.default_rng(1).uniform(-1, 1, (2500, 2))
        assert run.predict_proba(X).shape == (2500, 3)
        assert run.predict(X[:0]).shape == (0,)

    def test_takes_lists_too(self, runs):
        assert load_run(runs / "binary").predict([[0.9, 0.9], [-0.9, -0.9]]).tolist() == [
            "large",
            "small",
        ]

    def test_is_refused_for_samples_of_another_shape_or_that_are_not_finite(self, runs):
        run = load_run(runs / "binary")
        with pytest.raises(DataError, match=r"shape \(samples, 2\) but got shape \(1, 3\)"):
            run.predict(np.zeros((1, 3)))
        with pytest.raises(DataError, match="sample 1 has nan as 'b'"):
            run.predict([[0.0, 0.0], [0.0, float("nan")]])
        with pytest.raises(ValueError, match="predicts a quantity, which has no classes"):
            load_run(runs / "regression").predict_proba(np.zeros((1, 2)))


class TestSettings:
    def test_are_read_as_they_were_written(self, runs):
        config = read_config(runs / "binary" / "config.json")
        assert config.hidden == (6,)
        assert config.to_json() == (runs / "binary" / "config.json").read_text(encoding="utf-8")

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (b"", "is no JSON"),
            (b"{", "is no JSON"),
            (b"\xff\xfe", "is no JSON"),
            (b"[" * 100_000, "is no JSON"),
            (b"[]", 'of a run that this nnlite can read: "format" is not'),
            (b"{}", 'of a run that this nnlite can read: "format" is not'),
            (b'{"format": "nnlite run 9"}', '"format" is not "nnlite run 1"'),
            (b'{"format": "nnlite run 1"}', "file is missing; sha256 is missing"),
            (b'{"format": "nnlite run 1", "seed": 1' + b"0" * 5000 + b"}", "is no JSON"),
        ],
        ids=range(9),
    )
    def test_that_are_none_are_refused(self, tmp_path, text, words):
        (tmp_path / "config.json").write_bytes(text)
        with pytest.raises(RunError, match=words):
            load_run(tmp_path)

    @pytest.mark.parametrize(
        ("entries", "words"),
        [
            ({"hidden": [10**9]}, "'weight_1' has shape"),
            ({"hidden": [10**30]}, "'weight_1' has shape"),
            ({"hidden": [1] * 100_000}, "'weight_1' has shape"),
            ({"hidden": 6}, "hidden is a list, not 6"),
            ({"hidden": ["6"]}, "hidden: '6' is not a whole number"),
            ({"hidden": [True]}, "hidden: True is not a whole number"),
            ({"activation": "os.system"}, "activation: 'os.system' is none of elu"),
            ({"activation": ["relu"]}, "activation: .* is none of elu"),
            ({"loss": "mse"}, "loss 'mse' is not one of task 'multiclass'"),
            ({"task": "binary"}, "task 'binary'"),
            ({"task": None}, "task: None is none of"),
            ({"dtype": "object"}, "dtype: 'object' is none of float32, float64"),
            ({"dtype": "float32"}, "weight_1: expected .*float32"),
            ({"dropout": 1}, "dropout: 1 is not a finite number"),
            ({"lr": "0.1"}, "lr: '0.1' is not a finite number above 0"),
            ({"lr": float("nan")}, "lr: nan is not"),
            ({"optimizer": "__import__"}, "optimizer: '__import__' is none of"),
            ({"schedule": "step:x=1"}, "schedule: 'x=1' is no argument of step"),
            ({"schedule": 3}, "schedule: 3 is not a text"),
            ({"classes": ["a", "b", "a"]}, "classes has a name twice"),
            ({"classes": "abc"}, "classes is a list, not 'abc'"),
            ({"classes": [1, 2, 3]}, "classes is text, not 1"),
            ({"classes": []}, "0 classes do not fit task 'multiclass'"),
            ({"features": []}, "mean has 2 numbers for 0 features"),
            ({"features": ["a", "b", "c"]}, "mean has 2 numbers for 3 features"),
            ({"mean": [0.0, float("inf")]}, "mean is a finite number"),
            ({"mean": [0.0, 10**400]}, "mean is a finite number"),
            ({"scale": [1.0, 0.0]}, "a scale is above 0"),
            ({"target_scale": -1.0}, "a scale is above 0"),
            ({"sha256": 5}, "sha256 is text, not 5"),
            ({"file": ["/etc/passwd"]}, "file is text"),
            ({"seed": -1}, "seed: -1 is not a whole number of at least 0"),
            ({"command": "rm"}, "'command' is unknown"),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
    )
    def test_that_make_no_sense_are_refused_in_words(self, run_folder, entries, words):
        with pytest.raises(RunError, match=words) as caught:
            load_run(altered(run_folder, **entries))
        assert len(str(caught.value)) < 600

    def test_that_ask_for_more_memory_than_the_files_have_get_none(self, run_folder):
        altered(run_folder, hidden=[10**8])  # 3.2 GB
        tracemalloc.start()
        try:
            with pytest.raises(RunError, match="are not of the same run"):
                load_run(run_folder)
            assert tracemalloc.get_traced_memory()[1] < 2**20
        finally:
            tracemalloc.stop()

    @settings(deadline=None, max_examples=150)
    @given(data=st.data())
    def test_that_were_altered_anywhere_are_read_or_refused_in_words(self, runs, data):
        """Whatever stands in a place of the settings: no other error than a RunError."""
        entries = json.loads((runs / "multiclass" / "config.json").read_text(encoding="utf-8"))
        name = data.draw(st.sampled_from(sorted(entries)))
        simple = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
        entries[name] = data.draw(simple | st.lists(simple, max_size=3) | st.just({}))
        path = runs / "altered.json"
        path.write_text(json.dumps(entries), encoding="utf-8")
        assert problem_of(read_config, path) in (None, str(path))


class TestWeights:
    def test_that_are_not_there_mean_that_the_training_has_not_ended(self, run_folder):
        (run_folder / "weights.npz").unlink()
        with pytest.raises(RunError, match="go on with nnlite train --resume"):
            load_run(run_folder)

    @pytest.mark.parametrize(
        ("arrays", "words"),
        [
            ({"weight_3": np.zeros((2, 2))}, "'weight_3' has shape None, and here"),
            ({"weight_1": np.zeros((6, 2))}, "'weight_1' has shape"),
            ({"weight_1": np.full((2, 6), np.nan)}, "something else than finite numbers"),
            ({"weight_1": np.zeros((2, 6), int)}, "something else than finite numbers"),
            ({"weight_1": np.zeros((2, 6), np.float32)}, "weight_1: expected .*float64"),
        ],
        ids=["one more", "shape", "nan", "integers", "dtype"],
    )
    def test_that_do_not_fit_the_settings_are_refused(self, run_folder, arrays, words):
        path = run_folder / "weights.npz"
        with np.load(path) as archive:
            write_npz(path, dict(archive) | arrays)
        with pytest.raises(RunError, match=words):
            load_run(run_folder)

    def test_that_hold_python_objects_are_refused_and_run_nothing(self, run_folder, tmp_path):
        class Bomb:
            def __reduce__(self):
                return (open, (str(tmp_path / "exploded"), "w"))

        np.savez(run_folder / "weights.npz", weight_1=np.array([Bomb()], dtype=object))
        with pytest.raises(RunError, match="Python objects"):
            load_run(run_folder)
        assert not (tmp_path / "exploded").exists()

    @settings(
        deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), cut=st.booleans())
    def test_that_were_altered_anywhere_are_read_or_refused_in_words(
        self, runs, run_folder, place, byte, cut
    ):
        content = bytearray((runs / "multiclass" / "weights.npz").read_bytes())
        position = int(place * len(content))
        content[position] = byte
        (run_folder / "weights.npz").write_bytes(content[:position] if cut else content)
        assert problem_of(load_run, run_folder) in (None, str(run_folder / "weights.npz"))


class TestHistory:
    def test_is_read_as_it_was_written(self, runs):
        rows = read_history(runs / "binary")
        assert [row["epoch"] for row in rows] == list(range(1, 61))
        assert rows[-1]["validation_accuracy"] > 0.8

    @pytest.mark.parametrize("text", ["", "epoch\nx\n", "epoch,step\n1\n", 'epoch\n"1\n', "\xff"])
    def test_that_is_damaged_is_refused(self, run_folder, text):
        (run_folder / "history.csv").write_bytes(text.encode("latin1"))
        with pytest.raises(RunError, match=r"history\.csv is damaged"):
            read_history(run_folder)


class TestRemoval:
    def test_deletes_a_run_and_nothing_beside_it(self, run_folder):
        (run_folder.parent / "thesis.txt").write_text("text")
        remove(run_folder)
        assert [path.name for path in run_folder.parent.iterdir()] == ["thesis.txt"]

    @pytest.mark.parametrize("place", ["thesis.txt", "checkpoints/thesis.txt", "more/x"])
    def test_is_refused_where_there_is_something_else(self, run_folder, place):
        (run_folder / place).parent.mkdir(exist_ok=True)
        (run_folder / place).write_text("text")
        before = sorted(run_folder.rglob("*"))
        with pytest.raises(RunError, match="is no part of a run"):
            remove(run_folder)
        assert sorted(run_folder.rglob("*")) == before

    def test_is_refused_for_a_link_to_a_run_and_for_links_in_it(self, run_folder, tmp_path):
        (tmp_path / "link").symlink_to(run_folder)
        with pytest.raises(RunError, match="is not a folder of a run"):
            remove(tmp_path / "link")
        (tmp_path / "thesis.npz").write_text("text")
        (run_folder / "weights.npz").unlink()
        (run_folder / "weights.npz").symlink_to(tmp_path / "thesis.npz")
        with pytest.raises(RunError, match="is no part of a run"):
            remove(run_folder)

    def test_is_refused_for_a_folder_without_settings(self, tmp_path):
        (tmp_path / "weights.npz").write_text("mine")
        with pytest.raises(RunError, match=r"config\.json cannot be read"):
            contents(tmp_path)


def test_a_run_loads_under_the_public_names(runs):
    assert repr(load_run(runs / "binary")).endswith("'kind' from 2 features>")
    assert nn.datasets.DataError is DataError
