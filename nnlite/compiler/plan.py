"""Where each result of a program is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nnlite.compiler.trace import Operation
from nnlite.primitives.checked import Checked
from nnlite.primitives.elementwise import Elementwise
from nnlite.primitives.indexing import GetItem
from nnlite.primitives.logistic import Logistic
from nnlite.primitives.shape import BroadcastTo, Permute, Reshape
from nnlite.primitives.windows import Windows

VIEWS = (BroadcastTo, Checked, GetItem, Permute, Reshape, Windows)


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
    writes, scratch, keeps : callable
        For an operation, whether it can write its result into an array, what memory it needs
        while it runs, and whether its result's memory must be its own from run to run.

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
        writes: Callable[[Operation], bool],
        scratch: Callable[[Operation], list[tuple[tuple[int, ...], Any]]],
        keeps: Callable[[Operation], bool],
    ) -> None:
        self.places: dict[Operation, Any] = dict(given)
        self.scratch: dict[Operation, list[Any]] = {}
        self.chains: dict[Operation, Operation] = {}
        self.size = 0
        self._free: dict[int, list[Any]] = defaultdict(list)
        self._memory: dict[Operation, Any] = {}  # of those whose place may be used again
        targets = _of_sources(targets)
        roots = _roots(order)
        until = {roots[arg]: i for i, operation in enumerate(order) for arg in operation.args}
        for operation in last:
            until[roots[operation]] = len(order)
        for i, operation in enumerate(order):
            if operation.module is None:
                continue
            if operation in targets and writes(operation) and not keeps(operation):
                self.places[operation] = targets[operation]
            elif isinstance(operation.module, VIEWS) and self._is_view(operation):
                continue
            elif writes(operation) and keeps(operation):
                self.places[operation] = np.zeros(operation.shape, operation.dtype)
                self.size += self.places[operation].nbytes
            elif writes(operation):
                done = [arg for arg in operation.args if until[roots[arg]] == i]
                self._place(operation, [arg for arg in done if roots[arg] is arg])
            self.scratch[operation] = [
                self._allocate(shape, dtype) for shape, dtype in scratch(operation)
            ]
            for array in self.scratch[operation]:
                self._release(array)
            for arg in dict.fromkeys(roots[arg] for arg in operation.args):
                if until[arg] == i and arg in self._memory:
                    self._release(self._memory.pop(arg))

    def _is_view(self, operation: Operation) -> bool:
        """Whether the result is a view of a place that is known; then that is its place."""
        place = self.places.get(operation.args[0])
        if place is None or len(operation.args) > 1:
            return False
        module = operation.module
        if isinstance(module, Checked):
            view = place
        else:
            view = place[module.key] if isinstance(module, GetItem) else module.linear(place)
        if not np.may_share_memory(view, place):
            return False
        self.places[operation] = view
        return True

    def _place(self, operation: Operation, done: list[Operation]) -> None:
        if isinstance(operation.module, Elementwise) and (
            isinstance(operation.module.function, np.ufunc)
            or isinstance(operation.module, Logistic)
        ):
            for arg in done:
                fits = (arg.shape, arg.dtype) == (operation.shape, operation.dtype)
                if arg in self._memory and fits:
                    self.places[operation] = self.places[arg]
                    self._memory[operation] = self._memory.pop(arg)
                    self.chains[operation] = arg
                    return
        array = self._allocate(operation.shape, operation.dtype)
        self.places[operation] = array
        self._memory[operation] = array

    def _allocate(self, shape: tuple[int, ...], dtype: Any) -> Any:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        free = self._free[size]
        if free:
            return free.pop().view(dtype).reshape(shape)
        self.size += size
        return np.empty(size, np.uint8).view(dtype).reshape(shape)

    def _release(self, array: Any) -> None:
        self._free[array.nbytes].append(array.reshape(-1).view(np.uint8))


def _roots(order: list[Operation]) -> dict[Operation, Operation]:
    """For each operation, the one whose memory its result may be a view of."""
    roots: dict[Operation, Operation] = {}
    for operation in order:
        is_view = isinstance(operation.module, VIEWS)
        roots[operation] = roots[operation.args[0]] if is_view else operation
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
