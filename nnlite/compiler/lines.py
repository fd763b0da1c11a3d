"""The lines of Python that carry out an operation."""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np

from nnlite.compiler.plan import VIEWS, Plan
from nnlite.compiler.trace import Operation
from nnlite.node import Node
from nnlite.primitives.base import Constantlike, LinearMap
from nnlite.primitives.checked import Checked
from nnlite.primitives.contractions import VDot
from nnlite.primitives.dtypes import AsType
from nnlite.primitives.elementwise import Elementwise
from nnlite.primitives.extrema import Max, Min
from nnlite.primitives.indexing import GetItem
from nnlite.primitives.joining import Concatenate
from nnlite.primitives.linalg import MatMul
from nnlite.primitives.logistic import Logistic, saturation
from nnlite.primitives.moving import Pad
from nnlite.primitives.reductions import Mean, Sum, reduced_axes
from nnlite.primitives.shape import Permute, Reshape
from nnlite.primitives.taking import TakeAlongAxis
from nnlite.primitives.windows import AddedWindows, window_pairs

_INFIX: dict[Callable[..., Any], str] = {
    np.add: "+",
    np.subtract: "-",
    np.multiply: "*",
    np.divide: "/",
}
_REDUCTIONS: dict[type, Any] = {
    Sum: np.add.reduce,
    Mean: np.add.reduce,
    Max: np.maximum.reduce,
    Min: np.minimum.reduce,
}


def writes(operation: Operation) -> bool:
    """Whether the operation can write its result into an array."""
    module = operation.module
    if not operation.is_array:
        return False
    if isinstance(module, Elementwise | Constantlike):
        return (
            (isinstance(module.function, np.ufunc) and not getattr(module, "kwargs", None))
            or isinstance(module, Logistic)
            or _is_masked(operation)
        )
    if isinstance(module, Pad):
        return module.mode == "constant" and not module.options
    if isinstance(module, TakeAlongAxis):
        return _takes_one_a_row(operation)
    return type(module) in _REDUCTIONS or isinstance(
        module, AddedWindows | AsType | Concatenate | MatMul | Reshape
    )


def scratch(operation: Operation) -> list[tuple[tuple[int, ...], Any]]:
    """Shapes and dtypes of the memory that the operation needs while it runs."""
    if not operation.is_array:
        return []
    if isinstance(operation.module, Logistic):
        return [(operation.shape, operation.dtype)]
    if _is_masked(operation):
        return [(operation.shape, _bits(operation.dtype))]
    if isinstance(operation.module, TakeAlongAxis) and writes(operation):
        return [(operation.shape, np.dtype(np.intp))]
    return []


def _is_within(index: Operation, count: int) -> bool:
    """Whether indices have been checked to be from 0 to count − 1."""
    while isinstance(index.module, VIEWS):
        if isinstance(index.module, Checked) and index.module.below is not None:
            return bool(index.module.below <= count)
        index = index.args[0]
    return False


def keeps(operation: Operation) -> bool:
    """Whether the operation needs its memory for itself from run to run."""
    return isinstance(operation.module, Pad) and writes(operation)


def _is_masked(operation: Operation) -> bool:
    """Whether this is where(mask, x, 0) of arrays of one shape."""
    if not isinstance(operation.module, Elementwise) or operation.module.function is not np.where:
        return False
    mask, x, zero = operation.args
    return (
        (mask.shape, mask.dtype) == (operation.shape, np.dtype(bool))
        and mask.is_array
        and (x.shape, x.dtype) == (operation.shape, operation.dtype)
        and operation.dtype.itemsize in (2, 4, 8)
        and zero.module is None
        and not zero.is_array
        and type(zero.value) in (int, float)
        and zero.value == 0
        and math.copysign(1, zero.value) > 0
    )


def _takes_one_a_row(operation: Operation) -> bool:
    """Whether this picks an entry of each row of a matrix."""
    x, index = operation.args
    return bool(
        operation.module.axis % len(x.shape) == 1
        and index.shape == (x.shape[0], 1)
        and index.dtype.kind == "i"
    )


def _bits(dtype: Any) -> Any:
    return np.dtype(f"i{dtype.itemsize}")


def _as_method(operation: Operation) -> str | None:
    """A view as what follows its argument in Python, where there is such a form."""
    module, (x,) = operation.module, operation.args
    if isinstance(module, Permute):
        # An array whose axis i has length i shows in its shape where each axis went.
        order = module.linear(np.empty(tuple(range(len(x.shape))))).shape
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


