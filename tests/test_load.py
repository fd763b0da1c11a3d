"""What a file of any kind becomes: features, a target, and the task that it sets."""

import gzip

import numpy as np
import pytest

import nnlite as nn
from nnlite.datasets import DataError, load, load_csv, load_features
from nnlite.datasets.loader import DataLoader

X = np.arange(24.0).reshape(12, 2)
TEXT = np.array(["fig", "pear", "fig", "apple"] * 3)


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
    table["a"], table["b"], table["t"] = *X.T, t
    with open(path, "wb") as file:
        np.save(file, table)
    return path


KINDS = pytest.mark.parametrize("make", [csv_of, gzip_of, npz_of, fields_of])


def refusal(function, *arguments, **named):
    with pytest.raises(DataError) as error:
        function(*arguments, **named)
    return str(error.value)


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
        assert data.X.tolist() == [[3, 1], [4, 2]]
        assert data.feature_names == ("b", "a")
        assert load_features(path, ["b", "a"]).tolist() == [[3, 1], [4, 2]]
        single = load_features(path, ["a"], dtype=np.float32)
        assert single.dtype == np.float32
        assert single.tolist() == [[1], [2]]

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


def broken(value, row=9, column=1):
    table = np.hstack([X, X[:, :1] % 4])
    table[row, column] = value
    return table


def structured(**columns):
    table = np.zeros(12, [(name, np.asarray(column).dtype) for name, column in columns.items()])
    for name, column in columns.items():
        table[name] = column
    return table


ROW = "correct the number or leave the row out"
FLOAT = "expected a finite float64 number but found"
# What is in the file, and what is said of it after its path, for the target "2".
BAD_ARRAYS = {
    "NaN": (broken(np.nan), f", row 9 (from 0), column '1': {FLOAT} nan; {ROW}"),
    "infinity": (broken(-np.inf), f", row 9 (from 0), column '1': {FLOAT} -inf; {ROW}"),
    "NaN in the target": (
        broken(np.nan, column=2),
        f", row 9 (from 0), column '2': {FLOAT} nan; {ROW}",
    ),
    "no such column": (X, " has no column '2'; the target must be one of '0', '1'"),
    "no samples": (np.ones((0, 3)), " has columns but no samples; add at least one row"),
    "one axis": (
        np.ones(3),
        " holds an array of shape (3,) and dtype float64; a table has two axes, (samples, "
        "columns), or one axis and named fields",
    ),
    "text": (
        np.array([["1", "2", "3"]]),
        ", column '0': expected one number a sample but found shape (1,) and dtype <U1; convert "
        "it, for instance with array.astype(float)",
    ),
    "complex numbers": (
        structured(a=np.ones(12), **{"2": np.ones(12, complex)}),
        ", column '2': expected one number or text a sample but found shape (12,) and dtype "
        "complex128; convert it, for instance with array.astype(float)",
    ),
    "an empty class": (
        structured(a=np.ones(12), **{"2": ["no", "yes", ""] * 4}),
        f", row 2 (from 0), column '2': expected a class name but found ''; {ROW}",
    ),
    "a target alone": (
        structured(**{"2": np.ones(12)}),
        " has no column but the target '2'; add a feature",
    ),
}


