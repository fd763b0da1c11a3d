"""Files of arrays: bad ones, and ones larger than memory."""

from typing import Any

import numpy as np
import pytest
from kinds_of_files import TEXT, X, refusal

import nnlite as nn
from nnlite.datasets import load, load_features
from nnlite.datasets.loader import DataLoader


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
        for table, t, column, row in (
            (broken(np.nan), np.arange(12), "1", 9),
            (broken(0), np.append(np.arange(11), np.nan), "t", 11),
        ):
            np.savez(path, X=table, t=t)
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
    X: Any = rng.normal(2, 3, (500, 4))
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
