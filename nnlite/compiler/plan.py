"""Where each result of a program is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from nnlite.compiler.lowering import Form, form_of
from nnlite.compiler.trace import Operation
from nnlite.compiler.views import VIEWS, view
from nnlite.core.primitives.shape import Reshape
from nnlite.core.vector import aligned


class Plan:
    """Memory for the results of operations, allocated once and used again when it is free.

    Parameters
    ----------
    order : list of Operation
        Arguments first.
    given : mapping of Operation to array
        Those that stand at a place of their own, such as parameters.
    targets : mapping of Operation to array
        Where the result is to be written, such as a part of the gradient.
    last : set of Operation
        Those whose results are needed at the end.

    Attributes
    ----------
    places : dict of Operation to array
        The array that holds a result in every run; an operation that is not here gives a new array
        or a number in every run.
    scratch : dict of Operation to list of array
        Memory that an operation needs while it runs.
    chains : dict of Operation to Operation
        For an operation whose result takes the place of an argument, that argument.
    size : int
        Bytes allocated.
    """

    def __init__(
        self,
        order: list[Operation],
        given: Mapping[Operation, Any],
        targets: Mapping[Operation, Any],
        last: set[Operation],
    ) -> None:
        self.places: dict[Operation, Any] = dict(given)
        self.scratch: dict[Operation, list[Any]] = {}
        self.chains: dict[Operation, Operation] = {}
        self.size = 0
        self._free: dict[int, list[Any]] = defaultdict(list)
        self._memory: dict[Operation, Any] = {}  # of those whose place may be used again
        targets = _of_sources(targets)
        roots = _roots(order)
        until: dict[Operation, int] = {}
        for i, operation in enumerate(order):
            until |= {root: i for arg in operation.args for root in roots[arg]}
        until |= {root: len(order) for operation in last for root in roots[operation]}
        for i, operation in enumerate(order):
            if operation.module is None or self._is_view(operation):
                continue
            form = form_of(operation)
            self.scratch[operation] = []
            if form is not None:
                if operation in targets and not form.keeps:
                    self.places[operation] = targets[operation]
                else:
                    done = [arg for arg in operation.args if until[arg] == i]
                    self._place(operation, form, done)
                for shape, dtype in form.scratch(operation):
                    self.scratch[operation].append(self._allocate(shape, dtype))
            for array in self.scratch[operation]:
                self._release(array)
            for root in dict.fromkeys(root for arg in operation.args for root in roots[arg]):
                if until[root] == i and root in self._memory:
                    self._release(self._memory.pop(root))

    def _is_view(self, operation: Operation) -> bool:
        """Whether the result is a view of a place that is known; then that is its place."""
        if isinstance(operation.module, VIEWS):
            place = self.places.get(operation.args[0])
            found = None if place is None else view(operation, place)
            if found is not None:
                self.places[operation] = found
                return True
        return False

    def _place(self, operation: Operation, form: Form, done: list[Operation]) -> None:
        if form.keeps:
            size = int(np.prod(operation.shape))
            self.places[operation] = aligned(size, operation.dtype).reshape(operation.shape)
            self.size += self.places[operation].nbytes
            return
        for arg in done if form.in_place else ():
            fits = (arg.shape, arg.dtype) == (operation.shape, operation.dtype)
            if arg in self._memory and fits:
                self.places[operation] = self.places[arg]
                self._memory[operation] = self._memory.pop(arg)
                self.chains[operation] = arg
                return
        self.places[operation] = self._memory[operation] = self._allocate(
            operation.shape, operation.dtype
        )

    def _allocate(self, shape: tuple[int, ...], dtype: Any) -> Any:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        free = self._free[size]
        if free:
            return free.pop().view(dtype).reshape(shape)
        self.size += size
        return aligned(size, np.uint8).view(dtype).reshape(shape)

    def _release(self, array: Any) -> None:
        self._free[array.nbytes].append(array.reshape(-1).view(np.uint8))


def _roots(order: list[Operation]) -> dict[Operation, tuple[Operation, ...]]:
    """For each operation, itself and those whose memory its result may be a view of."""
    roots: dict[Operation, tuple[Operation, ...]] = {}
    for operation in order:
        writes = form_of(operation) is not None and not isinstance(operation.module, VIEWS)
        viewed = [root for arg in operation.args for root in roots[arg]] if not writes else []
        roots[operation] = (operation, *dict.fromkeys(viewed))
    return roots


def _of_sources(targets: Mapping[Operation, Any]) -> dict[Operation, Any]:
    """The same places for what only gets another shape on its way there."""
    found: dict[Operation, Any] = {}
    for operation, place in targets.items():
        while isinstance(operation.module, Reshape) and operation.args[0].is_array:
            operation = operation.args[0]
            place = place.reshape(operation.shape)
        found[operation] = place
    return found
