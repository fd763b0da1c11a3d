"""Arrays for files, and the bytes of .npy and .npz files."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nnlite.files.archive import open_npy, read_npz
from nnlite.files.errors import DataError

ARRAYS = {
    "numbers": np.arange(12.0).reshape(3, 4),
    "columns first": np.asfortranarray(np.arange(6, dtype=np.int32).reshape(2, 3)),
    "one": np.array(2.5, np.float32),
    "none": np.zeros((0, 3)),
    "texts": np.array(["ω", "b"]),
    "big-endian": np.array([1, 2], ">i2"),
    "табл": np.array([(1.5, 2)], [("вес", "<f8"), ("n", "<i4")]),
}

OVERHEAD = 3 * 2**20
"""Bytes that reading may take beyond the arrays: a piece of the file, its directory, a header."""


def header(shape: Any, descr: Any = "<f8", fortran: Any = False) -> bytes:
    return npy(repr({"descr": descr, "fortran_order": fortran, "shape": shape}).encode())


def npy(text: bytes, version: bytes = b"\1\0") -> bytes:
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text


def peak(read: Callable[[Path], Any], path: Path) -> int:
    """The most bytes that `read` held, whether it gave arrays or a `DataError`."""
    tracemalloc.start()
    try:
        read(path)
    except DataError:
        pass
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return most


def read(path: Path) -> Any:
    return np.array(open_npy(path)) if path.suffix == ".npy" else read_npz(path)
