"""Operations whose results are views of their argument."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.compiler.trace import Operation
from nnlite.core.primitives.checked import Check
from nnlite.core.primitives.indexing import GetItem
from nnlite.core.primitives.shape import BroadcastTo, Permute, Reshape
from nnlite.core.primitives.windows import Windows

VIEWS = (BroadcastTo, Check, GetItem, Permute, Reshape, Windows)


def view(operation: Operation, place: Any) -> Any:
    """The operation's result where its argument is at `place`; None if it is not a view of it."""
    module = operation.module
    if len(operation.args) > 1:
        return None
    if isinstance(module, Check):
        return place
    result = place[module.key] if isinstance(module, GetItem) else module.linear(place)
    return result if np.may_share_memory(result, place) else None


def as_method(operation: Operation) -> str | None:
    """A view as what follows its argument in Python, where there is such a form."""
    module, (x, *_) = operation.module, operation.args
    if isinstance(module, Permute):
        order = module.order(len(x.shape))
        return ".T" if order == tuple(reversed(range(len(order)))) else f".transpose({order})"
    if isinstance(module, Reshape):
        return f".reshape({operation.shape})"
    if isinstance(module, GetItem) and all(map(_is_basic, module.key)):
        return f"[{', '.join(map(_index, module.key))}]"
    return None


def _is_basic(part: Any) -> bool:
    return part is None or part is Ellipsis or type(part) in (int, slice)


def _index(part: Any) -> str:
    if part is Ellipsis:
        return "..."
    if not isinstance(part, slice):
        return repr(part)
    bounds = [part.start, part.stop, *([] if part.step is None else [part.step])]
    return ":".join("" if bound is None else str(bound) for bound in bounds)
