"""Arrays in .npz and .npy files: what is written is read, and nothing is left half written."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from archives import ARRAYS, OVERHEAD, header, peak

from nnlite.files.archive import open_npy, read_npz, replacing, write_npz


def test_what_is_written_is_read_with_every_bit_layout_and_dtype(tmp_path: Path) -> None:
    write_npz(tmp_path / "a.npz", ARRAYS)
    back = read_npz(tmp_path / "a.npz")
    assert list(back) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert back[name].dtype == array.dtype
        assert back[name].shape == array.shape
        assert back[name].tobytes() == array.tobytes()
        assert back[name].flags.f_contiguous == array.flags.f_contiguous
    with np.load(tmp_path / "a.npz") as loaded:
        assert loaded.files == list(ARRAYS)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_reads_what_numpy_saves(tmp_path: Path, save: Callable[..., None]) -> None:
    save(tmp_path / "a.npz", x=np.arange(1000.0), t=np.arange(1000))
    back = read_npz(tmp_path / "a.npz")
    assert np.array_equal(back["x"], np.arange(1000.0))
    assert back["t"].dtype == np.int64


def test_the_same_arrays_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        write_npz(tmp_path / name, ARRAYS)
        os.utime(tmp_path / name, (0, 0))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_a_npy_file_is_a_read_only_map(tmp_path: Path, array: Any) -> None:
    np.lib.format.write_array((file := io.BytesIO()), array, version=(3, 0))
    (tmp_path / "a.npy").write_bytes(file.getvalue())
    back = open_npy(tmp_path / "a.npy")
    assert back.dtype == array.dtype
    assert np.array_equal(back, array)
    assert isinstance(back, np.memmap) == (array.size > 0)
    assert not (isinstance(back, np.memmap) and back.flags.writeable)


def test_a_map_takes_no_memory(tmp_path: Path) -> None:
    with open(tmp_path / "a.npy", "wb") as file:
        file.write(header((2**27, 8)))
        file.truncate(file.tell() + 2**33)
    assert peak(open_npy, tmp_path / "a.npy") < OVERHEAD


def test_python_objects_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Object arrays"):
        write_npz(tmp_path / "a.npz", {"x": np.array([None])})
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as file:
            file.write(b"new")
            assert [p.name.startswith(".a.txt.") for p in tmp_path.glob("*.tmp")] == [True]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    with replacing(path) as file:
        file.write(b"new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    write_npz(tmp_path / "a.npz", {"x": np.zeros(3)})

    def fail(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match="No space left"):
        write_npz(tmp_path / "a.npz", {"x": np.ones(3)})
    monkeypatch.undo()
    assert np.array_equal(read_npz(tmp_path / "a.npz")["x"], np.zeros(3))
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_the_file_is_on_the_disk_before_it_takes_its_place_and_then_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)

        def noted(*a: Any, name: str = name, real: Any = real) -> Any:
            calls.append(name)
            return real(*a)

        monkeypatch.setattr(os, name, noted)
    write_npz(tmp_path / "a.npz", {"x": np.zeros(3)})
    assert calls == ["fsync", "replace", "fsync"]
