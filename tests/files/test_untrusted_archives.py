"""Files of arrays that somebody else made, cut off or altered."""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from archives import ARRAYS, OVERHEAD, header, npy, peak, read
from hypothesis import given, settings, strategies as st

from nnlite.files.archive import open_npy, read_npz, write_npz
from nnlite.files.errors import DataError


def npz(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The bytes of good files."""
    folder = tmp_path_factory.mktemp("whole")
    write_npz(folder / "stored.npz", ARRAYS)
    np.savez_compressed(folder / "packed.npz", x=np.arange(99.0), t=np.zeros(2000, np.int64))
    np.save(folder / "array.npy", ARRAYS["numbers"])
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class Trap:
    """Unpickled, it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.write_text, (self.path, "this ran"))


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_python_objects_are_refused_and_nothing_in_them_runs(tmp_path: Path, suffix: str) -> None:
    proof, path = tmp_path / "proof", tmp_path / f"a{suffix}"
    objects = np.array([Trap(proof)], dtype=object)
    np.save(path, objects) if suffix == ".npy" else np.savez(path, x=objects)
    with pytest.raises(DataError, match=r"holds Python objects.*save an array of numbers"):
        read(path)
    assert not proof.exists()


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_a_pickle_is_no_file_of_arrays(tmp_path: Path, suffix: str) -> None:
    proof, path = tmp_path / "proof", tmp_path / f"a{suffix}"
    path.write_bytes(pickle.dumps(Trap(proof)))
    with pytest.raises(DataError, match=r"np\.savez|save it with NumPy"):
        read(path)
    assert not proof.exists()


HEADERS = {
    "more than follows": (header((3,)), r"shape \(3,\) of float64, 24 bytes, but 16 bytes follow"),
    "less than follows": (header((1,)), "cut off or altered"),
    "more than there is": (header((2**40,)), "8,796,093,022,208 bytes, but 16 bytes follow"),
    "more than can be": (header((2**62, 2**62)), "larger than an array can be"),
    "more than can be, of nothing": (header((0, 2**62, 2**62)), "larger than an array can be"),
    "axes": (header((1,) * 65), "larger than an array can be"),
    "negative": (header((-2,)), "not a tuple of sizes"),
    "a list": (header([2]), "not a tuple of sizes"),
    "truth": (header((True, 2)), "not a tuple of sizes"),
    "order": (header((2,), fortran=1), "neither True nor False"),
    "objects": (header((2,), "|O"), "Python objects"),
    "objects within": (header((2,), [("a", "|O")]), "Python objects"),
    "no type": (header((2,), "no such type"), "header is damaged"),
    "a large type": (header((1,), f"|V{2**40}"), "header is damaged"),
    "an empty type": (header((10**9,), "|V0"), "not the type of a number"),
    "a type of arrays": (header((1,), ("<f8", (2,))), "header is damaged|not the type"),
    "a program": (npy(b"{'descr': print('this ran')}"), "header is damaged"),
    "a key": (npy(b"{'descr': '<f8', 'shape': (2,)}"), "needs descr, fortran_order and shape"),
    "a number": (npy(b"1"), "needs descr, fortran_order and shape"),
    "nothing": (npy(b""), "header is damaged"),
    "nested": (npy(b"(" * 60_000), "too deeply nested|header is damaged"),
    "minus": (npy(b"-" * 60_000 + b"1"), "too deeply nested|header is damaged"),
    "sums": (npy(b"1+" * 30_000 + b"1"), "too deeply nested|header is damaged"),
    "digits": (npy(b"9" * 60_000), "header is damaged"),
    "long": (b"\x93NUMPY\2\0" + struct.pack("<I", 2**32 - 1) + b"{", "header is cut off"),
    "version": (npy(b"{}", b"\x09\0"), "does not begin as a .npy file"),
    "magic": (b"\x93NUMPI" + header((2,))[6:], "does not begin as a .npy file"),
    "cut": (b"\x93NUMPY\1\0\xff", "header is cut off"),
    "empty": (b"", "does not begin as a .npy file"),
}


@pytest.mark.parametrize(("start", "complaint"), HEADERS.values(), ids=HEADERS)
def test_a_header_that_cannot_be_right_is_refused_before_memory_is_taken(
    tmp_path: Path, start: bytes, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content = start + (bytes(16) if len(start) > 16 else b"")
    (tmp_path / "a.npy").write_bytes(content)
    npz(tmp_path / "a.npz", {"x.npy": content})
    for path in (tmp_path / "a.npy", tmp_path / "a.npz"):
        with pytest.raises(DataError, match=complaint) as caught:
            read(path)
        assert str(path) in str(caught.value)
        assert path.suffix == ".npy" or "member 'x.npy'" in str(caught.value)
        # A header of at most 64 KiB is parsed into a tree, and that is all.
        assert peak(read, path) < OVERHEAD + 300 * len(content)
    assert capsys.readouterr().out == ""


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros(2**24))
    with pytest.raises(DataError, match=r"would unpack to 134,.*np.savez, not"):
        read_npz(tmp_path / "a.npz")
    assert peak(read_npz, tmp_path / "a.npz") < OVERHEAD


