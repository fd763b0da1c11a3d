"""The header of a .npy file: which array the file says that it holds."""

from __future__ import annotations

import ast
import math
import struct
from typing import IO, Any, NamedTuple

import numpy as np

from nnlite.files.errors import DataError

_LONGEST = 2**16


class Header(NamedTuple):
    """What a .npy file says about its array; `length` is the header's own, in bytes."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    length: int

    @property
    def size(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def check_size(self, where: str, available: int) -> None:
        if self.size != available:
            raise DataError(
                f"{where}: the header says shape {self.shape} of {self.dtype}, {self.size:,} "
                f"bytes, but {available:,} bytes follow it; the file is cut off or altered, so "
                "get a new copy"
            )


def read_header(where: str, stream: IO[bytes]) -> Header:
    """The header of a .npy file, in one of its versions 1.0, 2.0 and 3.0."""
    start = stream.read(8)
    version = {b"\1\0": ("<H", "latin1"), b"\2\0": ("<I", "latin1"), b"\3\0": ("<I", "utf-8")}
    if start[:6] != b"\x93NUMPY" or start[6:] not in version:
        raise DataError(f"{where} does not begin as a .npy file does; save it with NumPy")
    kind, encoding = version[start[6:]]
    width = struct.calcsize(kind)
    digits = stream.read(width)
    length = int.from_bytes(digits, "little")
    if len(digits) < width or length > _LONGEST:
        raise DataError(f"{where}: the header is cut off or altered; get a new copy of the file")
    text = stream.read(length)
    try:
        if len(text) != length:
            raise ValueError("it is cut off")
        shape, fortran, dtype = _parse(text.decode(encoding))
    except (ValueError, TypeError, LookupError, SyntaxError, ArithmeticError) as error:
        raise DataError(f"{where}: the header is damaged ({error}); get a new copy") from error
    except (MemoryError, RecursionError) as error:
        raise DataError(f"{where}: the header is too deeply nested; get a new copy") from error
    if dtype.hasobject:
        raise DataError(
            f"{where} holds Python objects, and reading those could run any program; save an "
            "array of numbers, for instance with array.astype(float)"
        )
    return Header(shape, fortran, dtype, 8 + width + length)


def _parse(text: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    entries = ast.literal_eval(text.strip())
    if not isinstance(entries, dict) or set(entries) != {"descr", "fortran_order", "shape"}:
        raise ValueError("it needs descr, fortran_order and shape")
    shape, fortran = entries["shape"], entries["fortran_order"]
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError("its shape is not a tuple of sizes")
    if not isinstance(fortran, bool):
        raise ValueError("its fortran_order is neither True nor False")
    dtype = np.lib.format.descr_to_dtype(entries["descr"])
    if not isinstance(dtype, np.dtype) or dtype.subdtype or dtype.itemsize == 0:
        raise ValueError("its descr is not the type of a number or a text")
    if len(shape) > 64 or math.prod(max(n, 1) for n in shape) * dtype.itemsize >= 2**63:
        raise ValueError("its shape is larger than an array can be")
    return shape, fortran, dtype
