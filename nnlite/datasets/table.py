"""The columns of a CSV file, and errors that say where in a file the trouble is."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nnlite.datasets.lazy import LazyArray
from nnlite.files.errors import DataError, quote, reading

_LONGEST_LINE = 2**24
_CELLS_AT_A_TIME = 2**16


@dataclass(frozen=True)
class Column:
    """Where a column of samples comes from, for errors that point into it.

    Parameters
    ----------
    path : Path
    name : str
    lines : sequence of int, optional
        The line of each sample, for text; in a file of arrays a sample is a row.
    """

    path: Path
    name: str
    lines: Sequence[int] | None = None

    def error(self, row: int, expected: str, found: str) -> DataError:
        """The error that the sample in this row, counted from 0, cannot be used."""
        if self.lines is None:
            where, advice = f"row {row} (from 0)", "correct the number or leave the row out"
        else:
            where, advice = f"line {self.lines[row]}", "correct the cell or delete the line"
        return DataError(
            f"{self.path}, {where}, column {self.name!r}: expected a {expected} but found "
            f"{found}; {advice}"
        )


@dataclass(frozen=True)
class Columns:
    """What was read of a file: m samples.

    Parameters
    ----------
    names : tuple of str
        The n columns read as numbers.
    X : float array or LazyArray, (m, n)
        Their values.
    values : array or LazyArray, (m,)
        Those of the target: numbers, or text; none if no target was asked for.
    target : Column
    """

    names: tuple[str, ...]
    X: NDArray[np.floating[Any]] | LazyArray
    values: NDArray[Any] | LazyArray
    target: Column


def choose_columns(
    path: Path, names: Sequence[str], features: Sequence[str] | None, target: str | None
) -> tuple[str, ...]:
    """The features: those asked for, or every column but the target.

    Raises
    ------
    DataError
        If the file has not the columns asked for, or none is left.
    """
    columns = ", ".join(map(quote, names[:20])) + (", …" if len(names) > 20 else "")
    if target is not None and target not in names:
        asked = "the target must be one of" if features is None else "it has"
        raise DataError(f"{path} has no column {target!r}; {asked} {columns}")
    if features is None:
        features = [name for name in names if name != target]
        if not features:
            raise DataError(f"{path} has no column but the target {target!r}; add a feature")
    for name in features:
        if name == target:
            raise DataError(
                f"{path}: {name!r} is the target and cannot be a feature, too; leave it out of "
                "the features"
            )
        if name not in names:
            raise DataError(
                f"{path} has no column {name!r}, which is one of the {len(features)} features "
                f"wanted; its columns are {columns}"
            )
    return tuple(features)


def to_float(cell: str) -> float:
    """Return the number in a cell, NaN where there is none."""
    try:
        # Python's float would take 12_5 for 125.
        return np.nan if "_" in cell else float(cell)
    except ValueError:
        return np.nan


def from_cells(cells: list[str], column: Column, dtype: np.dtype[Any]) -> NDArray[Any]:
    """The cells of a text file as float64 if one of them is a number, and as text if none is."""
    numbers = np.array([to_float(cell) for cell in cells])
    if np.isnan(numbers).all():
        text = np.empty(len(cells), object)
        text[:] = cells
        return text
    with np.errstate(over="ignore"):
        finite = np.isfinite(numbers.astype(dtype))
    for i in np.flatnonzero(~finite):
        raise column.error(int(i), f"finite {dtype} number", quote(cells[i]))
    return numbers


def read_table(
    path: Path,
    dtype: np.dtype[Any],
    features: Sequence[str] | None = None,
    target: str | None = None,
) -> Columns:
    """Read columns of a CSV file, a block of lines at a time.

    Parameters
    ----------
    path : Path
        UTF-8 text, as it is or in gzip; the first line names the columns, which are separated by
        commas, semicolons or tabs.
    dtype : float dtype
    features : sequence of str, optional
        The columns to read as numbers; every column but the target if left out.
    target : str, optional
        The column whose cells to keep as text.

    Raises
    ------
    DataError
        If the file cannot be read or a cell is not a finite number; the message names file, line
        and column.
    """
    with reading(path), open(path, "rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        content: Any = gzip.GzipFile(fileobj=raw) if packed else raw
        try:
            with io.TextIOWrapper(content, "utf-8-sig", newline="") as text:
                try:
                    return _parse(path, text, dtype, features, target)
                except DataError:
                    # A damaged gzip file explains any other error, and only its end shows it.
                    while packed and content.read(2**20):
                        pass
                    raise
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(f"{path} is a damaged gzip file ({error}); get a new copy") from error


def _parse(
    path: Path,
    text: IO[str],
    dtype: np.dtype[Any],
    features: Sequence[str] | None,
    target: str | None,
) -> Columns:
    text_lines = _lines(path, text)
    start = list(_up_to_header(text_lines))
    if not start:
        raise DataError(f"{path} is empty; it needs a line of column names and then samples")
    delimiter = max(",;\t", key=re.sub('"[^"]*"', "", start[-1]).count)
    rows = _rows(path, itertools.chain(start, text_lines), delimiter)
    names = _column_names(path, *next(rows))
    chosen = choose_columns(path, names, features, target)
    columns = [names.index(name) for name in chosen]
    blocks: list[NDArray[Any]] = []
    cells: list[str] = []
    lines: list[int] = []
    same: dict[str, str] = {}
    size = max(1, _CELLS_AT_A_TIME // len(names))
    while block := list(itertools.islice(rows, size)):
        for row, line in block:
            if len(row) != len(names):
                raise DataError(
                    f"{path}, line {line}: expected {len(names)} cells as in the header but found "
                    f"{len(row)}, {quote(delimiter.join(row))}; correct the line or delete it"
                )
        with np.errstate(over="ignore"):
            values = np.array([[to_float(row[j]) for j in columns] for row, _ in block], dtype)
        for i, j in np.argwhere(~np.isfinite(values)):
            column = Column(path, chosen[j], [line for _, line in block])
            raise column.error(i, f"finite {dtype} number", quote(block[i][0][columns[j]]))
        blocks.append(values)
        lines.extend([line for _, line in block])
        if target is not None:
            # Class names come again and again; each is kept once.
            found = [row[names.index(target)] for row, _ in block]
            cells.extend([same.setdefault(cell, cell) for cell in found])
    if not blocks:
        raise DataError(f"{path} has a header but no samples; add at least one line")
    column = Column(path, str(target), lines)
    values = np.empty(0) if target is None else from_cells(cells, column, dtype)
    return Columns(chosen, np.concatenate(blocks), values, column)


def _lines(path: Path, text: IO[str]) -> Iterator[str]:
    number = 0
    try:
        while line := text.readline(_LONGEST_LINE):
            number += 1
            if "\0" in line:
                raise DataError(
                    f"{path}, line {number}: a zero byte, so this is binary, not text; save the "
                    "table as a CSV file in UTF-8"
                )
            if len(line) == _LONGEST_LINE:
                raise DataError(
                    f"{path}, line {number}: a line of {_LONGEST_LINE:,} characters or more is "
                    "not one of a table; save a very wide table as .npy"
                )
            yield line
    except UnicodeDecodeError as error:
        # The piece that was being decoded begins in the line after the last one.
        number += 1 + error.object.count(b"\n", 0, error.start)
        raise DataError(
            f"{path}, line {number}: byte 0x{error.object[error.start]:02x} is not UTF-8 text; "
            "save the table as a CSV file in UTF-8"
        ) from error


def _up_to_header(lines: Iterable[str]) -> Iterator[str]:
    """Blank lines, and the first that is not; nothing where all are blank."""
    blank: list[str] = []
    for line in lines:
        if line.strip():
            yield from (*blank, line)
            return
        blank.append(line)


def _rows(path: Path, lines: Iterable[str], delimiter: str) -> Iterator[tuple[list[str], int]]:
    """The cells of each row, and the line on which it ends; blank lines are left out."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if row:
                yield row, reader.line_num
    except csv.Error as error:
        where = f"{path}, line {reader.line_num}"
        raise DataError(f"{where}: {error}; check the quotation marks") from error


def _column_names(path: Path, header: list[str], line: int) -> list[str]:
    names = [name.strip() for name in header]
    for j, name in enumerate(names):
        if not name or name in names[:j]:
            raise DataError(
                f"{path}, line {line}, column {j + 1}: the name {quote(name)} is "
                f"{'taken' if name else 'empty'}; give each column a name of its own"
            )
    return names
