"""What stands in lists, tuples and dicts within each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def leaves(item: Any) -> Iterator[Any]:
    """Whatever is no list, tuple or dict, in its order."""
    if isinstance(item, dict):
        item = tuple(item.values())
    if isinstance(item, list | tuple):
        for part in item:
            yield from leaves(part)
    else:
        yield item
