"""A module at a point: what its own backward says, and the derivative of its forward.

`Subject` is what `nnlite.checking` examines. Every pass runs on a deep copy of the module, so that
its parameters, their gradients and a random generator among its attributes are the same each time.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from copy import deepcopy
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite.core.backpropagation import contributions
from nnlite.core.bundle import Bundle
from nnlite.core.dual import Dual
from nnlite.core.guard import own
from nnlite.core.module import Module
from nnlite.core.node import Input, Node, Parameter
from nnlite.core.recording import Recording
from nnlite.core.value import next_level
from nnlite.graph.graph import Graph

Array = NDArray[Any]

NOT_NUMPY = (NotImplementedError, TypeError, AttributeError)
CHUNK = 64


class FunctionModule(Module, of=__name__):
    """A function of NumPy code, or a graph, as a composite with the same parameters."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def forward(self, *inputs: Any) -> Any:
        return self.function(*inputs)

    def _composed_forward(self, vertex: Node, values: Sequence[Any]) -> Any:
        """As for any composite, but a function may use parameters that are not its own."""
        recording = Recording(self.forward, values, vertex._needs_input_grad, self.parameters())
        vertex._saved = (recording,)
        return recording.value

    def named_parameters(self) -> list[tuple[str, Parameter]]:
        return self.function.named_parameters() if isinstance(self.function, Module) else []

    def __repr__(self) -> str:
        if isinstance(self.function, Module):
            return repr(self.function)
        return getattr(self.function, "__name__", repr(self.function))


class Lenient:
    """What takes a gradient of any shape and dtype, so that it can be looked at."""

    __slots__ = ()

    def _fitting(self, grad: Any) -> Any:
        return grad


class LenientInput(Lenient, Input):
    __slots__ = ()


class LenientParameter(Lenient, Parameter):
    __slots__ = ()


class Pass:
    """One forward pass of a copy of the module, and backward passes at the same vertex."""

    def __init__(self, module: Module, inputs: Sequence[Any], wanted: tuple[bool, ...]) -> None:
        self.module = module
        self.parameters = module.parameters()
        leaves = [LenientInput(None, want, value=x) for x, want in zip(inputs, wanted)]
        self.vertex = Node(module, tuple(leaves))
        self.value = module._recorded_at(self.vertex, inputs)

    def backward(self, cotangent: Any) -> list[Any]:
        """The gradient of every float input as it was returned, and of every parameter."""
        self.vertex.grad = cotangent
        handed = contributions(self.vertex, Module._plain_backward)
        return [*[grad for _, grad in handed], *[parameter.grad for parameter in self.parameters]]


