"""Public names: one list, one place that they say they are of, and nothing else under a tab."""

from __future__ import annotations

import importlib
import inspect
import pickle
import subprocess
import sys
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest

import nnlite as nn

SHELVES = (
    *("autodiff", "datasets", "init", "layers", "losses", "metrics", "models", "optim", "plot"),
    *("regularizers", "schedules"),
)
ROOMS = ("core", "graph", "checking", "training", "files")
HERE = sorted(name for name in dir(nn) if not isinstance(getattr(nn, name), ModuleType | str))
ON_SHELVES = [(shelf, name) for shelf in SHELVES for name in dir(getattr(nn, shelf))]


@pytest.mark.parametrize("name", HERE)
def test_what_nnlite_has_says_that_it_is_of_nnlite(name: str) -> None:
    item = getattr(nn, name)
    assert item.__module__ == "nnlite"
    assert item.__qualname__ == name
    assert pickle.loads(pickle.dumps(item)) is item


@pytest.mark.parametrize(("shelf", "name"), ON_SHELVES)
def test_what_a_shelf_has_says_where_it_is_found(shelf: str, name: str) -> None:
    item = getattr(getattr(nn, shelf), name)
    assert isinstance(item, type | FunctionType)
    assert getattr(importlib.import_module(item.__module__), name) is item
    assert item.__module__ in ("nnlite", f"nnlite.{shelf}")
    assert pickle.loads(pickle.dumps(item)) is item


@pytest.mark.parametrize("shelf", SHELVES)
def test_a_shelf_is_imported_by_its_name_and_shows_what_it_has(shelf: str) -> None:
    code = f"import nnlite.{shelf} as a; from nnlite import {shelf} as b; print(a is b, *dir(a))"
    shown = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
    module = getattr(nn, shelf)
    assert shown == ["True", *sorted(module.__all__)]
    assert len(shown) > 1


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_shows_no_plumbing(room: str) -> None:
    module = importlib.import_module(f"nnlite.{room}")
    shown = [name for name in dir(module) if not name.startswith("__")]
    assert [name for name in shown if name not in getattr(module, "__all__", ())] == []


def test_the_graph_is_where_it_was() -> None:
    from nnlite.graph import Graph
    from nnlite.layers import Linear

    assert (Graph, Linear) == (nn.Graph, nn.Linear)
    with pytest.raises(AttributeError, match="module 'nnlite' has no attribute 'linear'"):
        nn.linear  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(AttributeError, match=r"module 'nnlite.layers' has no attribute 'linaer'"):
        nn.layers.linaer  # type: ignore[attr-defined]  # noqa: B018


PLUMBING = {
    *("is_ours", "is_guarded", "set_aside", "fixed_shape", "run", "pull_back", "recorded"),
    *("needs", "guard", "alone", "descriptive", "keeps", "is_composite", "by_hand", "calls"),
}


def test_the_completion_of_an_object_offers_what_is_for_users() -> None:
    graph = nn.models.seminar_model(2, rng=0)
    step = graph.compile()
    step(np.ones((3, 2)), np.ones((3, 1)))
    objects = (graph, step, graph.nodes[0], graph.parameters()[0], nn.Linear(2, 1), nn.SGD)
    for item in objects:
        public = {name for name in dir(item) if not name.startswith("_")}
        assert public & PLUMBING == set(), item
        undocumented = [
            name
            for name in public
            if callable(getattr(type(item), name, None))
            and not inspect.getdoc(getattr(type(item), name))
        ]
        assert undocumented == [], item


@pytest.mark.parametrize(
    ("layer", "signature"),
    [
        (nn.MSE, "()"),
        (nn.L2, "()"),
        (nn.ReLU, "()"),
        (nn.BCE, "()"),
        (nn.Huber, "(delta: 'float' = 1.0)"),
        (nn.BCEWithLogits, "(pos_weight: 'Any' = None)"),
        (nn.Dropout, "(p: 'float' = 0.5, rng: 'np.random.Generator | int | None' = None)"),
        (nn.Sequential, "(*layers: 'Module')"),
    ],
)
def test_a_signature_says_what_a_constructor_takes(layer: Any, signature: str) -> None:
    assert str(inspect.signature(layer)) == signature


def test_a_module_has_the_signature_of_its_forward() -> None:
    assert list(inspect.signature(nn.MSE()).parameters) == ["y", "t"]
    assert list(inspect.signature(nn.Linear(2, 1)).parameters) == ["x"]


def test_a_class_of_the_user_has_its_own_signature() -> None:
    class Own(nn.Module):
        def __init__(self, width: int, *more: int) -> None:
            super().__init__()

        def forward(self, x: Any) -> Any:
            return x

    assert list(inspect.signature(Own).parameters) == ["width", "more"]
    assert Own.__module__ == __name__
