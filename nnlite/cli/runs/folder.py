"""The folder of a run: what it consists of, how it comes to be, and how it is replaced.

``config.json`` is there from the start and ``checkpoints/`` while the training goes on;
``weights.npz``, ``history.csv``, ``loss.png`` and ``graph.png`` are written at its end, each whole
or not at all.
"""

from __future__ import annotations

import csv
import io
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nnlite.cli.runs.config import Config, read_config
from nnlite.files.archive import replacing, write_npz
from nnlite.files.errors import RunError, reading
from nnlite.files.lock import Lock
from nnlite.graph.graph import Graph
from nnlite.training.history import History

RESULTS = ("weights.npz", "history.csv", "loss.png", "graph.png")
PICTURES = ("loss.png", "graph.png")


def create(folder: Path, config: Config, overwrite: bool) -> None:
    """Make the folder of a new run, which appears with its settings in it.

    Raises
    ------
    RunError
        If the folder is there and `overwrite` is not, or it is not a run that nobody works on.
    """
    unfinished = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.tmp")
    try:
        unfinished.mkdir(parents=True)
    except OSError as error:
        raise RunError(
            f"{folder} cannot be made ({error.strerror}); give another folder to --out"
        ) from error
    try:
        write_config(unfinished, config)
        if overwrite and folder.exists():
            remove(folder)
        refuse_existing(folder)
        os.rename(unfinished, folder)
    except BaseException:
        (unfinished / "config.json").unlink(missing_ok=True)
        unfinished.rmdir()
        raise


def refuse_existing(folder: Path) -> None:
    """Raise a `RunError` if there is something at the path."""
    if folder.exists() or folder.is_symlink():
        raise RunError(
            f"{folder} exists and is left as it is; give another folder to --out, or --overwrite "
            "if it is a run that you no longer need"
        )


def contents(folder: Path) -> list[Path]:
    """The files of a run, which are all that is in its folder.

    Raises
    ------
    RunError
        If the folder is not a run, or holds anything else.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise RunError(f"{folder} is not a folder of a run and is left as it is")
    read_config(folder / "config.json")
    files: list[Path] = []
    others: list[Path] = []
    checkpoints = folder / "checkpoints"
    for path in folder.iterdir():
        if path == checkpoints and path.is_dir() and not path.is_symlink():
            continue
        (files if _is_of_a_run(path, ("config.json", *RESULTS)) else others).append(path)
    if checkpoints.is_dir():
        for path in checkpoints.iterdir():
            (files if _is_of_a_run(path, ()) else others).append(path)
    if others:
        raise RunError(
            f"{others[0]} is no part of a run, so {folder} is left as it is; move what you need "
            "out of it"
        )
    return files


def _is_of_a_run(path: Path, names: Sequence[str]) -> bool:
    is_checkpoint = path.parent.name == "checkpoints" and path.match("checkpoint-*.npz")
    is_temporary = path.name.startswith(".") and path.name.endswith(".tmp")
    named = path.name in names or path.name == ".lock" or is_checkpoint or is_temporary
    return named and path.is_file() and not path.is_symlink()


def remove(folder: Path) -> None:
    """Delete a run, and nothing else.

    Raises
    ------
    RunError
        As in `contents`; nothing is deleted then.
    LockedError
        If a process works on it.
    """
    contents(folder)
    with Lock(folder):
        pass
    files = contents(folder)
    # The settings go last: what is left after an interruption is still a run.
    for path in sorted(files, key=lambda path: path.name == "config.json"):
        path.unlink()
    if (folder / "checkpoints").is_dir():
        (folder / "checkpoints").rmdir()
    folder.rmdir()


def remove_temporaries(folder: Path) -> None:
    """Delete what a killed process left half written; call it under the folder's lock."""
    if (folder / "checkpoints").is_symlink():
        raise RunError(f"{folder / 'checkpoints'} is a link and not a folder of a run; remove it")
    for place in (folder, folder / "checkpoints"):
        for path in place.glob(".*.tmp"):
            path.unlink(missing_ok=True)


def write_config(folder: Path, config: Config) -> None:
    """Write ``config.json``."""
    with replacing(folder / "config.json") as file:
        file.write(config.to_json().encode("utf-8", "surrogatepass"))


def write_results(
    folder: Path, graph: Graph, history: Sequence[Mapping[str, float]], X: Any, t: Any
) -> None:
    """Write the weights, the history and the pictures, each whole or not at all.

    Parameters
    ----------
    folder : Path
    graph : Graph
        From X and t to the loss.
    history : sequence of mapping
        A row an epoch.
    X, t : ndarray
        What the values and gradients in the picture of the graph are of.
    """
    write_npz(folder / "weights.npz", graph.state_dict())
    with replacing(folder / "history.csv") as file:
        file.write(_as_csv(history).encode())
    _draw(folder, graph, history, X, t)


def _as_csv(history: Sequence[Mapping[str, float]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, history[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return text.getvalue()


def _draw(
    folder: Path, graph: Graph, history: Sequence[Mapping[str, float]], X: Any, t: Any
) -> None:
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    from nnlite.plot.curves import history as draw_history

    curves = Figure(figsize=(6, 4), layout="constrained")
    draw_history({name: [row[name] for row in history] for name in history[0]}, curves.subplots())
    graph.eval()
    graph(X, t)
    graph.zero_grad()
    graph.backward()
    vertices: Any = graph.plot(values=True, gradients=True).figure
    for name, picture in (("loss.png", curves), ("graph.png", vertices)):
        with replacing(folder / name) as file:
            picture.savefig(file, dpi=150, format="png")
    plt.close(vertices)


def read_history(folder: Path) -> History:
    """The rows of ``history.csv``; none if the training has not ended.

    Raises
    ------
    RunError
        If the file is damaged.
    """
    path = folder / "history.csv"
    if not path.exists():
        return History()
    try:
        with reading(path, RunError, "check it"):
            text = path.read_bytes()
        header, *rows = csv.reader(io.StringIO(text.decode()), strict=True)
        return History(dict(zip(header, map(_number, row), strict=True)) for row in rows)
    except (ValueError, csv.Error) as error:
        raise RunError(f"{path} is damaged ({error}); get a new copy of the run") from error


def _number(text: str) -> float:
    """Epochs and steps are whole."""
    return int(text) if text.isdecimal() else float(text)
