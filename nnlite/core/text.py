"""Tables as aligned text, and as HTML for a notebook."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape

Line = Sequence[str]

CELL = "vertical-align: top; text-align: {}"


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
