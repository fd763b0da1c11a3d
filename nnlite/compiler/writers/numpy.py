"""Operations as lines of Python, and the names that the lines speak of."""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np

from nnlite.compiler.lowering import REDUCTIONS, SHORT, form_of, reducer
from nnlite.compiler.plan import Plan
from nnlite.compiler.trace import Operation
from nnlite.compiler.views import VIEWS, as_method
from nnlite.core.node import Node
from nnlite.core.primitives.base import Constantlike, LinearMap
from nnlite.core.primitives.checked import Checked
from nnlite.core.primitives.contractions import VDot
from nnlite.core.primitives.elementwise import Elementwise
from nnlite.core.primitives.reductions import Mean, Sum

RESERVED = ("type", "part", "window", "step")
"""Names that a program's text has of its own."""

_INFIX: dict[Callable[..., Any], str] = {
    np.add: "+",
    np.subtract: "-",
    np.multiply: "*",
    np.divide: "/",
}


class Writer:
    """Writes operations as Python, and gives names to all that they speak of.

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

    def lines(self, operation: Operation) -> list[str]:
        """Python for one operation; none where its place is a view of another's."""
        if isinstance(operation.module, Checked):
            return [self._check(operation)]
        place = self.plan.places.get(operation)
        if place is None:
            return [f"{self.name(operation)} = {self._expression(operation)}"]
        if isinstance(operation.module, VIEWS):
            source = self.plan.places.get(operation.args[0])
            if source is not None and np.may_share_memory(source, place):
                return []
        form = form_of(operation)
        assert form is not None
        return form.lines(self, operation, self.name(operation))

    def _check(self, operation: Operation) -> str:
        module, (x,) = operation.module, operation.args
        if operation not in self.plan.places:
            self.same_name(operation, x)
        call = f"{self.bind(module.check, 'check')}({self.value(x)})"
        if module.below is None or not x.is_array or x.dtype.kind != "i" or not x.value.size:
            return call
        largest = self.bind(np.maximum.reduce, "max_over")
        least = self.bind(np.minimum.reduce, "min_over")
        along = "" if len(x.shape) == 1 else ", None"
        bounds = f"{largest}({self.value(x)}{along}) >= {module.below}"
        return f"if {bounds} or {least}({self.value(x)}{along}) < 0: {call}"

    def _expression(self, operation: Operation) -> str:
        module, args = operation.module, operation.args
        function: Any = getattr(module, "function", None)
        if isinstance(module, VDot):
            a, b = map(self.entries, args)
            return f"{a}.dot({b})" if a and b else f"vdot({', '.join(map(self.value, args))})"
        if not operation.is_array and function is np.negative:
            return f"-{self.value(args[0])}"
        if not operation.is_array and function in _INFIX:
            left, right = (self._scalar(arg, operation.dtype) for arg in args)
            return f"{left} {_INFIX[function]} {right}"
        is_mean = type(module) is Mean and operation.dtype == np.float16  # see forms.Reduced
        if type(module) in REDUCTIONS and args[0].is_array and not (operation.is_array or is_mean):
            return self._reduced_to_number(operation)
        if isinstance(module, VIEWS) and len(args) == 1:
            viewed = as_method(operation)
            if viewed is not None:
                return f"{self.value(args[0])}{viewed}"
        values = ", ".join(self.value(arg) for arg in args)
        if type(module) is Elementwise or (isinstance(module, Constantlike) and not module.kwargs):
            return f"{self.bind(function, function.__name__)}({values})"
        if isinstance(module, LinearMap):
            return f"{self.bind(module, module.label)}.linear({values})"
        runs = copy(module)
        runs._vertex = Node(None, ())
        runs._vertex.needs_input_grad = (False,) * len(args)
        return f"{self.bind(runs, module.label)}.forward({values})"

    def _scalar(self, arg: Operation, dtype: Any) -> str:
        is_plain = arg.module is None and type(arg.value) in (int, float)
        if is_plain and arg not in self._of and dtype.kind == "f":
            return self.number(arg.value, dtype, in_array_call=False)
        return self.value(arg)

    def _reduced_to_number(self, operation: Operation) -> str:
        module, (x,) = operation.module, operation.args
        entries = self.entries(x)
        if type(module) in (Sum, Mean) and entries and 0 < x.value.size <= SHORT:
            total = f"{self.ones(x.value.size, operation.dtype)}.dot({entries})"
        else:
            function = self.bind(REDUCTIONS[type(module)], reducer(type(module)))
            total = f"{function}({self.value(x)}, None)"
        if type(module) is not Mean:
            return total
        return f"{total} / {self.number(x.value.size, operation.dtype, in_array_call=False)}"
