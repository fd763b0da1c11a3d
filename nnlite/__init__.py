"""nnlite: neural-network layers on NumPy; every vertex of the graph is a Module.

Write ``forward`` and ``backward`` once, in plain NumPy; chain modules into a `Graph`; train it.

Each public name stands in the room that it belongs to, and is imported when it is first used, so
that a program pays for what it uses.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from nnlite import (
        autodiff as autodiff,
        datasets as datasets,
        layers as layers,
        optim as optim,
        plot as plot,
    )
    from nnlite.autodiff import *
    from nnlite.checking import *
    from nnlite.cli.runs.run import *
    from nnlite.core import *
    from nnlite.datasets.loader import *
    from nnlite.files import *
    from nnlite.graph import *
    from nnlite.layers import *
    from nnlite.layers import (
        init as init,
        losses as losses,
        models as models,
        regularizers as regularizers,
    )
    from nnlite.optim import *
    from nnlite.optim import schedules as schedules
    from nnlite.optim.schedules import *
    from nnlite.training import *
    from nnlite.training import metrics as metrics

_ROOMS = (
    *("core", "graph", "layers", "autodiff", "optim", "optim.schedules", "datasets.loader"),
    *("training", "checking", "files", "cli.runs.run"),
)
_SHELVES = ("autodiff", "datasets", "layers", "optim", "plot")
_MOVED = {
    "init": "layers.init",
    "losses": "layers.losses",
    "metrics": "training.metrics",
    "models": "layers.models",
    "regularizers": "layers.regularizers",
    "schedules": "optim.schedules",
}


if not TYPE_CHECKING:  # for which the imports above are the names that there are

    def __getattr__(name: str) -> Any:
        if name in (*_SHELVES, *_MOVED):
            return import_module(f"nnlite.{name}")
        if name == "__all__":
            names = [name for room in _ROOMS for name in _room(room).__all__]
            return ["__version__", *_SHELVES, *_MOVED, *names]
        for room in () if name.startswith("_") else _ROOMS:
            if name in _room(room).__all__:
                found = globals()[name] = getattr(_room(room), name)
                return found
        raise AttributeError(f"module 'nnlite' has no attribute {name!r}")


def __dir__() -> list[str]:
    names: list[str] = sys.modules[__name__].__all__
    return sorted(names)


def _room(name: str) -> ModuleType:
    return import_module(f"nnlite.{name}")


class _Moved:
    """Finds the public modules whose files are in a room, such as ``nnlite.losses``."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        is_moved = name.removeprefix("nnlite.") in _MOVED and name.startswith("nnlite.")
        return ModuleSpec(name, _Moved) if is_moved else None  # type: ignore[arg-type]

    @staticmethod
    def create_module(spec: ModuleSpec) -> None:
        return None

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        home = _MOVED[module.__name__.removeprefix("nnlite.")]
        sys.modules[module.__name__] = import_module(f"nnlite.{home}")


sys.meta_path.append(_Moved)
