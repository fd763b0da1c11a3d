"""One process at a time in a folder."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_NOT_A_LINK = getattr(os, "O_NOFOLLOW", 0)


class LockedError(RuntimeError):
    """Another process, or another object of this one, works in the folder."""


class Lock:
    """Keeps everybody else out of a folder for the length of a ``with``.

    The system frees the lock of a process that is gone, however it ended: a lock is never left
    behind. The file ``.lock``, which is, means nothing by itself.

    Parameters
    ----------
    folder : str or path
        Made if it is not there.

    Raises
    ------
    LockedError
        On entering, if it is taken.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Lock(folder):
    ...     try:
    ...         with Lock(folder):
    ...             pass
    ...     except LockedError:
    ...         print("somebody works there")
    somebody works there
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)

    def __enter__(self) -> Lock:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / ".lock"
        if path.is_symlink():
            raise LockedError(f"{path} is a link and not a lock; remove it")
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _NOT_A_LINK, 0o666)
        try:
            _take(self._descriptor)
        except (BlockingIOError, PermissionError) as error:
            with contextlib.suppress(OSError):
                owner = os.read(self._descriptor, 20).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise LockedError(
                f"another run is at work in {self.folder}"
                + (f" (process {owner})" if owner else "")
                + "; wait for it to end, or take another folder"
            ) from error
        try:
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, str(os.getpid()).encode())
        except BaseException:
            os.close(self._descriptor)
            raise
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._descriptor)
