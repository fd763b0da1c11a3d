"""The history of a training run."""

from __future__ import annotations

from typing import Any

from nnlite.core.text import NUMBERS, Line, Table

Row = dict[str, Any]

FEW = 5  # of the first and of the last epochs, which a table shows


class History(Table, list[Row]):
    """What each epoch came to, a dict an epoch; ``print`` and a notebook show a table."""

    _right = NUMBERS

    def _cells(self) -> tuple[Line, list[Line]]:
        head = list(dict.fromkeys(name for row in self for name in row)) or ["epoch"]
        rows: list[Line] = [[_short(row.get(name)) for name in head] for row in self]
        if len(rows) > 2 * FEW:
            rows[FEW:-FEW] = [["…"] + [""] * (len(head) - 1)]
        return head, rows


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float | int) else str(value or "")