class TestABadFileOfArrays:
    @pytest.mark.parametrize(("array", "sentence"), BAD_ARRAYS.values(), ids=BAD_ARRAYS)
    def test_is_answered_with_one_sentence(self, tmp_path, array, sentence):
        path = tmp_path / "x.npy"
        np.save(path, array)
        assert refusal(load, path, target="2") == f"{path}{sentence}"

    def test_is_refused_for_a_nan_far_inside(self, tmp_path):
        path = tmp_path / "x.npy"
        table = np.random.default_rng(0).normal(size=(50_000, 30))
        table[44_444, 17] = np.nan
        np.save(path, table)
        message = refusal(load, path, target="3")
        assert message.startswith(f"{path}, row 44444 (from 0), column '17': {FLOAT} nan")

    def test_may_be_too_large_for_float32(self, tmp_path):
        np.save(tmp_path / "x.npy", broken(1e300))
        load(tmp_path / "x.npy", target="2")
        message = refusal(load, tmp_path / "x.npy", target="2", dtype=np.float32)
        assert "column '1': expected a finite float32 number but found inf" in message

    def test_names_the_row_and_column_of_a_nan_in_an_archive(self, tmp_path):
        path = tmp_path / "x.npz"
        for X, t, column, row in (
            (broken(np.nan), np.arange(12), "1", 9),
            (broken(0), np.append(np.arange(11), np.nan), "t", 11),
        ):
            np.savez(path, X=X, t=t)
            assert refusal(load, path, target="t") == (
                f"{path}, row {row} (from 0), column {column!r}: {FLOAT} nan; {ROW}"
            )

    @pytest.mark.parametrize(
        ("arrays", "sentence"),
        [
            (
                {"X": X, "y": TEXT},
                " has no array 't'; the target must be one of 'X' (12, 2), 'y' (12,)",
            ),
            (
                {"a": X, "b": X, "t": TEXT},
                " has 2 arrays that may be the features, of 'a' (12, 2), 'b' (12, 2), 't' (12,); "
                "call the one of shape (samples, features) 'X'",
            ),
            (
                {"t": TEXT},
                " has 0 arrays that may be the features, of 't' (12,); call the one of shape "
                "(samples, features) 'X'",
            ),
            (
                {"X": X, "t": TEXT[:5]},
                ": 'X' has 12 rows but the target 't' has shape (5,); give one target a sample",
            ),
            (
                {"X": X, "t": X},
                ", column 't': expected one number or text a sample but found shape (12, 2) and "
                "dtype float64; convert it, for instance with array.astype(float)",
            ),
        ],
    )
    def test_needs_one_array_of_features_and_one_of_targets(self, tmp_path, arrays, sentence):
        path = tmp_path / "x.npz"
        np.savez(path, **arrays)
        assert refusal(load, path, target="t") == f"{path}{sentence}"

    def test_may_have_more_arrays_if_one_is_called_x(self, tmp_path):
        np.savez(tmp_path / "x.npz", X=X, more=X, t=TEXT[:, None])
        assert load(tmp_path / "x.npz", target="t").task == "multiclass"

    @pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.csv"])
    def test_may_not_be_there(self, tmp_path, name):
        for function in (lambda path: load(path, "t"), lambda path: load_features(path, ["a"])):
            assert refusal(function, tmp_path / name) == (
                f"{tmp_path / name} cannot be read (No such file or directory); check the path"
            )

    def test_has_too_many_different_values_for_classes(self, tmp_path):
        np.save(tmp_path / "x.npy", np.arange(20_002.0).reshape(10_001, 2))
        assert load(tmp_path / "x.npy", target="1").task == "regression"
        assert refusal(load, tmp_path / "x.npy", target="1", task="multiclass") == (
            f"{tmp_path / 'x.npy'}, column '1' has more than 10,000 different values, too many for "
            "classes; choose another target"
        )


def test_a_lazy_data_set_trains_to_the_same_bits_as_the_same_arrays_in_memory(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(2, 3, (500, 4))
    table = np.hstack([X, X[:, :1] > 2])
    np.save(tmp_path / "x.npy", table)
    lazy = load(tmp_path / "x.npy", target="4")
    ends = []
    for X, t in ((lazy.X, lazy.t), (table[:, :4], table[:, 4:])):
        X = nn.datasets.Standardizer.fit(X)(X)
        graph = nn.models.seminar_model(4, 1e-3, rng=0)
        optimizer = nn.SGD(graph.parameters(), 0.1)
        for batch in DataLoader(X, t, 32, shuffle=True, rng=0):
            optimizer.zero_grad()
            graph(*batch)
            graph.backward()
            optimizer.step()
        ends.append(graph.state_dict())
    assert all(np.array_equal(ends[0][name], ends[1][name]) for name in ends[0])
