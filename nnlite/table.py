"""The cells of a CSV file, and errors that say where in it the trouble is."""

import csv
import gzip
import io
import re
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class DataError(ValueError):
    """Data that cannot be used: the message says what is wrong, where, and what to do."""


def to_float(cell: str) -> float:
    """Return the number in a cell, NaN where there is none."""
    try:
        # Python's float would take 12_5 for 125.
        return np.nan if "_" in cell else float(cell)
    except ValueError:
        return np.nan


def number_classes(cells: list[str]) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return each cell's class number, NaN where the cell is empty or 'nan', and the names."""
    cells = [cell.strip() for cell in cells]
    if {cell.lower() for cell in cells} <= {"true", "false"}:
        cells = [cell.lower() for cell in cells]
    names = sorted({cell for cell in cells if cell.lower() not in ("", "nan")})
    numbers = {name: number for number, name in enumerate(names)}
    return np.array([numbers.get(cell, np.nan) for cell in cells]), tuple(names)


def read_table(path: Path) -> tuple[list[str], list[list[str]], list[int]]:
    """Return the column names of a CSV file, the cells of each row, and the line of each row."""
    text = _read_text(path)
    if not text.strip():
        raise DataError(f"{path} is empty; it needs a line of column names and then samples")
    if "\0" in text:
        raise DataError(f"{path} is binary, not text; save the table as a CSV file in UTF-8")
    header = re.sub('"[^"]*"', "", re.split("[\r\n]", text.strip(), maxsplit=1)[0])
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        numbered = [(row, reader.line_num) for row in reader if row]
    except csv.Error as error:
        where = f"{path}, line {reader.line_num}"
        raise DataError(f"{where}: {error}; check the quotation marks") from error
    names = [name.strip() for name in numbered[0][0]]
    for j, name in enumerate(names):
        if not name or name in names[:j]:
            raise DataError(
                f"{path}, line {numbered[0][1]}, column {j + 1}: the name {quote(name)} is "
                f"{'taken' if name else 'empty'}; give each column a name of its own"
            )
    if len(numbered) == 1:
        raise DataError(f"{path} has a header but no samples; add at least one line")
    for row, line in numbered[1:]:
        if len(row) != len(names):
            raise DataError(
                f"{path}, line {line}: expected {len(names)} cells as in the header but found "
                f"{len(row)}, {quote(delimiter.join(row))}; correct the line or delete it"
            )
    rows, lines = zip(*numbered[1:], strict=True)
    return names, list(rows), list(lines)


def _read_text(path: Path) -> str:
    """Return the text of a file, unpacked if it is in gzip."""
    try:
        content = path.read_bytes()
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        return content.decode("utf-8-sig")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is a damaged gzip file ({error}); get a new copy") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, line {line}: byte 0x{error.object[error.start]:02x} is not UTF-8 text; "
            "save the table as a CSV file in UTF-8"
        ) from error


def quote(text: str) -> str:
    """Return the text in quotation marks, shortened if a message cannot hold it."""
    return repr(text if len(text) <= 60 else text[:60] + "…")
