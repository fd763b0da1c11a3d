"""What a module keeps on itself, told in a way that shows whether a forward pass replaced it.

A module that stands at two vertices and keeps, say, ``self.y = y`` would propagate back with the
``y`` of the wrong vertex. `Module.run` compares what is kept before and after such a pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

INTERNAL = ("_vertex", "_last", "training")

Kept = Mapping[str, list[Any]]


def attributes(module: Any) -> Kept:
    """For each attribute of `module`: the objects it is made of, and the contents of arrays."""
    return {
        name: list(_atoms(item, {id(module)}))
        for name, item in vars(module).items()
        if name not in INTERNAL
    }


def changed(before: Kept, after: Kept) -> tuple[str, ...]:
    """Names of the attributes that came, went, or are not what they were."""
    return tuple(
        name
        for name in {**before, **after}
        if name not in before or name not in after or not _same(before[name], after[name])
    )


def _same(before: list[Any], after: list[Any]) -> bool:
    return len(before) == len(after) and all(
        old is new or (type(old) is type(new) and isinstance(old, _PLAIN) and old == new)
        for old, new in zip(before, after)
    )


_PLAIN = (bool, int, float, complex, str, bytes, np.generic, type)


def _atoms(item: Any, seen: set[int]) -> Iterator[Any]:
    """What `item` is made of: plain values to be compared, other objects to be identical."""
    if id(item) in seen:
        return
    if isinstance(item, np.ndarray):
        yield f"{item.dtype}{item.shape}"
        yield item.tobytes()
    elif isinstance(item, dict | list | tuple | set):
        seen.add(id(item))
        yield type(item)
        yield len(item)
        for part in item.items() if isinstance(item, dict) else item:
            yield from _atoms(part, seen)
    else:
        yield item
        if hasattr(item, "save_for_backward") or (hasattr(item, "__dict__") and not callable(item)):
            seen.add(id(item))
            for part in vars(item).values():
                yield from _atoms(part, seen)