class Subject:
    """A module, and values for its inputs and parameters.

    Attributes
    ----------
    names : list of str
        What messages call the leaves: first the inputs of floats, then the parameters.
    values : list of arrays
        Of the leaves.
    """

    def __init__(self, module: Module, inputs: Sequence[Any]) -> None:
        self.module, self.inputs = module, tuple(inputs)
        self.wanted = tuple(x.dtype.kind == "f" for x in inputs)
        self.positions = [i for i, is_float in enumerate(self.wanted) if is_float]
        named = module.named_parameters()
        self.names = [_input_name(module, i) for i in self.positions]
        self.names += [f"parameter {name}" for name, _ in named]
        self.values = [self.inputs[i] for i in self.positions] + [p.value for _, p in named]

    def at(self, values: Sequence[Any]) -> Subject:
        """The same module at other values of the leaves."""
        return Subject(*self._placed(values, self.copied()))

    def run(self, values: Sequence[Any] | None = None, module: Module | None = None) -> Pass:
        """A forward pass at `values` of the leaves, or at their own."""
        module = self.copied() if module is None else module
        if values is None:
            return Pass(module, list(map(own, self.inputs)), self.wanted)
        return Pass(*self._placed(values, module), self.wanted)

    def _placed(self, values: Sequence[Any], module: Module) -> tuple[Module, list[Any]]:
        """The module with its parameters at `values`, and inputs that are there, too."""
        values = list(map(own, values))  # which a pass may write into
        inputs = dict(enumerate(map(own, self.inputs))) | dict(zip(self.positions, values))
        for parameter, value in zip(module.parameters(), values[len(self.positions) :]):
            parameter.value = value
        return module, list(inputs.values())

    def astype(self, dtype: Any) -> Subject:
        """The same with every array of floats, also those the module keeps, of one dtype."""
        module = self.copied()
        for inner in module.modules():
            for name, item in vars(inner).items():
                if isinstance(item, np.ndarray) and item.dtype.kind == "f":
                    setattr(inner, name, item.astype(dtype))
                elif isinstance(item, np.dtype) and item.kind == "f":
                    setattr(inner, name, np.dtype(dtype))
            graph = getattr(inner, "function", inner)
            for node in graph.nodes if isinstance(graph, Graph) else ():
                if isinstance(node.value, np.ndarray) and node.value.dtype.kind == "f":
                    node.value = node.value.astype(dtype)
        for parameter in module.parameters():
            parameter.value = parameter.value.astype(dtype)
        return Subject(module, [x.astype(dtype) if x.dtype.kind == "f" else x for x in self.inputs])

    def copied(self) -> Module:
        """The module as it is, without what its last pass left behind."""
        vertices = [inner._vertex for inner in self.module.modules() if inner._vertex is not None]
        try:
            module = deepcopy(self.module, {id(vertex): None for vertex in vertices})
        except Exception as error:
            raise TypeError(
                f"gradcheck examines copies, and {self.module!r} cannot be copied ({error}); keep "
                "open files, locks and the like outside of the module"
            ) from error
        for parameter in module.parameters():
            parameter.__class__ = LenientParameter
            parameter.grad = None
        return module

    def jacobian_rows(self, leaf: int, entries: Array) -> tuple[Array, bool]:
        """∂output/∂(entry of a leaf) for chosen entries, and whether they are exact.

        Returns
        -------
        rows : array, (entries, *output shape)
        exact : bool
            True if they come from dual numbers, False if from central differences.
        """
        value = self.values[leaf]
        rows = []
        try:
            for start in range(0, len(entries), CHUNK):
                chosen = entries[start : start + CHUNK]
                units = np.zeros((len(chosen), value.size), value.dtype)
                units[np.arange(len(chosen)), chosen] = 1
                units = units.reshape(len(chosen), *value.shape)
                bundle = Bundle(units, next_level())
                tangent = self.tangent(leaf, bundle)
                rows.append(np.asarray(bundle.members_of(tangent)))
            return np.concatenate(rows), True
        except NOT_NUMPY:
            return np.stack([self.difference(leaf, entry) for entry in entries]), False

    def tangent(self, leaf: int, direction: Any) -> Any:
        """The derivative of the output along a direction of one leaf, from dual numbers."""
        level, values = next_level(), list(self.values)
        values[leaf] = Dual(values[leaf], direction, level)
        return _tangent(self.run(values).value, level)

    def second_tangent(self, leaf: int, direction: Any, directions: Sequence[Any]) -> Any:
        """The derivative of `tangent` along directions of all leaves: forward over forward."""
        inner, outer = next_level(), next_level()
        at: list[Any] = [Dual(value, v, inner) for value, v in zip(self.values, directions)]
        at[leaf] = Dual(at[leaf], direction, outer)
        return _tangent(_tangent(self.run(at).value, outer), inner)

    def difference(self, leaf: int, entry: int) -> Array:
        """∂output/∂entry by central differences in float64."""
        size = abs(float(self.values[leaf].reshape(-1)[entry]))
        return np.asarray(richardson(self.along(leaf, entry), size))

    def along(self, leaf: int, entry: int) -> Callable[[float], Any]:
        """The output as a function of how far one entry is moved, in float64."""

        def output(step: float) -> Any:
            values = [value.astype(np.float64) for value in self.values]
            shifted = values[leaf].reshape(-1).copy()
            shifted[entry] += step
            values[leaf] = shifted.reshape(values[leaf].shape)
            return self.run(values).value

        return output


def richardson(along: Callable[[float], Any], size: float) -> Any:
    """The derivative at 0 by central differences, extrapolated (Richardson 1911).

    Steps h, h/2, h/4 cancel the error terms h² and h⁴; what remains is h⁶ ≈ 1e-17 for
    h = size/512, and rounding, about 1e-12 relative.
    """
    steps = [max(size, 0.125) * 2.0**-k for k in (9, 10, 11)]
    row = [(along(h) - along(-h)) / (2 * h) for h in steps]
    for order in (1, 2):
        row = [(4**order * b - a) / (4**order - 1) for a, b in pairwise(row)]
    return row[0]


def one_sided(along: Callable[[float], Any], size: float) -> tuple[Any, Any]:
    """The derivatives at 0 from the left and from the right, of second order in the step."""
    h = max(size, 0.125) * 2.0**-17
    y = along(0.0)
    left, right = ((4 * (along(s * h) - y) - (along(2 * s * h) - y)) / (2 * s * h) for s in (-1, 1))
    return left, right


def _tangent(output: Any, level: int) -> Any:
    is_dual = isinstance(output, Dual) and output.level == level
    return output.tangent if is_dual else np.zeros_like(output)


def _input_name(module: Module, position: int) -> str:
    function = module.function if isinstance(module, FunctionModule) else module.forward
    if isinstance(function, Graph):
        return f"input {function.inputs[position].name}"
    try:
        argument = [*inspect.signature(function).parameters.values()][position]
    except (TypeError, ValueError, IndexError):
        return f"input {position}"
    is_named = argument.kind is not inspect.Parameter.VAR_POSITIONAL
    return f"input {argument.name if is_named else position}"
