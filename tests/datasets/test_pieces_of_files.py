"""Rows of files, however the system hands them over, and wherever in the file they stand."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from nnlite.datasets import DataError, load
from nnlite.datasets.lazy import LazyArray
from nnlite.files.archive import open_npy


@pytest.mark.parametrize("system", ["reads in parts", "has no pread"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_are_those_of_the_array_whatever_the_system_reads_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str, order: str
) -> None:
    """A system may give less than was asked for, and Windows knows no reading at a place."""
    if system == "reads in parts":
        whole = os.pread
        monkeypatch.setattr(
            os, "pread", lambda file, size, start: whole(file, max(1, size // 3), start)
        )
    else:
        monkeypatch.delattr(os, "pread")
    table = np.random.default_rng(0).normal(size=(2000, 3))
    np.save(tmp_path / "x.npy", np.asarray(table, order="F" if order == "F" else "C"))
    lazy = LazyArray(open_npy(tmp_path / "x.npy"))
    rows: list[slice | list[int]] = [slice(None), slice(5, 9), [1999, 0, -3], [7, 1500, 7]]
    for chosen in rows:
        np.testing.assert_array_equal(lazy[chosen], table[chosen])


def test_a_class_that_is_unknown_is_found_far_down_in_a_long_file(tmp_path: Path) -> None:
    row = 2**21 // 8 + 1000  # beyond the first two megabytes of the column
    table = np.zeros(row + 10, [("x", float), ("t", np.int64)])
    table["t"][1::2] = 1
    table["t"][row] = 7
    np.save(tmp_path / "long.npy", table)
    with pytest.raises(DataError, match=rf"row {row} .*column 't': expected a class .* found '7'"):
        load(tmp_path / "long.npy", target="t", classes=("0", "1"))
    table["t"][row] = 1
    np.save(tmp_path / "long.npy", table)
    data = load(tmp_path / "long.npy", target="t", classes=("0", "1"))
    np.testing.assert_array_equal(data.t[:][:, 0], table["t"])


def test_classes_may_be_written_as_bytes(tmp_path: Path) -> None:
    names = ["fig", "яблоко", "fig", " pear ", "яблоко"]
    kinds = {"bytes": [name.encode() for name in names], "text": names}
    found = {}
    for kind, column in kinds.items():
        table = np.zeros(5, [("x", float), ("t", "S20" if kind == "bytes" else "U20")])
        table["t"] = column
        np.save(tmp_path / f"{kind}.npy", table)
        found[kind] = load(tmp_path / f"{kind}.npy", target="t")
    assert found["bytes"].class_names == found["text"].class_names == ("fig", "pear", "яблоко")
    np.testing.assert_array_equal(found["bytes"].t[:], [0, 2, 0, 1, 2])
    np.testing.assert_array_equal(found["text"].t[:], [0, 2, 0, 1, 2])
