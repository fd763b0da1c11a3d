"""What the lines of a program speak of, and by which names."""

from __future__ import annotations

import keyword
import math
import re
from typing import Any

import numpy as np

from nnlite.compiler.plan import Plan
from nnlite.compiler.trace import Operation

RESERVED = ("type", "part", "window", "step")
"""Names that a program's text has of its own."""


class Names:
    """The names of all that the lines of a program speak of.

    Attributes
    ----------
    plan : Plan
    names : dict of str to object
        What the program finds under each name; None for what it computes.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.names: dict[str, Any] = {}
        self._bound: dict[int, str] = {}
        self._shared: dict[Any, str] = {}
        self._vectors: dict[int, Any] = {}
        self._of: dict[Operation, str] = {}

    def bind(self, item: Any, name: str) -> str:
        """The name of `item`: much like `name`, if it had none before."""
        known = self._bound.get(id(item))
        if known is None:
            known = self._bound[id(item)] = self._fresh(name)
            self.names[known] = item
        return known

    def shared(self, name: str, array: Any) -> str:
        """The name of an array or a number, the same for another with the same contents."""
        key = (name, type(array), array.shape, array.dtype, array.tobytes())
        if key not in self._shared:
            self._shared[key] = self._fresh(name)
            self.names[self._shared[key]] = array
        return self._shared[key]

    def number(self, value: Any, dtype: Any, in_array_call: bool = True) -> str:
        """The name of a number; in calls on arrays an array without axes is quicker."""
        number = np.array(value, dtype)
        text = re.sub(r"\W", "_", f"{number.item():g}".replace(".", "p").replace("-", "minus"))
        return self.shared(*((f"c_{text}", number) if in_array_call else (f"n_{text}", number[()])))

    def ones(self, count: int, dtype: Any) -> str:
        return self.shared(f"ones_{count}", np.ones(count, dtype))

    def _fresh(self, name: str) -> str:
        """An identifier much like `name` that nothing else has."""
        unique = re.sub(r"[^A-Za-z0-9_]", "_", name)
        if not unique.isidentifier() or keyword.iskeyword(unique):
            unique = f"_{unique}"
        base, count = re.sub(r"_1$", "", unique), 1
        while unique in self.names or unique in RESERVED:
            count += 1
            unique = f"{base}_{count}"
        self.names[unique] = None
        return unique

    def name(self, operation: Operation) -> str:
        """The name of an operation's result."""
        if operation not in self._of:
            vertex, direction = operation.origin
            hint = f"{'back_' if direction == 'backward' else ''}{vertex or 'update'}_1"
            name = self._of[operation] = self._fresh(operation.name or hint)
            place = self.plan.places.get(operation)
            if place is not None:
                self.names[name] = place
                self._bound.setdefault(id(place), name)
        return self._of[operation]

    def same_name(self, operation: Operation, other: Operation) -> None:
        """Call `operation` what `other` is called."""
        self._of[operation] = self.name(other)

    def value(self, arg: Operation, dtype: Any = None) -> str:
        """An argument as it stands in a call; a number becomes an array of `dtype`, if given."""
        if arg.module is not None or arg in self.plan.places or arg in self._of:
            return self.name(arg)
        if arg.is_array:
            return self.bind(arg.value, "constant")
        if dtype is not None and dtype.kind == "f":
            return self.number(arg.value, dtype)
        if isinstance(arg.value, np.generic):
            return self.number(arg.value, arg.value.dtype, dtype is not None)
        if isinstance(arg.value, float) and not math.isfinite(arg.value):
            return self.bind(arg.value, "infinity" if arg.value > 0 else "not_finite")
        return repr(arg.value)

    def place(self, operation: Operation) -> Any:
        return self.plan.places[operation]

    def scratch(self, operation: Operation) -> list[Any]:
        return self.plan.scratch[operation]

    def entries(self, arg: Operation) -> str | None:
        """A name for all entries of an argument as a vector, if that is a view that is known."""
        place = self.plan.places.get(arg)
        if place is None or not place.flags.c_contiguous:
            return None
        if place.ndim == 1:
            return self.name(arg)
        vector = self._vectors.setdefault(id(place), place.reshape(-1))
        return self.bind(vector, f"{self.name(arg)}_entries")

    def viewed(self, arg: Operation, dtype: Any) -> str:
        """An argument's memory, read as another dtype."""
        place = self.plan.places.get(arg)
        if place is None:
            return f"{self.value(arg)}.view({self.bind(np.dtype(dtype), f'as_{np.dtype(dtype)}')})"
        return self.bind(place.view(dtype), f"{self.name(arg)}_bits")
