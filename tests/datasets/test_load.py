"""Tables in files of every kind."""

import gzip

import numpy as np
import pytest
from kinds_of_files import TEXT, X, refusal

from nnlite.datasets import load, load_csv, load_features


def as_csv(path, names, columns):
    rows = [names, *zip(*[np.asarray(column).tolist() for column in columns])]
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    return path


def csv_of(folder, X, t):
    return as_csv(folder / "table", ["a", "b", "t"], [*X.T, t])


def gzip_of(folder, X, t):
    path = csv_of(folder, X, t)
    path.write_bytes(gzip.compress(path.read_bytes()))
    return path


def npz_of(folder, X, t):
    path = folder / "table"
    with open(path, "wb") as file:
        np.savez(file, X=X, t=t)
    return path


def fields_of(folder, X, t):
    path = folder / "table"
    table = np.zeros(len(t), [("a", "f8"), ("b", "f8"), ("t", np.asarray(t).dtype)])
    (table["a"], table["b"]), table["t"] = X.T, t
    with open(path, "wb") as file:
        np.save(file, table)
    return path


KINDS = pytest.mark.parametrize("make", [csv_of, gzip_of, npz_of, fields_of])

TARGETS = {
    "text": (TEXT, "multiclass", ("apple", "fig", "pear")),
    "two words": (np.array(["yes", "no"] * 6), "binary", ("no", "yes")),
    "booleans": (np.array([True, False] * 6), "binary", ("false", "true")),
    "zero and one": (np.array([0, 1] * 6), "binary", ("0", "1")),
    "two numbers": (np.array([-1.0, 2.5] * 6), "binary", ("-1", "2.5")),
    "few whole numbers": (np.array([10, 2, 10, 2] * 3), "binary", ("2", "10")),
    "fractions": (np.linspace(0, 1, 12), "regression", ()),
    "many whole numbers": (np.arange(12), "regression", ()),
    "few of each whole number": (np.array([1, 2, 3] * 4), "regression", ()),
}


@KINDS
class TestTheTask:
    @pytest.mark.parametrize(("t", "task", "classes"), TARGETS.values(), ids=TARGETS)
    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    def test_follows_from_the_target(self, tmp_path, make, t, task, classes, dtype):
        data = load(make(tmp_path, X, t), target="t", dtype=dtype)
        assert data.task == task
        assert data.class_names == classes
        assert data.X.dtype == dtype
        assert np.array_equal(data.X[:], X)
        expected = t
        if classes:
            expected = np.unique(t, return_inverse=True)[1]
        got = data.t[:]
        if task == "multiclass":
            assert got.dtype == np.int64
        else:
            assert got.dtype == dtype
            expected = expected.astype(dtype)[:, None]
        assert np.array_equal(got, expected)
        assert data.t.shape == expected.shape

    def test_is_of_classes_for_up_to_20_whole_numbers_five_times_each(self, tmp_path, make):
        def task(values, count):
            t = np.arange(count) % values
            return load(make(tmp_path, np.ones((count, 2)), t), target="t").task

        assert task(20, 100) == "multiclass"
        assert task(20, 99) == "regression"
        assert task(21, 1000) == "regression"
        assert task(3, 15) == "multiclass"
        assert task(3, 14) == "regression"

    def test_may_be_given(self, tmp_path, make):
        path = make(tmp_path, X, np.array([0, 1] * 6))
        data = load(path, target="t", task="multiclass")
        assert (data.task, data.class_names) == ("multiclass", ("0", "1"))
        assert data.t[:].tolist() == [0, 1] * 6
        data = load(path, target="t", task="regression")
        assert (data.task, data.class_names) == ("regression", ())
        assert data.t[:].tolist() == [[0], [1]] * 6
        assert load(path, target="t", task="binary").task == "binary"

    def test_is_kept_by_both_parts_of_a_split(self, tmp_path, make):
        for part in load(make(tmp_path, X, TEXT), target="t").split(rng=0):
            assert part.task == "multiclass"

    def test_that_there_is_not_is_refused(self, tmp_path, make):
        with pytest.raises(ValueError, match="task is one of 'binary', 'multiclass', 'regression'"):
            load(make(tmp_path, X, TEXT), target="t", task="classification")

    def test_of_two_classes_is_not_for_three(self, tmp_path, make):
        path = make(tmp_path, X, TEXT)
        assert refusal(load, path, target="t", task="binary") == (
            f"{path}, column 't' has 3 classes, 'apple', 'fig', 'pear', but the task 'binary' has "
            "two; give the task 'multiclass', or another target"
        )

    def test_of_a_quantity_is_not_for_words(self, tmp_path, make):
        path = make(tmp_path, X, TEXT)
        message = refusal(load, path, target="t", task="regression")
        assert "column 't': expected a finite float64 number but found 'fig'" in message

    @pytest.mark.parametrize("t", [np.zeros(12), np.array(["no"] * 12), np.array([True] * 12)])
    def test_of_one_class_is_none(self, tmp_path, make, t):
        path = make(tmp_path, X, t)
        name = {"f": "0", "U": "no", "b": "true"}[t.dtype.kind]
        assert refusal(load, path, target="t") == (
            f"{path}, column 't': {name!r} is the only class in 12 samples; add samples of another "
            "class"
        )


