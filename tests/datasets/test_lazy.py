"""Arrays that stay on disk: the same rows as in memory, and little memory."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from places import BENCHMARKS

from nnlite.datasets import DataError, Standardizer, load
from nnlite.datasets.lazy import LazyArray, pieces
from nnlite.files.archive import open_npy

LARGE_FILE = BENCHMARKS / "large_file.py"
PIECE = 2**21


def on_disk(path, array):
    np.save(path, array)
    return LazyArray(open_npy(path))


ARRAYS = {
    "a few rows": lambda rng: rng.normal(size=(7, 3)),
    "more than a piece": lambda rng: rng.normal(size=(20_000, 30)),
    "rows wider than a piece": lambda rng: rng.normal(size=(3, 300_000)),
    "one column": lambda rng: rng.normal(size=(3000, 1)).astype(np.float32),
    "another byte order": lambda rng: rng.normal(size=(50, 3)).astype(">f8"),
    "Fortran's order": lambda rng: np.asfortranarray(rng.normal(size=(20_000, 3))),
    "named fields": lambda rng: np.array(
        [(i, i / 2, str(i)) for i in range(2000)], [("a", int), ("b", float), ("c", "U4")]
    ),
}


@pytest.mark.parametrize("make", ARRAYS.values(), ids=ARRAYS)
class TestRows:
    def test_are_those_of_the_array(self, tmp_path, make):
        rng = np.random.default_rng(0)
        array = make(rng)
        lazy = on_disk(tmp_path / "x.npy", array)
        m = len(array)
        assert (len(lazy), lazy.shape, lazy.ndim) == (m, array.shape, array.ndim)
        assert lazy.dtype == array.dtype
        choices = [
            slice(None),
            slice(1, 3),
            slice(-2, None),
            slice(5, 2),
            slice(None, None, -2),
            [0],
            [],
            [2, -1, 0, 2],
            rng.integers(0, m, min(5 * m, 1200)),
            np.sort(rng.permutation(m)[: m // 2 + 1]),
            rng.random(m) < 0.3,
        ]
        # One after the other, and each of them twice: the last rows are remembered.
        for rows in (rows for rows in choices for _ in range(2)):
            assert np.array_equal(lazy[rows], array[rows])
        assert np.array_equal(lazy[1], array[1])
        assert np.array_equal(lazy[-1], array[-1])

    def test_come_through_every_choice_and_function(self, tmp_path, make):
        array = make(np.random.default_rng(0))
        first = np.random.default_rng(1).permutation(len(array))[: len(array) // 2 + 1]
        second = np.arange(len(first))[::-1]
        lazy = on_disk(tmp_path / "x.npy", array).choose(first)
        twice = lazy.map(lambda rows: rows[["b", "a"]] if rows.dtype.names else rows * 2)
        expected = array[first][second]
        expected = expected[["b", "a"]] if array.dtype.names else expected * 2
        chosen = twice.choose(second)
        assert (chosen.shape, chosen.dtype) == (expected.shape, expected.dtype)
        assert np.array_equal(chosen[:], expected)
        assert np.array_equal(chosen[[1, 0]], expected[[1, 0]])

    def test_come_in_pieces_in_order_that_together_are_all(self, tmp_path, make):
        array = make(np.random.default_rng(0))
        for X in (array, on_disk(tmp_path / "x.npy", array)):
            parts = list(pieces(X))
            assert np.array_equal(np.concatenate(parts), array)
            row = array[:1].nbytes
            assert all(part.nbytes <= max(PIECE, row) for part in parts)

    def test_that_are_not_there_are_an_index_error(self, tmp_path, make):
        array = make(np.random.default_rng(0))
        lazy = on_disk(tmp_path / "x.npy", array)
        m = len(array)
        for rows in (m, -m - 1, [0, m], [-m - 1]):
            with pytest.raises(IndexError):
                lazy[rows]


class TestALazyArray:
    def test_cannot_be_written_to_nor_changes_what_is_read_later(self, tmp_path):
        lazy = on_disk(tmp_path / "x.npy", np.ones((5, 2)))
        with pytest.raises(ValueError, match="read-only"):
            lazy[1:3][:] = 0
        lazy.map(np.copy)[1:3][:] = 0
        assert np.array_equal(lazy[1:3], np.ones((2, 2)))

    def test_is_not_made_an_array_by_accident(self):
        lazy = LazyArray(np.ones((5, 2)))
        for make in (np.asarray, np.isfinite, lambda X: np.ones((5, 5)) @ X):
            with pytest.raises(TypeError, match=r"take some rows, X\[:1000\], or all, X\[:\]"):
                make(lazy)

    @pytest.mark.parametrize("rows", [(0, 1), (slice(None), 0), "a", 1.5, [[0]], None])
    def test_gives_rows_and_nothing_else(self, rows):
        with pytest.raises(TypeError, match=r"the rows of a LazyArray are taken by X\[2:5\] or"):
            LazyArray(np.ones((5, 2)))[rows]

    def test_shows_its_shape_and_dtype(self, tmp_path):
        assert repr(on_disk(tmp_path / "x.npy", np.ones((5, 2), np.float32))) == (
            "<LazyArray: shape (5, 2), float32>"
        )

    def test_says_so_when_the_file_has_become_shorter(self, tmp_path):
        path = tmp_path / "x.npy"
        lazy = on_disk(path, np.ones((1000, 30)))
        os.truncate(path, 10_000)
        for rows in (slice(None), [0, 999]):
            with pytest.raises(DataError) as error:
                lazy[rows]
            assert str(error.value) == (
                f"{path} became shorter while it was in use; leave the file as it is"
            )

    def test_closes_its_file_with_the_last_array_that_reads_it(self, tmp_path):
        def descriptors():
            return len(os.listdir("/dev/fd"))

        before = descriptors()
        lazy = on_disk(tmp_path / "x.npy", np.ones((5, 2)))
        chosen = lazy.choose([1, 2]).map(np.negative)
        del lazy
        assert descriptors() > before
        assert np.array_equal(chosen[:], -np.ones((2, 2)))
        del chosen
        assert descriptors() == before


class TestStandardising:
    def test_gives_the_same_bits_as_in_memory(self, tmp_path):
        X = np.random.default_rng(0).normal(3, 2, (20_000, 30))
        lazy = on_disk(tmp_path / "x.npy", X)
        standardize, in_memory = Standardizer.fit(lazy), Standardizer.fit(X)
        assert np.array_equal(standardize.mean, in_memory.mean)
        assert np.array_equal(standardize.scale, in_memory.scale)
        assert isinstance(standardize(lazy), LazyArray)
        assert np.array_equal(standardize(lazy)[:], standardize(X))

    def test_names_the_row_and_column_of_a_nan(self, tmp_path):
        X = np.ones((20_000, 30))
        X[15_000, 7] = np.nan
        with pytest.raises(DataError, match="but row 15000, column 7 "):
            Standardizer.fit(on_disk(tmp_path / "x.npy", X))


class TestAFileLargerThanMemory:
    def test_stays_on_disk_through_loading_and_splitting(self, tmp_path):
        table = np.random.default_rng(0).normal(size=(1000, 4))
        np.save(tmp_path / "x.npy", table)
        data = load(tmp_path / "x.npy", target="1")
        assert isinstance(data.X, LazyArray)
        assert isinstance(data.t, LazyArray)
        parts = data.split(test=0.3, rng=0)
        assert [len(part) for part in parts] == [700, 300]
        seen = []
        for part in parts:
            assert isinstance(part.X, LazyArray)
            rows = np.insert(part.X[:], 1, part.t[:][:, 0], axis=1)
            # In the order of the file, so that a pass reads it from front to back.
            numbers = [int(np.flatnonzero((table == row).all(axis=1))[0]) for row in rows]
            assert numbers == sorted(numbers)
            seen += numbers
        assert sorted(seen) == list(range(1000))

    def test_splits_in_the_same_way_for_the_same_seed_alone(self, tmp_path):
        np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(100, 4)))
        data = load(tmp_path / "x.npy", target="1")
        first, again, other = (data.split(rng=seed)[1].X[:] for seed in (1, 1, 2))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)

    def test_is_trained_on_with_little_of_it_in_memory(self):
        """The split and the shuffled pass hold 8 bytes a row each; ten pieces are in work."""
        megabytes = 100
        answer = subprocess.run(
            [sys.executable, str(LARGE_FILE), "--megabytes", str(megabytes)],
            capture_output=True,
            text=True,
            check=True,
        )
        found = json.loads(answer.stdout)
        assert found["file_megabytes"] == pytest.approx(megabytes, rel=1e-3)
        assert found["validation_loss"] < 0.1  # a guess of one half costs 1/8
        more = found["peak_megabytes"] - found["megabytes_before"]
        assert more < (16 * found["samples"] + 10 * PIECE) / 1e6


def test_a_file_in_fortrans_order_gives_rows_that_lie_in_a_row(tmp_path):
    """What is computed from them has the same bits then as from any other file."""
    table = np.random.default_rng(0).normal(size=(100, 4))
    for order in (np.asfortranarray, np.ascontiguousarray):
        np.save(tmp_path / "x.npy", order(table))
        data = load(tmp_path / "x.npy", target="1")
        assert data.X[[3, 1]].flags.c_contiguous
        assert np.array_equal(data.X[:], np.delete(table, 1, axis=1))
