"""The vertices of a computational graph, their order, and back propagation over them.

A node is one application of a module; the module itself is only parameters and rules. The same
module may stand at many nodes, so whatever belongs to one application (its value, its gradient,
what ``forward`` saved) is kept here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from nnlite.core.guard import Kept, guarded_backward, own
from nnlite.core.value import Value


class Node(Value):
    """One application of a module to other vertices.

    Nodes are made by calling modules, operators and NumPy functions on nodes.

    Attributes
    ----------
    module : Module or None
        The operation; None at a leaf (`Input`, `Parameter`, `Constant`).
    parents : tuple of Node
        The vertices whose values the operation takes, in the order of ``forward``.
    value : ndarray, scalar or None
        The result of the last forward pass, u.
    grad : ndarray, scalar or None
        The gradient of the graph's output with respect to `value`, ū, of the same shape and
        dtype; from the last backward pass.
    name : str or None
        What errors, tables and pictures call the vertex; a graph names the nameless.
    requires_grad : bool
        Whether the gradient of anything upstream is wanted, so that ū has to be computed.
    """

    __slots__ = (
        "module",
        "parents",
        "value",
        "grad",
        "name",
        "requires_grad",
        "needs_input_grad",
        "saved",
        "fingerprint",
        "fixed_shape",
        "named_by_graph",
        "level",
        "recording",
        "__weakref__",
    )

    def __init__(
        self,
        module: Any,
        parents: tuple[Node, ...],
        *,
        name: str | None = None,
        recording: Any = None,
    ) -> None:
        self.module = module
        self.parents = parents
        self.value: Any = None
        self.grad: Any = None
        self.name = name
        self.saved: Any = None
        self.fingerprint: Kept | None = None
        self.fixed_shape: tuple[int, ...] | None = None
        self.named_by_graph = False
        self.recording = recording
        self.level = 0 if recording is None else recording.level
        self.needs_input_grad = tuple([parent.requires_grad for parent in parents])
        self.requires_grad: bool = (
            module is not None
            and module.is_differentiable
            and (True in self.needs_input_grad or bool(module.parameters()))
        )

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters that the vertex's module owns: vertices that feed it, too."""
        return () if self.module is None else tuple(self.module.parameters())

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        return np.shape(self._known_value("shape"))

    @property
    def dtype(self) -> np.dtype[Any]:  # type: ignore[override]
        value = self._known_value("dtype")
        return value.dtype if hasattr(value, "dtype") else np.result_type(value)

    def _known_value(self, wanted: str) -> Any:
        if self.value is None:
            raise ValueError(
                f"{self!r} has no {wanted} before a forward pass has given it a value. A formula "
                f"that depends on it belongs into a Module's forward, which runs on values."
            )
        return self.value

    def apply(self, module: Any, inputs: tuple[Any, ...]) -> Node:
        recording = self.recording
        if self.level and (recording is None or recording.closed):
            raise RuntimeError(
                f"{self!r} was kept from a function that has returned, and is used outside of it; "
                "return what is needed later as a result of the function"
            )
        parents = tuple([self._as_parent(item) for item in inputs])
        node = Node(module, parents, recording=recording)
        if recording is not None:
            recording.evaluate(node)
        return node

    def _as_parent(self, item: Any) -> Node:
        if not isinstance(item, Node) or 0 < item.level < self.level:
            return Constant(item)
        if item.level == self.level or isinstance(item, Parameter):
            return item
        raise declared_vertex(item)

    def accumulate_grad(self, grad: Any) -> None:
        """Add `grad`, an array of this vertex's shape, to its gradient.

        The first gradient is kept as it is, the second makes a new array: nothing is written
        into an array that was handed in. (Back propagation hands a leaf a copy where it must, so
        that no two share memory.) A gradient of another dtype is converted, so that a
        float32 vertex has a float32 gradient.

        Raises
        ------
        ValueError
            If `grad` has another shape than the vertex's value.
        """
        value = self.value
        try:
            fits = grad.dtype == value.dtype and grad.shape == value.shape
        except AttributeError:
            fits = False
        if not fits:
            grad = self._fitted(grad)
        self.grad = grad if self.grad is None else self.grad + grad

    def _fitted(self, grad: Any) -> Any:
        if not isinstance(grad, Value):
            grad = np.asarray(grad)
        if grad.shape != np.shape(self.value):
            raise ValueError(
                f"a gradient of shape {grad.shape} reached {self!r}, whose value has shape "
                f"{np.shape(self.value)}. A gradient has the shape of what it is the gradient of: "
                "is a sum over the batch, the undoing of a broadcast or a transposition missing?"
            )
        if grad.dtype.kind != "f" or (self.dtype.kind == "f" and grad.dtype != self.dtype):
            return grad.astype(self.dtype)
        return grad

    def __bool__(self) -> bool:
        if self.recording is None or self.recording.reusable:
            raise TypeError(
                f"{self!r} belongs to a graph that will run at other points, so its truth value "
                "cannot choose a branch for all of them; use np.where"
            )
        return bool(self.value)

    def __repr__(self) -> str:
        kind = type(self).__name__ if self.module is None else type(self.module).__name__
        return f"<{kind} {self.name!r}>" if self.name else f"<{kind}>"


def declared_vertex(node: Node) -> ValueError:
    """The error where a vertex of a declared graph stands among values."""
    return ValueError(
        f"{node!r} stands in a declared graph and has no value here, where values are computed. "
        "Apply the module to values: for a parameter, to its .value."
    )


