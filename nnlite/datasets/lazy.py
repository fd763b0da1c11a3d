"""Arrays larger than memory: rows of a file, read when they are taken."""

from __future__ import annotations

import math
import os
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from nnlite.files.errors import DataError

Rows = range | NDArray[np.integer[Any]]

_PIECE = 2**21
_ROWS_AT_A_TIME = 512
# To read as many more bytes takes no longer than to ask the system once more.
_BYTES_A_CALL = 2**14


class LazyArray:
    """Rows of an array on disk, read when they are taken.

    ``X[3]``, ``X[2:5]`` and ``X[[4, 0]]`` read rows, ``X[:]`` reads them all; `choose` and `map`
    read nothing.

    Parameters
    ----------
    source : ndarray, (rows, ...)
        A memory map of a whole .npy file, as by `nnlite.files.archive.open_npy`. Its rows are read
        from the file into arrays of their own, since pages of a map would count as this process's
        memory. Any other array is indexed.

    Examples
    --------
    >>> X = LazyArray(np.arange(12).reshape(4, 3)).map(lambda rows: rows / 2)
    >>> X
    <LazyArray: shape (4, 3), float64>
    >>> X[1:3]
    array([[1.5, 2. , 2.5],
           [3. , 3.5, 4. ]])
    >>> X.choose([3, 0]).map(np.round)[:]
    array([[4., 5., 6.],
           [0., 0., 1.]])
    """

    def __init__(self, source: NDArray[Any]) -> None:
        self._source = _Source(source)
        self._functions: tuple[Callable[[NDArray[Any]], NDArray[Any]], ...] = ()
        self._rows: NDArray[np.integer[Any]] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self), *self._no_rows().shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._no_rows().dtype

    @property
    def ndim(self) -> int:
        return self._no_rows().ndim

    @property
    def row_bytes(self) -> int:
        """What is read from the file for each row."""
        return self._source.row_bytes

    def __len__(self) -> int:
        return self._source.length if self._rows is None else len(self._rows)

    def __repr__(self) -> str:
        return f"<LazyArray: shape {self.shape}, {self.dtype}>"

    def __getitem__(self, rows: Any) -> NDArray[Any]:
        """Read rows: a number, a slice, or a list or an array of numbers."""
        if isinstance(rows, int | np.integer):
            return self[[rows]][0]  # type: ignore[no-any-return]
        if not isinstance(rows, slice):
            rows = _row_numbers(rows)
        if self._rows is not None:
            rows = self._rows[rows]
        elif isinstance(rows, slice):
            rows = range(len(self))[rows]
        size = _rows_of_a_piece(self.row_bytes)
        if len(rows) <= size:
            return self._apply(self._source.read(rows))
        X = np.empty((len(rows), *self.shape[1:]), self.dtype)
        for start in range(0, len(rows), size):
            piece = slice(start, start + size)
            X[piece] = self._apply(self._source.read(rows[piece]))
        return X

    def choose(self, rows: Any) -> LazyArray:
        """The rows of these numbers, in this order; nothing is read."""
        rows = _row_numbers(rows)
        return self._like(self._functions, rows if self._rows is None else self._rows[rows])

    def map(self, function: Callable[[NDArray[Any]], NDArray[Any]]) -> LazyArray:
        """This array with a function, from rows to as many rows, applied to what is read."""
        return self._like((*self._functions, function), self._rows)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        raise TypeError(
            f"this {self!r} may be larger than memory and does not become an array by itself; "
            "take some rows, X[:1000], or all, X[:]"
        )

    def _like(self, functions: tuple[Any, ...], rows: Any) -> LazyArray:
        other = object.__new__(LazyArray)
        other._source, other._functions, other._rows = self._source, functions, rows
        return other

    def _no_rows(self) -> NDArray[Any]:
        """An empty array, of the shape and dtype of those that would be read."""
        return self._apply(self._source.no_rows)

    def _apply(self, block: NDArray[Any]) -> NDArray[Any]:
        for function in self._functions:
            block = function(block)
        return block


def pieces(X: NDArray[Any] | LazyArray) -> Iterator[NDArray[Any]]:
    """All rows of an array in order, a few megabytes at a time.

    Parameters
    ----------
    X : ndarray or LazyArray, (m, ...)

    Yields
    ------
    ndarray, (k, ...)
        As many rows each, but for the last, as the shape and the dtype say.
    """
    row = X.row_bytes if isinstance(X, LazyArray) else _row_bytes(X.dtype, X.shape)
    size = _rows_of_a_piece(row)
    for start in range(0, len(X), size):
        yield X[start : start + size]


