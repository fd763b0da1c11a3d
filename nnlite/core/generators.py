"""The random generators that a model draws from, and their states."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nnlite.core.nested import leaves


def generators_of(owners: Iterable[Any]) -> list[np.random.Generator]:
    """The generators among the attributes of `owners`, in order, each once.

    Lists, tuples and dicts among the attributes are looked through. A generator that only a
    closure or a global variable holds cannot be found.

    Examples
    --------
    >>> import nnlite as nn
    >>> rng = np.random.default_rng(0)
    >>> net = nn.Sequential(nn.Dropout(rng=rng), nn.Dropout(rng=rng), nn.Dropout(rng=1))
    >>> len(generators_of(net.modules()))
    2
    """
    found: dict[int, np.random.Generator] = {}
    for owner in owners:
        for item in leaves(getattr(owner, "__dict__", {})):
            if isinstance(item, np.random.Generator):
                found.setdefault(id(item.bit_generator), item)
    return list(found.values())


def same_state(one: Any, other: Any) -> bool:
    """Whether two states of a bit generator, which may hold arrays, are the same.

    Examples
    --------
    >>> twister = np.random.MT19937(0)
    >>> same_state(twister.state, twister.state)
    True
    """
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same_state(one[k], other[k]) for k in one)
    return bool(np.array_equal(one, other))