class Input(Node):
    """A vertex whose value is given when the graph is run.

    Parameters
    ----------
    name : str
        What errors and pictures call it.
    requires_grad : bool
        Whether the gradient of the graph's output with respect to it is wanted.
    """

    __slots__ = ()

    def __init__(
        self,
        name: str | None = None,
        requires_grad: bool = False,
        *,
        value: Any = None,
        recording: Any = None,
    ) -> None:
        super().__init__(None, (), name=name, recording=recording)
        self.value = value
        self.requires_grad = requires_grad


class Constant(Node):
    """A vertex for a number or an array that stands in a formula, such as λ."""

    __slots__ = ()

    def __init__(self, value: Any) -> None:
        super().__init__(None, ())
        self.value = value


class Parameter(Node):
    """A vertex that training changes: it keeps its value between passes.

    Parameters
    ----------
    value : array_like of floats
        The initial value; copied.
    name : str, optional
        What errors and pictures call it where no module owns it.

    Attributes
    ----------
    value, grad : ndarray
        ω and ω̄. Gradients add up over backward passes until they are set to None
        (``zero_grad()``).
    flat : Flat or None
        The vector that `value` is a part of, once a graph with this parameter has been compiled.
    """

    __slots__ = ("flat",)

    def __init__(self, value: Any, name: str | None = None) -> None:
        super().__init__(None, (), name=name)
        self.flat: Any = None
        self.value = np.array(value)
        if self.value.dtype.kind != "f":
            raise TypeError(
                f"a Parameter is an array of floats, got dtype {self.value.dtype}; "
                "give the dtype: Parameter(np.zeros(3, dtype=np.float32))"
            )
        self.requires_grad = True

    def current(self) -> Value:
        return self.value if isinstance(self.value, Value) else self

    def __repr__(self) -> str:
        named = f"{self.name!r}, " if self.name else ""
        return f"<Parameter {named}{self.dtype}{list(self.shape)}>"


def toposort(*outputs: Node) -> list[Node]:
    """Every vertex that feeds `outputs`, parents before children, each once.

    Iterative, so that depth is limited by memory alone; vertices of equal rank come in the order
    in which the formulas name them.

    Raises
    ------
    ValueError
        If there is a cycle; the message names its vertices.
    """
    order: list[Node] = []
    done: set[Node] = set()
    path: dict[Node, Iterator[Node]] = {}
    for output in outputs:
        if output in done:
            continue
        path[output] = _feeding(output)
        while path:
            node, parents = next(reversed(path.items()))
            for parent in parents:
                if parent in path:
                    raise _cycle(list(path), parent)
                if parent not in done:
                    path[parent] = _feeding(parent)
                    break
            else:
                path.popitem()
                done.add(node)
                order.append(node)
    return order


def _cycle(path: list[Node], start: Node) -> ValueError:
    """The error for a path from children to parents that came back to `start`."""
    while path[0] is not start:
        del path[0]
    names = " -> ".join(repr(vertex) for vertex in [start, *reversed(path)])
    return ValueError(f"the graph has a cycle: {names}")


def _feeding(node: Node) -> Iterator[Node]:
    return iter((*node.parameters, *node.parents))


def backpropagate(order: Sequence[Node]) -> None:
    """Back propagation: give every vertex in `order` its gradient ū.

    For each vertex, from the last to the first, ū_i = Σ ū_j ∂u_j/∂u_i over its children j
    (seminar 3, *Back Propagation*). The ū of the output is in place already; the modules'
    ``backward`` multiply a row by the Jacobian, and none is ever built.

    Parameters
    ----------
    order : sequence of Node
        Operations only, parents before children, after a forward pass.
    """
    node = None
    try:
        for node in reversed(order):
            grad = node.grad
            if grad is None:
                continue
            module = node.module
            outer, module._vertex = module._vertex, node
            try:
                grads = (
                    guarded_backward(node, module) if module.is_guarded else module.backward(grad)
                )
            finally:
                module._vertex = outer
            parents = node.parents
            if type(grads) is not tuple:
                grads = (grads,)
            if len(grads) != len(parents):
                raise TypeError(
                    f"backward returned {len(grads)} gradients for {len(parents)} inputs; "
                    "return one for each input of forward, in the same order"
                )
            for parent, contribution in zip(parents, grads):
                if parent.requires_grad:
                    if contribution is None:
                        raise TypeError(
                            f"backward returned None for the gradient with respect to {parent!r}, "
                            "which is needed; has it no derivative, or was `return` forgotten?"
                        )
                    if parent.module is None and _is_shared(contribution, grad, grads):
                        contribution = own(contribution)  # a leaf's gradient is its own array
                    parent.accumulate_grad(contribution)
    except Exception as error:
        if node is not None:
            add_vertex_note(error, node, "backward")
        raise


def _is_shared(contribution: Any, grad: Any, contributions: tuple[Any, ...]) -> bool:
    """Whether somebody else holds this array, or the one that it is a view of."""
    return (
        contribution is grad
        or getattr(contribution, "base", None) is not None
        or sum([other is contribution for other in contributions]) > 1
    )


def add_vertex_note(error: Exception, node: Node, where: str) -> None:
    """Tell whoever reads `error` at which vertex it happened, and what came in."""
    inputs = ", ".join(
        f"{parent.name or type(parent).__name__} {shape_and_dtype(parent.value)}"
        for parent in node.parents
    )
    error.add_note(f"in {where} of vertex {node.name or '(unnamed)'}: {node.module!r}({inputs})")


def shape_and_dtype(value: Any) -> str:
    """Such as ``float64[32, 1]``."""
    if value is None:
        return "(no value)"
    return f"{getattr(value, 'dtype', type(value).__name__)}{list(np.shape(value))}"