class Writer:
    """Writes operations as Python, and gives names to all that they speak of.

    Attributes
    ----------
    names : dict of str to object
        What the program finds under each name.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.names: dict[str, Any] = {}
        self._known: dict[int, str] = {}
        self._of: dict[Operation, str] = {}
        self._shared_names: dict[Any, str] = {}
        self._vectors: dict[int, Any] = {}

    def bind(self, item: Any, name: str) -> str:
        """A name for `item`, much like `name`; the same item has one name."""
        known = self._known.get(id(item))
        if known is None:
            known = self.fresh(name)
            self._known[id(item)] = known
            self.names[known] = item
        return known

    def fresh(self, name: str) -> str:
        """An identifier much like `name` that nothing else has."""
        unique = re.sub(r"\W", "_", name)
        if not unique.isidentifier() or keyword.iskeyword(unique):
            unique = f"_{unique}"
        base, count = re.sub(r"_1$", "", unique), 1
        while unique in self.names:
            count += 1
            unique = f"{base}_{count}"
        self.names[unique] = None
        return unique

    def name(self, operation: Operation) -> str:
        """The name of an operation's result."""
        if operation not in self._of:
            place = self.plan.places.get(operation)
            hint = operation.name or self._hint(operation)
            self._of[operation] = self.fresh(hint)
            if place is not None:
                self.names[self._of[operation]] = place
                self._known.setdefault(id(place), self._of[operation])
        return self._of[operation]

    def same_name(self, operation: Operation, other: Operation) -> None:
        """Call `operation` what `other` is called, which takes its place."""
        self._of[operation] = self.name(other)

    def _hint(self, operation: Operation) -> str:
        vertex, direction = operation.origin
        return f"{'back_' if direction == 'backward' else ''}{vertex}_1" if vertex else "update_1"

    def value(self, arg: Operation, dtype: Any = None) -> str:
        """An argument as it stands in a call: a name, or a number."""
        if arg.module is None and arg not in self.plan.places and arg not in self._of:
            number = arg.value
            if isinstance(number, np.ndarray):
                return self.bind(number, "constant")
            if dtype is not None and dtype.kind == "f" and type(number) in (int, float):
                number = dtype.type(number)
            if isinstance(number, np.generic):
                return self._number(number if dtype is None else np.array(number))
            return repr(number)
        return self.name(arg)

    def _number(self, number: Any) -> str:
        """A name for a number of NumPy's; as an array without axes it is quicker in array calls."""
        text = re.sub(r"\W", "_", f"{number.item():g}".replace(".", "p").replace("-", "minus"))
        return self._shared(f"{'c' if isinstance(number, np.ndarray) else 'n'}_{text}", number)

    def _shared(self, name: str, item: Any) -> str:
        """A name for an array or a number; one of the same dtype and contents has the same name."""
        key = (name, type(item), item.shape, item.dtype, item.tobytes())
        if key not in self._shared_names:
            self._shared_names[key] = self.fresh(name)
            self.names[self._shared_names[key]] = item
        return self._shared_names[key]

    def lines(self, operation: Operation) -> list[str]:
        """Python for one operation; none where its place is a view of another's."""
        module = operation.module
        place = self.plan.places.get(operation)
        if isinstance(module, Checked):
            if place is None:
                self.same_name(operation, operation.args[0])
            return [f"{self.bind(module.check, 'check')}({self.value(operation.args[0])})"]
        if place is None:
            return [f"{self.name(operation)} = {self._expression(operation)}"]
        if isinstance(module, VIEWS) and not isinstance(module, Reshape):
            return []
        if isinstance(module, Reshape):
            source = self.plan.places.get(operation.args[0])
            if source is not None and np.may_share_memory(source, place):
                return []
        return self._writing(operation, self.name(operation), place)

    def _expression(self, operation: Operation) -> str:
        module, args = operation.module, operation.args
        function: Any = getattr(module, "function", None)
        if isinstance(module, VDot):
            a, b = map(self._entries, args)
            return f"{a}.dot({b})" if a and b else f"vdot({', '.join(map(self.value, args))})"
        if type(module) is Elementwise and not operation.is_array and function in _INFIX:
            left, right = map(self.value, args)
            return f"{left} {_INFIX[function]} {right}"
        if type(module) in _REDUCTIONS and not operation.is_array and args[0].is_array:
            return self._reduced_to_number(operation)
        if isinstance(module, VIEWS) and len(args) == 1:
            viewed = _as_method(operation)
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

    def _writing(self, operation: Operation, out: str, place: Any) -> list[str]:
        module, args = operation.module, operation.args
        if isinstance(module, Logistic):
            (z,), (e,) = args, self.plan.scratch[operation]
            limit = self._number(np.array(saturation(place.dtype), place.dtype))
            total, one = self.bind(e, f"{out}_total"), self._number(np.array(1, place.dtype))
            return [
                f"minimum({self.value(z)}, {limit}, out={out})",
                f"exp({out}, {out})",
                f"add({out}, {one}, {total})",
                f"divide({out}, {total}, {out})",
            ]
        if _is_masked(operation):
            mask, x, _ = args
            (bits,) = self.plan.scratch[operation]
            whole = self.bind(bits, f"{out}_mask")
            return [
                f"negative({self._viewed(mask, np.int8)}, {whole})",
                f"bitwise_and({self._viewed(x, bits.dtype)}, {whole}, "
                f"{self.bind(place.view(bits.dtype), f'{out}_bits')})",
            ]
        if isinstance(module, Elementwise | Constantlike):
            dtype = operation.dtype
            if isinstance(module, Constantlike):
                dtype = np.result_type(*[arg.dtype for arg in args if arg.is_array])
            values = ", ".join(self.value(arg, dtype) for arg in args)
            # NumPy deprecates a third argument by position of just these two.
            last = f"out={out}" if module.function in (np.maximum, np.minimum) else out
            return [f"{self.bind(module.function, module.function.__name__)}({values}, {last})"]
        if isinstance(module, MatMul):
            a, b = args
            flat = a.is_array and b.is_array and len(a.shape) == 2 == len(b.shape)
            function = "dot" if flat and a.dtype == b.dtype else "matmul"
            return [f"{function}({self.value(a)}, {self.value(b)}, {out})"]
        if type(module) in _REDUCTIONS:
            return self._reduction(operation, out, place)
        x, *rest = args
        if isinstance(module, TakeAlongAxis):
            m, n = x.shape
            index, entries = self.value(rest[0]), self._entries(x)
            if entries and _is_within(rest[0], n):
                (places,) = self.plan.scratch[operation]
                starts = self.bind(np.arange(0, m * n, n)[:, None], f"{out}_rows")
                where = self.bind(places, f"{out}_places")
                return [
                    f"add({index}, {starts}, {where})",
                    f"{entries}.take({where}, None, {out}, 'clip')",
                ]
            rows = self.bind(np.arange(m)[:, None], f"{out}_rows")
            return [f"copyto({out}, {self.value(x)}[{rows}, {index}])"]
        if isinstance(module, Pad):
            place[...] = 0
            key = tuple(
                slice(before, before + n)
                for (before, _), n in zip(module.widths(place.ndim), x.shape)
            )
            return [f"copyto({self.bind(place[key], f'{out}_inside')}, {self.value(x)})"]
        if isinstance(module, AddedWindows):
            return self._added_windows(operation, out, place)
        if isinstance(module, Concatenate):
            joined = ", ".join(map(self.value, args))
            return [f"concatenate(({joined},), {module.along([a.value for a in args])}, {out})"]
        if isinstance(module, Reshape):
            return [f"copyto({self.bind(place.reshape(x.shape), out)}, {self.value(x)})"]
        return [f"copyto({out}, {self.value(x)}, 'unsafe')"]

    def _entries(self, arg: Operation) -> str | None:
        """A name for all entries of an argument as a vector, if that is a view that is known."""
        place = self.plan.places.get(arg)
        if place is None or not place.flags.c_contiguous:
            return None
        return (
            self.name(arg)
            if place.ndim == 1
            else self.bind(
                self._vectors.setdefault(id(place), place.reshape(-1)), f"{self.name(arg)}_entries"
            )
        )

    def _viewed(self, arg: Operation, dtype: Any) -> str:
        """An argument's memory, read as another dtype."""
        place = self.plan.places.get(arg)
        if place is None:
            return f"{self.value(arg)}.view({self.bind(np.dtype(dtype), f'as_{np.dtype(dtype)}')})"
        return self.bind(place.view(dtype), f"{self.name(arg)}_bits")

    def _reduction(self, operation: Operation, out: str, place: Any) -> list[str]:
        module, (x,) = operation.module, operation.args
        axes = reduced_axes(module.axis, len(x.shape))
        lines = []
        if type(module) in (Sum, Mean) and len(x.shape) == 2 and len(axes) == 1 and x.value.size:
            count = x.shape[axes[0]]
            ones = self._shared(f"ones_{count}", np.ones(count, operation.dtype))
            vector = self._entries(operation)
            pair = [ones, self.value(x)] if axes == (0,) else [self.value(x), ones]
            lines.append(f"dot({', '.join(pair)}, {vector})")
        else:
            axis = axes[0] if len(axes) == 1 else axes
            function = self._reducer(type(module))
            lines.append(f"{function}({self.value(x)}, {axis}, None, {out}, {module.keepdims})")
        if type(module) is Mean:
            terms = math.prod([x.shape[axis] for axis in axes])
            lines.append(f"divide({out}, {self._number(np.array(terms, place.dtype))}, {out})")
        return lines

    def _reduced_to_number(self, operation: Operation) -> str:
        module, (x,) = operation.module, operation.args
        function = self._reducer(type(module))
        total = f"{function}({self.value(x)}, None)"
        if type(module) is not Mean:
            return total
        return f"{total} / {self._number(operation.dtype.type(x.value.size))}"

    def _reducer(self, kind: type) -> str:
        reduce = _REDUCTIONS[kind]
        name = {np.add.reduce: "sum_over", np.maximum.reduce: "max_over"}.get(reduce, "min_over")
        return self.bind(reduce, name)

    def _added_windows(self, operation: Operation, out: str, place: Any) -> list[str]:
        module, (x,) = operation.module, operation.args
        source = self.plan.places.get(x)
        if source is None:
            return [f"copyto({out}, {self.bind(module, module.label)}.linear({self.value(x)}))"]
        pairs = self.bind(
            window_pairs(place, source, module.axis, module.stride, module.dilation),
            f"{out}_windows",
        )
        return [
            f"{out}.fill(0)",
            f"for place, window in {pairs}: add(place, window, place)",
        ]
