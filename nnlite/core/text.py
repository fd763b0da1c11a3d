"""Numbers, arrays and tables as a person reads them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape
from typing import Any

import numpy as np

Line = Sequence[str]

NUMBERS = range(1, 1000)
"""Columns after the first, which names what the numbers in the others are of."""

CELL = "vertical-align: top; text-align: {}"


class Table:
    """Something that ``print`` and a notebook show as a table; a subclass defines its cells."""

    _right: Collection[int] = ()  # columns that line up at the right

    def _cells(self) -> tuple[Line, Sequence[Line]]:
        """The head, and the lines below it."""
        raise NotImplementedError

    def __str__(self) -> str:
        return as_text(*self._cells(), right=self._right)

    def _repr_html_(self) -> str:
        return as_html(*self._cells(), right=self._right)


def as_text(head: Line, body: Sequence[Line], right: Collection[int] = ()) -> str:
    """Columns that line up; those in `right` at their right edge.

    Examples
    --------
    >>> print(as_text(("name", "size"), [("x", "12"), ("weight", "3")], right={1}))
    name    size
    x         12
    weight     3
    """
    lines = [piece for line in (head, *body) for piece in _broken(line)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def as_html(head: Line, body: Sequence[Line], right: Collection[int] = ()) -> str:
    """The same as an HTML table."""

    def row(line: Line, tag: str) -> str:
        cells = []
        for column, cell in enumerate(line):
            style = CELL.format("right" if column in right else "left")
            lines = escape(cell).replace("\n", "<br>")
            cells.append(f'<{tag} style="{style}">{lines}</{tag}>')
        return f"<tr>{''.join(cells)}</tr>"

    rows = "\n".join(row(line, "td") for line in body)
    return f"<table>\n<thead>{row(head, 'th')}</thead>\n<tbody>\n{rows}\n</tbody>\n</table>"


def _broken(line: Line) -> list[list[str]]:
    """A line for each line of its cells, which may have several."""
    cells = [cell.split("\n") for cell in line]
    height = max(map(len, cells))
    return [[cell[k] if k < len(cell) else "" for cell in cells] for k in range(height)]


RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: Any) -> str:
    """Three digits, with a real minus and a real power of ten.

    Examples
    --------
    >>> number(-1.5e-5), number(1234.5), number(0.25)
    ('−1.5·10⁻⁵', '1234', '0.25')
    """
    item = np.asarray(value).item()
    text = f"{item:.0f}" if 1e3 <= abs(item) < 1e5 else f"{item:.3g}"
    mantissa, _, exponent = text.partition("e")
    power = "·10" + str(int(exponent)).translate(RAISED) if exponent else ""
    return mantissa.replace("-", "−") + power


def entries(value: Any, few: int = 3) -> str:
    """A number, or the first entries of an array, in the order of its rows.

    Parameters
    ----------
    value : array_like
    few : int
        How many entries to write before the dots.

    Examples
    --------
    >>> entries(2.0), entries([[1.0], [2.0]]), entries(np.arange(9.0), few=2)
    ('2', '[1, 2]ᵀ', '[0, 1, …]')
    """
    array = np.asarray(value)
    if array.size == 1:
        return number(array)
    written = [number(item) for item in array.flat[:few]]
    if array.size > few:
        return f"[{', '.join([*written, '…'])}]"
    is_column = array.ndim == 2 and array.shape[1] == 1
    return f"[{', '.join(written)}]" + "ᵀ" * is_column


def shape_and_dtype(value: Any) -> str:
    """Such as ``float64[32, 1]``."""
    if value is None:
        return "(no value)"
    return f"{getattr(value, 'dtype', type(value).__name__)}{list(np.shape(value))}"