def _row_bytes(dtype: np.dtype[Any], shape: tuple[int, ...]) -> int:
    return dtype.itemsize * math.prod(shape[1:])


def _rows_of_a_piece(row_bytes: int) -> int:
    return max(1, _PIECE // max(1, row_bytes))


def _row_numbers(rows: Any) -> NDArray[np.integer[Any]]:
    if isinstance(rows, tuple | slice) or np.ndim(rows) != 1:
        raise TypeError(
            f"the rows of a LazyArray are taken by X[2:5] or X[[4, 0]], not by {rows!r}; take "
            "rows first, and of them what you need"
        )
    rows = np.asarray(rows, None if len(rows) else np.intp)
    return np.flatnonzero(rows) if rows.dtype == bool else rows


class _Source:
    """What rows are read from; it remembers the last, since X and t are taken one after the other.

    What it gives is read-only.
    """

    def __init__(self, source: NDArray[Any]) -> None:
        self.length = len(source)
        self.row_bytes = _row_bytes(source.dtype, source.shape)
        self.no_rows = np.array(source[:0])
        self._read = _reader(source)
        self._last: tuple[Rows, NDArray[Any]] = range(0), self.no_rows

    def read(self, rows: Rows) -> NDArray[Any]:
        last, block = self._last
        if not _same(last, rows):
            block = self._read(rows)
            block.flags.writeable = False
            self._last = rows, block
        return block


def _same(rows: Rows, others: Rows) -> bool:
    if isinstance(rows, range) or isinstance(others, range):
        return isinstance(rows, range) and isinstance(others, range) and rows == others
    return np.array_equal(rows, others)


def _reader(source: NDArray[Any]) -> Callable[[Rows], NDArray[Any]]:
    """A function from row numbers to a new array of these rows."""
    if not isinstance(source, np.memmap):
        return lambda rows: np.array(source[rows])
    file = _File(source.filename)
    if source.flags.c_contiguous:
        return _Stretch(file, source.offset, source.shape, source.dtype).read
    # In Fortran's order each column is a stretch of its own.
    m, n = source.shape
    starts = [source.offset + j * m * source.itemsize for j in range(n)]
    columns = [_Stretch(file, start, (m,), source.dtype) for start in starts]
    return lambda rows: np.stack([column.read(rows) for column in columns], axis=1)


class _Stretch:
    """Rows that lie one after the other in a file."""

    def __init__(
        self, file: _File, start: int, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self._file, self._start, self._shape, self._dtype = file, start, shape, dtype
        self._row = _row_bytes(dtype, shape)

    def read(self, rows: Rows) -> NDArray[Any]:
        m = self._shape[0]
        if isinstance(rows, range):
            if rows.step == 1:
                start = self._start + rows.start * self._row
                return self._array(self._file.read(start, len(rows) * self._row))
            rows = np.array(rows, np.intp)
        if len(rows) and not -m <= rows.min() <= rows.max() < m:
            raise IndexError(f"rows {rows.min()} to {rows.max()} are not all among the {m} rows")
        rows = np.where(rows < 0, rows + m, rows)
        parts = [rows[i : i + _ROWS_AT_A_TIME] for i in range(0, len(rows), _ROWS_AT_A_TIME)]
        return self._array(b"".join([self._read_some(part) for part in parts]))

    def _read_some(self, rows: NDArray[np.integer[Any]]) -> bytes:
        first, row = int(rows.min()), self._row
        reach = int(rows.max()) + 1 - first
        if reach * row <= len(rows) * _BYTES_A_CALL:
            content = self._file.read(self._start + first * row, reach * row)
            chosen: bytes = np.frombuffer(content, f"V{row}")[rows - first].tobytes()
            return chosen
        starts: list[int] = (self._start + rows.astype(np.int64) * row).tolist()
        return b"".join([self._file.read(start, row) for start in starts])

    def _array(self, content: bytes) -> NDArray[Any]:
        return np.frombuffer(content, self._dtype).reshape(-1, *self._shape[1:])


class _File:
    """A file that is open to be read here and there."""

    def __init__(self, path: Any) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        weakref.finalize(self, os.close, self._descriptor)

    def read(self, start: int, size: int) -> bytes:
        content = _read_at(self._descriptor, size, start)
        # The system may give less than was asked for, and gives nothing where the file ends.
        while len(content) < size:
            more = _read_at(self._descriptor, size - len(content), start + len(content))
            if not more:
                raise DataError(
                    f"{self._path} became shorter while it was in use; leave the file as it is"
                )
            content += more
        return content


def _read_at(descriptor: int, size: int, start: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(descriptor, size, start)
    os.lseek(descriptor, start, os.SEEK_SET)
    return os.read(descriptor, size)
