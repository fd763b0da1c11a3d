"""Operations as lines of Python that call NumPy."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np

from nnlite.compiler.lowering import REDUCTIONS, form_of
from nnlite.compiler.trace import Operation
from nnlite.compiler.views import VIEWS, as_method
from nnlite.compiler.writers.names import Names
from nnlite.compiler.writers.numpy_forms import SHORT, lines_of, reducer
from nnlite.core.node import Node
from nnlite.core.primitives.base import Constantlike, LinearMap
from nnlite.core.primitives.checked import Check
from nnlite.core.primitives.contractions import VDot
from nnlite.core.primitives.elementwise import Elementwise
from nnlite.core.primitives.reductions import Mean, Sum

_INFIX: dict[Callable[..., Any], str] = {
    np.add: "+",
    np.subtract: "-",
    np.multiply: "*",
    np.divide: "/",
}


class Writer(Names):
    """Writes operations as Python, and names what they speak of."""

    def lines(self, operation: Operation) -> list[str]:
        """Python for one operation; none where its place is a view of another's."""
        if isinstance(operation.module, Check):
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
        return lines_of(form, self, operation, self.name(operation))

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
        is_mean = type(module) is Mean and operation.dtype == np.float16  # see lowering.Reduced
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
        runs._vertex = Node._alone((False,) * len(args))
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