@KINDS
class TestTheClassesOfAnotherDataSet:
    def test_keep_their_numbers(self, tmp_path, make):
        path = make(tmp_path, X, np.array(["pear", "fig", "pear"] * 4))
        data = load(path, target="t", classes=("apple", "fig", "pear"))
        assert data.t[:].tolist() == [2, 1, 2] * 4
        assert data.class_names == ("apple", "fig", "pear")
        path = make(tmp_path, X, np.array(["yes"] * 12))
        data = load(path, target="t", classes=("no", "yes"), task="binary")
        assert data.t[:].tolist() == [[1]] * 12

    def test_that_are_numbers_are_the_same_however_they_are_written(self, tmp_path, make):
        for t in (np.array([10.0, 2.0] * 6), np.array([10, 2] * 6)):
            data = load(make(tmp_path, X, t), target="t", classes=("2", "7", "10"))
            assert data.t[:].tolist() == [2, 0] * 6

    def test_that_are_true_and_false_are_so_in_any_case(self, tmp_path, make):
        for t in (np.array(["True"] * 12), np.array([True] * 12), np.array(["TRUE"] * 12)):
            data = load(make(tmp_path, X, t), target="t", classes=("false", "true"))
            assert data.t[:].tolist() == [[1]] * 12

    def test_that_are_words_of_any_case_keep_it(self, tmp_path, make):
        path = make(tmp_path, X, np.array(["True"] * 12))
        assert load(path, target="t", classes=("True", "maybe")).t[:].tolist() == [[0]] * 12

    def test_must_hold_those_of_the_file(self, tmp_path, make):
        path = make(tmp_path, X, TEXT)
        message = refusal(load, path, target="t", classes=("fig", "pear"))
        where, advice = "row 3 (from 0)", "correct the number or leave the row out"
        if make in (csv_of, gzip_of):
            where, advice = "line 5", "correct the cell or delete the line"
        assert message == (
            f"{path}, {where}, column 't': expected a class ('fig' or 'pear') but found 'apple'; "
            f"{advice}"
        )


class TestTheFeatures:
    def test_are_taken_by_name_in_the_order_asked_for_whatever_else_there_is(self, tmp_path):
        columns = [["Ada", "Ben"], [1, 2], [3, 4], ["x", "y"], ["no", "yes"]]
        path = as_csv(tmp_path / "t.csv", ["name", "a", "b", "remark", "t"], columns)
        data = load(path, target="t", features=("b", "a"))
        assert data.X[:].tolist() == [[3, 1], [4, 2]]
        assert data.feature_names == ("b", "a")
        assert load_features(path, ["b", "a"])[:].tolist() == [[3, 1], [4, 2]]
        single = load_features(path, ["a"], dtype=np.float32)
        assert single.dtype == np.float32
        assert single[:].tolist() == [[1], [2]]

    @KINDS
    def test_are_the_same_from_every_kind_of_file(self, tmp_path, make):
        names = ["1", "0"] if make is npz_of else ["b", "a"]
        path = make(tmp_path, X, TEXT)
        assert np.array_equal(load_features(path, names)[:], X[:, ::-1])
        assert np.array_equal(load(path, "t", features=names).X[:], X[:, ::-1])
        for function in (load_features, lambda path, names: load(path, "t", features=names)):
            message = refusal(function, path, ["a", "age"] if "a" in names else ["0", "age"])
            assert "has no column 'age', which is one of the 2 features wanted; its col" in message

    def test_need_no_target_beside_them(self, tmp_path):
        np.savez(tmp_path / "x.npz", samples=X)
        assert np.array_equal(load_features(tmp_path / "x.npz", ["1", "0"]), X[:, ::-1])

    def test_of_a_npy_file_are_numbered(self, tmp_path):
        np.save(tmp_path / "x.npy", np.hstack([X, X[:, :1] % 4]).astype(np.int32))
        data = load(tmp_path / "x.npy", target="2")
        assert data.feature_names == ("0", "1")
        assert np.array_equal(data.X[:], X)
        assert data.t[:].tolist() == [[0], [1]] * 6
        assert np.array_equal(
            load(tmp_path / "x.npy", target="0").X[:], np.c_[X[:, 1], X[:, 0] % 4]
        )

    def test_do_not_hold_the_target(self, tmp_path):
        path = as_csv(tmp_path / "t.csv", ["a", "t"], [[1, 2], [1, 2]])
        assert refusal(load, path, "t", features=["a", "t"]) == (
            f"{path}: 't' is the target and cannot be a feature, too; leave it out of the features"
        )

    @pytest.mark.parametrize("dtype", [int, complex])
    def test_are_of_no_dtype_without_fractions(self, tmp_path, dtype):
        path = csv_of(tmp_path, X, TEXT)
        for function in (lambda: load(path, "t", dtype), lambda: load_features(path, ["a"], dtype)):
            with pytest.raises(TypeError, match="dtype must be a float dtype such as"):
                function()


class TestLoadCsv:
    def test_takes_a_numeric_target_for_a_quantity_and_load_does_not(self, tmp_path):
        path = csv_of(tmp_path, X, np.array([0, 1] * 6))
        assert load_csv(path, "t").task == "regression"
        assert load(path, "t").task == "binary"