def test_small_arrays_may_be_packed_by_any_factor(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros(2**16))
    assert np.array_equal(read_npz(tmp_path / "a.npz")["x"], np.zeros(2**16))


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    content = header((2**12,)) + bytes(2**15)
    path = npz(tmp_path / "a.npz", {"x.npy": content})
    raw = path.read_bytes()
    start, end = raw.index(b"PK\1\2"), raw.index(b"PK\5\6")
    entry = raw[start:end]
    entries = [entry.replace(b"x.npy", b"%c.npy" % letter) for letter in range(97, 107)]
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 10, 10, len(entry) * 10, start, 0)
    path.write_bytes(raw[:start] + b"".join(entries) + tail)
    with pytest.raises(DataError, match="its members claim"):
        read_npz(path)


NAMES = {
    "no array": ({"x.txt": b"text"}, r"member 'x.txt' is not an array \(.npy\)"),
    "a folder": ({"x/": b""}, "is not an array"),
    "no suffix": ({"x": header((0,))}, "is not an array"),
}


@pytest.mark.parametrize(("members", "complaint"), NAMES.values(), ids=NAMES)
def test_a_member_that_is_no_array_is_named(
    tmp_path: Path, members: dict[str, bytes], complaint: str
) -> None:
    with pytest.raises(DataError, match=complaint):
        read_npz(npz(tmp_path / "a.npz", members))


def test_a_member_that_is_there_twice_is_named(tmp_path: Path) -> None:
    content = header((0,))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", content)
        archive.writestr("y.npy", content)
    raw = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(raw.replace(b"y.npy", b"x.npy"))
    with pytest.raises(DataError, match=r"member 'x.npy' is there twice"):
        read_npz(tmp_path / "a.npz")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packing_that_npz_files_do_not_use_is_refused(tmp_path: Path, method: int) -> None:
    with pytest.raises(DataError, match="is packed by method"):
        read_npz(npz(tmp_path / "a.npz", {"x.npy": header((0,))}, method))


def test_a_name_that_leads_out_of_the_folder_is_only_a_name(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", {"../../x.npy": header((2,)) + bytes(16)})
    assert list(read_npz(path)) == ["../../x"]


@pytest.mark.parametrize("read", [read_npz, open_npy])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, read: Callable[[Path], Any]) -> None:
    with pytest.raises(DataError, match=r"missing cannot be read \(No such file.*check the path"):
        read(tmp_path / "missing")
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["stored.npz", "packed.npz", "array.npy"])
def test_a_file_cut_off_anywhere_is_refused(
    tmp_path: Path, whole: dict[str, bytes], name: str
) -> None:
    content, path = whole[name], tmp_path / name
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(DataError, match=name):
            read(path)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("name", ["stored.npz", "packed.npz", "array.npy"])
def test_altered_bytes_give_arrays_or_a_data_error_and_take_no_more_memory_than_the_file_says(
    tmp_path_factory: pytest.TempPathFactory, whole: dict[str, bytes], name: str, data: Any
) -> None:
    content = bytearray(whole[name])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        size = data.draw(st.integers(1, 8))
        content[place : place + size] = data.draw(
            st.binary(min_size=0, max_size=size) | st.just(b"\xff" * size) | st.just(bytes(size))
        )
    path = tmp_path_factory.mktemp("altered") / name
    path.write_bytes(content)
    assert peak(read, path) < OVERHEAD
    path.unlink()


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=300))
def test_junk_is_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("junk")
    for path, junk in {
        folder / "a.npy": content,
        folder / "b.npy": npy(content),
        folder / "c.npz": b"PK\3\4" + content,
    }.items():
        path.write_bytes(junk)
        with pytest.raises(DataError):
            read(path)


def test_an_altered_number_is_noticed(tmp_path: Path) -> None:
    write_npz(tmp_path / "a.npz", {"x": np.full(1000, 0.5)})
    content = (tmp_path / "a.npz").read_bytes()
    place = content.index(np.float64(0.5).tobytes() * 10)
    (tmp_path / "a.npz").write_bytes(content[: place + 80] + b"\1" + content[place + 81 :])
    with pytest.raises(DataError, match="Bad CRC-32"):
        read_npz(tmp_path / "a.npz")
