"""The notebooks: what they store is what the code gives, in a fresh kernel."""

from __future__ import annotations

import base64
import os
import re
import struct
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from places import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

MEASURED = "measured"
"""The tag of cells whose text or curves are times, memory, rounding errors or another library's
steps: these differ from run to run or from machine to machine, and only their kind is compared."""

SIZE_TOLERANCE = 0.05
"""Of pictures: they are cut to what is drawn, and letters differ in width between versions."""

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def run(notebook: Any, folder: Path) -> Any:
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    return client.execute()


def shown(cell: Any) -> list[tuple[str, Any]]:
    """What a reader sees of each output: its kind, and its text or the size of its picture."""
    seen: list[tuple[str, Any]] = []
    for output in cell.outputs:
        if output.output_type == "stream":
            seen.append((output.name, output.text))
        elif output.output_type == "error":
            seen.append(("error", output.evalue))
        else:
            kind = min(output.data, key=richness)
            content = output.data[kind]
            seen.append((kind, size(kind, content) if kind.startswith("image/") else content))
    return seen


def richness(kind: str) -> int:
    """A notebook shows the richest form of an output: a picture, else HTML, else text."""
    return [kind.startswith("image/"), kind == "text/html", True].index(True)


def size(kind: str, picture: str) -> tuple[float, float]:
    """The width and the height of a picture."""
    if kind == "image/png":
        return struct.unpack(">II", base64.b64decode(picture)[16:24])
    assert kind == "image/svg+xml"
    found = [re.search(rf'<svg[^>]*\b{side}="([\d.]+)', picture) for side in ("width", "height")]
    width, height = (float(side[1]) for side in found if side)
    return width, height


@pytest.fixture
def kernel_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A kernel that imports this checkout, and knows nothing of the user's own settings."""
    search_path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(search_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "matplotlib"))
    monkeypatch.delenv("MPLBACKEND", raising=False)


@each_notebook
@pytest.mark.usefixtures("kernel_environment")
def test_stores_the_outputs_of_the_shipped_code(path: Path) -> None:
    stored, fresh = read(path), run(read(path), path.parent)
    for before, after in zip(code_cells(stored), code_cells(fresh), strict=True):
        old, new = shown(before), shown(after)
        assert [kind for kind, _ in new] == [kind for kind, _ in old], f"cell {before.id}"
        for (kind, was), (_, now) in zip(old, new, strict=True):
            if kind.startswith("image/"):
                assert now == pytest.approx(was, rel=SIZE_TOLERANCE), f"cell {before.id}"
            elif MEASURED not in before.metadata.get("tags", []):
                assert now == was, f"cell {before.id}"


@each_notebook
def test_ran_from_top_to_bottom_without_an_error_or_a_warning(path: Path) -> None:
    cells = code_cells(read(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert {kind for cell in cells for kind, _ in shown(cell)} & {"error", "stderr"} == set()


@each_notebook
def test_holds_nothing_that_changes_from_run_to_run_besides_its_outputs(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags"}
        assert set(cell.metadata.get("tags", [])) <= {MEASURED}


@each_notebook
def test_has_a_name_for_each_cell_and_exercises_at_its_end(path: Path) -> None:
    cells = read(path).cells
    assert len({cell.id for cell in cells}) == len(cells)
    assert not any(re.fullmatch("[0-9a-f]{8}", cell.id) for cell in cells)  # nbformat's random ids
    assert "## Exercises" in cells[-1].source


def test_the_seminar_notebook_has_a_heading_for_each_idea_of_the_slides_in_their_order() -> None:
    (path,) = [path for path in NOTEBOOKS if "seminar" in path.stem]
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    ids = re.findall(r"^## .*\((S\d+)\)$", text, re.MULTILINE)
    assert ids == [f"S{number}" for number in range(1, 17)]
