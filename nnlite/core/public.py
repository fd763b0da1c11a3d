"""Public names: they say ``nnlite.X`` wherever their file is, and are what a tab shows."""

from __future__ import annotations

from types import FunctionType
from typing import Any


def public(namespace: dict[str, Any], module: str = "nnlite", own: bool = False) -> None:
    """Let the public classes and functions of a module say where users find them.

    Pickles, reprs and messages then survive when a file moves. The names without an underscore
    become ``__all__``, and all that ``dir()`` and the completion of names show.

    Parameters
    ----------
    namespace : dict
        The module's ``globals()``, when all is defined.
    module : str
        What to import them from; one that is in ``nnlite`` itself says so.
    own : bool
        Whether only what is defined there counts, and not what is imported.
    """
    names = [
        name
        for name, item in namespace.items()
        if isinstance(item, type | FunctionType)
        and not name.startswith("_")
        and item is not public
        and (not own or item.__module__ == namespace["__name__"])
    ]
    for name in names:
        if namespace[name].__module__ != "nnlite":
            namespace[name].__module__ = module
    namespace["__all__"] = sorted(names)
    namespace["__dir__"] = lambda: sorted(names)
