"""Checkpoints: a state in a file, of which every altered byte is noticed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from pathlib import Path
from typing import IO, Any

import numpy as np

from nnlite.files.archive import read_npz, replacing, write_archive
from nnlite.files.errors import DataError, reading
from nnlite.files.lock import Lock as Lock, LockedError as LockedError
from nnlite.files.state import pack, unpack

_FORMAT = "nnlite checkpoint"
_VERSION = 1
_STATE = "state"  # arrays of the state have names with a path below it
_DIGITS = 64


class CheckpointError(ValueError):
    """A checkpoint that cannot be used: the message says which, why, and what to do."""


def write_checkpoint(path: str | os.PathLike[str], state: Any) -> None:
    """Write a state to a file that takes its place when it is whole and on the disk.

    The file is a .npz of the state's arrays and, as ``state.npy``, its JSON text. Its last 64
    bytes are the SHA-256 of all before, in hexadecimal digits. The same state gives the same bytes.

    Parameters
    ----------
    path : str or path
    state : nested dicts, lists, numbers, texts and arrays

    Raises
    ------
    OSError
        If it cannot be written, as on a full disk; what was at `path` before is still there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_checkpoint(Path(folder) / "a.npz", {"step": 3, "weight": np.ones(2)})
    ...     read_checkpoint(Path(folder) / "a.npz")
    {'step': 3, 'weight': array([1., 1.])}
    """
    text, arrays = pack({"format": _FORMAT, "version": _VERSION, "state": state})
    content = {_STATE: np.frombuffer(text, np.uint8), **arrays}
    try:
        with replacing(path) as file:
            write_archive(file, content, comment=b"0" * _DIGITS)
            file.seek(0)
            digits = _digest(file, os.fstat(file.fileno()).st_size - _DIGITS)
            file.seek(-_DIGITS, os.SEEK_END)
            file.write(digits)
    except OSError as error:
        raise OSError(
            error.errno,
            f"the checkpoint cannot be written ({error.strerror}); what was saved before is "
            "untouched",
            os.fspath(path),
        ) from error


def read_checkpoint(path: str | os.PathLike[str]) -> Any:
    """The state that `write_checkpoint` was given, tuples as lists.

    The file need not be trusted: see `read_npz`.

    Raises
    ------
    CheckpointError
        If it is not a whole checkpoint of this version.
    """
    try:
        with reading(path, CheckpointError, "check it"), open(path, "rb") as file:
            length = os.fstat(file.fileno()).st_size - _DIGITS
            if length < 0 or _digest(file, length) != file.read(_DIGITS):
                raise CheckpointError(
                    f"{path} is cut off, altered, or no checkpoint: its check sum is wrong; delete "
                    "it, or get a new copy"
                )
        arrays = read_npz(path)
        content = unpack(arrays[_STATE].tobytes(), arrays)
        if content["format"] != _FORMAT:
            raise ValueError(f"its format is {content['format']!r}")
        version, state = content["version"], content["state"]
    except CheckpointError:
        raise
    except DataError as error:
        raise CheckpointError(str(error)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path} is not a checkpoint ({error}); give one that a Trainer has written"
        ) from error
    if version != _VERSION:
        raise CheckpointError(
            f"{path} is of version {version!r} of the format and this program reads version "
            f"{_VERSION}; use the nnlite that wrote it"
        )
    return state


class Checkpoints:
    """The checkpoints of one run, in a folder of their own.

    Parameters
    ----------
    folder : str or path
    keep : int
        How many of the newest stay when another is written, at least 1.
    """

    def __init__(self, folder: str | os.PathLike[str], keep: int = 2) -> None:
        self.folder = Path(folder)
        self.keep = keep

    def paths(self) -> list[tuple[int, Path]]:
        """Steps and files, the newest first."""
        self.refuse_a_link()
        if not self.folder.is_dir():
            return []
        found = [
            (int(match[1]), path)
            for path in self.folder.iterdir()
            if (match := re.fullmatch(r"checkpoint-(\d{9,})\.npz", path.name))
        ]
        return sorted(found, reverse=True)

    def refuse_a_link(self) -> None:
        """Raise a `CheckpointError` where the folder is only a link to one."""
        if self.folder.is_symlink():
            raise CheckpointError(f"{self.folder} is a link and not a folder; remove it")

    def write(self, step: int, state: Any) -> Path:
        """Write the state after `step` steps; then remove what is too old, or from a later step."""
        path = self.folder / f"checkpoint-{step:09}.npz"
        write_checkpoint(path, state)
        paths = self.paths()
        later = [old for its_step, old in paths if its_step > step]
        earlier = [old for its_step, old in paths if its_step <= step]
        for old in [*later, *earlier[self.keep :], *self.folder.glob(".checkpoint-*.tmp")]:
            with contextlib.suppress(OSError):
                old.unlink()
        return path


def _digest(file: IO[bytes], length: int) -> bytes:
    """The SHA-256 of the next `length` bytes, in hexadecimal digits."""
    digest = hashlib.sha256()
    while length > 0 and (piece := file.read(min(length, 2**20))):
        digest.update(piece)
        length -= len(piece)
    return digest.hexdigest().encode()
