"""Files of which every check sum is right, and what they say of themselves is not."""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from archives import OVERHEAD, header, peak

from nnlite.files.archive import read_npz
from nnlite.files.checkpoint import CheckpointError, Checkpoints, read_checkpoint
from nnlite.files.errors import DataError


def claiming(claimed: int, there: int) -> bytes:
    """A .npz file with a packed array of so many numbers, of which fewer may be there."""
    content = header((claimed,)) + np.arange(float(there)).tobytes()
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed, name = packer.compress(content) + packer.flush(), b"x.npy"
    size = len(header((claimed,))) + 8 * claimed
    sizes = struct.pack("<3L", zlib.crc32(content), len(packed), size)
    local = struct.pack("<4s5H12s2H", b"PK\3\4", 20, 0, 8, 0, 0, sizes, len(name), 0) + name
    entry = struct.pack("<4s6H12s", b"PK\1\2", 20, 20, 0, 8, 0, 0, sizes)
    entry += struct.pack("<5H2L", len(name), 0, 0, 0, 0, 0, 0) + name
    start = len(local) + len(packed)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(entry), start, 0)
    return local + packed + entry + end


def with_check_sum(content: bytes) -> bytes:
    return content + hashlib.sha256(content).hexdigest().encode()


def test_an_array_of_which_a_part_is_left_out_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(claiming(1000, 1000))
    np.testing.assert_array_equal(read_npz(path)["x"], np.arange(1000.0))
    path.write_bytes(claiming(1000, 100))
    with pytest.raises(DataError, match=r"member 'x\.npy': 800 of 8,000 bytes are there"):
        read_npz(path)
    assert peak(read_npz, path) < OVERHEAD


@pytest.mark.parametrize("content", [b"", b"junk", claiming(1000, 100)], ids=repr)
def test_a_check_sum_makes_no_checkpoint_of_anything_else(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "checkpoint-000000001.npz"
    path.write_bytes(with_check_sum(content))
    with pytest.raises(CheckpointError, match=path.name) as caught:
        read_checkpoint(path)
    assert isinstance(caught.value.__cause__, DataError)


def test_in_a_folder_that_is_not_there_are_no_checkpoints(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "none")
    assert checkpoints.paths() == []
    assert not checkpoints.folder.exists()
    path = tmp_path / "none"
    path.write_bytes(b"")
    assert checkpoints.paths() == []
