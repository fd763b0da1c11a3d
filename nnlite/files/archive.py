"""Arrays in .npz and .npy files: read without trust, written so that nothing is half there."""

from __future__ import annotations

import contextlib
import os
import secrets
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nnlite.files.errors import DataError, quote, reading
from nnlite.files.npy_header import read_header

# Real tables are rarely packed by more than this, and a file made to fill the memory is.
_MOST_PACKED = 100
_ALWAYS_UNPACKED = 2**20
_PIECE = 2**20
_NOT_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    LookupError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)


def read_npz(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """Every array of a .npz file, by name.

    The file need not be trusted: nothing in it is run, every size is compared with the file's own
    before memory is taken, and each array's check sum must be right.

    Parameters
    ----------
    path : str or path

    Raises
    ------
    DataError
        If it is not a whole file of arrays of numbers or text, with at most 1 MiB or 100 times
        its own size to unpack.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_npz(Path(folder) / "a.npz", {"x": np.arange(3)})
    ...     read_npz(Path(folder) / "a.npz")
    {'x': array([0, 1, 2])}
    """
    with reading(path), open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                members = archive.infolist()
                _check_directory(path, members, os.fstat(file.fileno()).st_size)
                return {
                    member.filename.removesuffix(".npy"): _read_member(path, archive, member)
                    for member in members
                }
        except DataError:
            raise
        except _NOT_ZIP as error:
            raise DataError(
                f"{path} is not a whole .npz file ({error}); get a new copy, or save one with "
                "np.savez"
            ) from error


def open_npy(path: str | os.PathLike[str]) -> NDArray[Any]:
    """The array of a .npy file as a read-only memory map: its pages are read when they are used.

    Parameters
    ----------
    path : str or path

    Raises
    ------
    DataError
        If it is not a .npy file, holds Python objects, or has another size than its header says.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(Path(folder) / "x.npy", np.arange(3.0))
    ...     open_npy(Path(folder) / "x.npy").sum()
    np.float64(3.0)
    """
    with reading(path), open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        header = read_header(str(path), file)
        header.check_size(str(path), size - header.length)
        if header.size == 0:
            return np.empty(header.shape, header.dtype)
        return np.memmap(
            file, header.dtype, "r", header.length, header.shape, "F" if header.fortran else "C"
        )


def write_npz(path: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays to a .npz file, unpacked; the same arrays give the same bytes.

    Parameters
    ----------
    path : str or path
        Replaced, all at once, if it is there.
    arrays : mapping of str to ndarray
        Of numbers or text.

    Raises
    ------
    OSError
        If the file cannot be written, as on a full disk; what was there before stays.
    """
    with replacing(path) as file:
        write_archive(file, arrays)


def write_archive(
    file: IO[bytes], arrays: Mapping[str, NDArray[Any]], comment: bytes = b""
) -> None:
    """Write the bytes of a .npz file to an open file; `comment` is at their very end."""
    with zipfile.ZipFile(file, "w") as archive:
        archive.comment = comment
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy")
            member.create_system = 3
            with archive.open(member, "w", force_zip64=True) as stream:
                version = (1, 0) if array.dtype.names is None else (3, 0)  # any field names
                np.lib.format.write_array(stream, array, version, allow_pickle=False)


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to write to, which takes the place of `path` when it is complete and on the disk.

    Whatever happens, a power failure too, `path` is the old file or the new one. If the body or
    the writing fails, the old one stays, and the temporary file, whose name starts with "." and
    ends in ".tmp", is removed.

    Parameters
    ----------
    path : str or path

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "note.txt") as file:
    ...         _ = file.write(b"done")
    ...     [path.name for path in Path(folder).iterdir()]
    ['note.txt']
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "x+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Have the new name of a file on the disk, where the system can do that for a folder."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _check_directory(path: Any, members: list[zipfile.ZipInfo], size: int) -> None:
    """See to it that what the members claim can be in a file of `size` bytes."""
    seen = set()
    for member in members:
        name = member.filename
        where = f"{path}, member {quote(name)}"
        if not name.endswith(".npy"):
            raise DataError(f"{where} is not an array (.npy); save arrays with np.savez")
        if name in seen:
            raise DataError(f"{where} is there twice; save the arrays anew with np.savez")
        seen.add(name)
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError(
                f"{where} is packed by method {member.compress_type}, which .npz files do not "
                "use; save the arrays with np.savez"
            )
        if member.compress_type == zipfile.ZIP_STORED and member.file_size != member.compress_size:
            raise DataError(f"{where} has two different sizes; get a new copy of the file")
    packed = sum(member.compress_size for member in members)
    if packed > size:
        raise DataError(
            f"{path}: its members claim {packed:,} bytes in a file of {size:,}; it is cut off or "
            "altered, so get a new copy"
        )
    unpacked = sum(member.file_size for member in members)
    if unpacked > max(_MOST_PACKED * size, _ALWAYS_UNPACKED):
        raise DataError(
            f"{path} has {size:,} bytes and would unpack to {unpacked:,}, more than "
            f"{_MOST_PACKED} times as many, as files do that are made to fill the memory; if you "
            "trust it, save its arrays with np.savez, not np.savez_compressed"
        )


def _read_member(path: Any, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    where = f"{path}, member {quote(member.filename)}"
    with archive.open(member) as stream:
        header = read_header(where, stream)
        header.check_size(where, member.file_size - header.length)
        content = bytearray(header.size)
        done = 0
        while piece := stream.read(_PIECE):
            content[done : done + len(piece)] = piece
            done += len(piece)
    if done != header.size:
        raise DataError(
            f"{where}: {done:,} of {header.size:,} bytes are there; the file is cut off or "
            "altered, so get a new copy"
        )
    order: Any = "F" if header.fortran else "C"
    return np.ndarray(header.shape, header.dtype, content, order=order)
