"""Tables: the same cells as text and as HTML, wherever something shows itself as one."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import nnlite as nn
from nnlite.core.text import Table, as_html, as_text


def trained() -> nn.Trainer:
    graph = nn.models.seminar_model(2, lam=0.1, rng=0)
    X = np.random.default_rng(0).normal(size=(8, 2))
    loader = nn.DataLoader(X, (X[:, :1] > 0) * 1.0, batch_size=4)
    trainer = nn.Trainer(graph, nn.SGD(graph.parameters(), 0.1), loader, progress=False)
    trainer.fit(14)
    return trainer


def graph() -> nn.Graph:
    found = nn.models.seminar_model(2, lam=0.1, rng=0)
    found(np.ones((4, 2)), np.ones((4, 1)))
    found.backward()
    return found


SHOWN: dict[str, Callable[[], Any]] = {
    "summary": lambda: graph().summary(),
    "memory": lambda: graph().memory(),
    "explanation": lambda: graph().explain(),
    "history": lambda: trained().history,
    "no history": lambda: (
        nn.Trainer(
            graph(),
            nn.SGD([nn.Parameter(np.ones(1))], 0.1),
            nn.DataLoader(np.ones(2), np.ones(2), 1),
        ).history
    ),
}


class Cells(HTMLParser):
    """The cells of the tables in a document, row by row."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "br":
            self.rows[-1][-1] += "\n"

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1] and data.strip():
            self.rows[-1][-1] += data


@pytest.mark.parametrize("name", SHOWN)
def test_text_and_html_have_the_same_cells(name: str) -> None:
    shown = SHOWN[name]()
    assert isinstance(shown, Table)
    rows = Cells(shown._repr_html_()).rows
    assert len({len(row) for row in rows}) == 1
    text = re.sub(r"\s+", "", str(shown))
    for row in rows:
        lines = [cell.split("\n") for cell in row]
        for k in range(max(map(len, lines))):
            line = "".join(cell[k] for cell in lines if k < len(cell))
            assert re.sub(r"\s+", "", line) in text


def test_the_history_is_a_list_of_rows_and_shows_the_first_and_the_last() -> None:
    history = trained().history
    assert history == [dict(row) for row in history]
    assert [row["epoch"] for row in history] == list(range(1, 15))
    lines = str(history).splitlines()
    assert lines[0].split() == ["epoch", "step", "lr", "train_loss"]
    assert [line.split()[0] for line in lines[1:]] == [*"12345", "…", *map(str, range(10, 15))]


def test_memory_names_vertices_and_ends_with_the_total() -> None:
    memory = graph().memory()
    assert memory["mse"] > 0
    rows = Cells(memory._repr_html_()).rows
    assert rows[0] == ["vertex", "bytes"]
    assert rows[-1] == ["total", f"{memory.total:,}"]
    assert memory.total == sum(memory.values())


CELLS = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=6)


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n))))
def test_any_cells_survive_html_and_line_up_as_text(body: list[list[str]]) -> None:
    width = len(body[0]) if body else 2
    head = [f"h{i}" for i in range(width)]
    assert Cells(as_html(head, body)).rows == [head, *body]
    lines = as_text(head, body, right=[width - 1]).split("\n")
    assert len(lines) == len(body) + 1
    for line, cells in zip(lines, [head, *body], strict=True):
        assert [cell for cell in line.split(" ") if cell] == [cell for cell in cells if cell]
