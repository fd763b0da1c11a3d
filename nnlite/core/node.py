"""The vertices of a computational graph.

A node is one application of a module; the module itself is only parameters and rules. The same
module may stand at many nodes, so whatever belongs to one application (its value, its gradient,
what ``forward`` saved) is kept here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.core.text import shape_and_dtype
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
        "level",
        "_needs_input_grad",
        "_saved",
        "_fingerprint",
        "_fixed_shape",
        "_states",
        "_named_by_graph",
        "_recording",
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
        self._saved: Any = None
        self._fingerprint: Any = None
        self._fixed_shape: tuple[int, ...] | None = None
        self._states: Any = ()
        self._named_by_graph = False
        self._recording = recording
        self.level = 0 if recording is None else recording.level
        self._needs_input_grad = tuple([parent.requires_grad for parent in parents])
        self.requires_grad: bool = (
            module is not None
            and module._is_differentiable
            and (True in self._needs_input_grad or bool(module.parameters()))
        )

    @classmethod
    def _alone(cls, needs_input_grad: tuple[bool, ...] = ()) -> Node:
        """A vertex of no graph, where a module runs on its own."""
        vertex = cls(None, ())
        vertex._needs_input_grad = needs_input_grad
        return vertex

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

    def _apply(self, module: Any, inputs: tuple[Any, ...]) -> Node:
        recording = self._recording
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
        if item is None:
            raise TypeError(f"{self!r} meets None in a formula; was a part left out, as a bias is?")
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
        grad = self._fitting(grad)
        self.grad = grad if self.grad is None else self.grad + grad

    def _fitting(self, grad: Any) -> Any:
        """A gradient of this vertex's shape, in its dtype."""
        value = self.value
        try:
            if grad.dtype == value.dtype and grad.shape == value.shape:
                return grad
        except AttributeError:
            pass
        if not isinstance(grad, Value):
            grad = np.asarray(grad)
        if grad.shape != np.shape(value):
            raise ValueError(
                f"a gradient of shape {grad.shape} reached {self!r}, whose value has shape "
                f"{np.shape(value)}. A gradient has the shape of what it is the gradient of: "
                "is a sum over the batch, the undoing of a broadcast or a transposition missing?"
            )
        if grad.dtype.kind != "f" or (self.dtype.kind == "f" and grad.dtype != self.dtype):
            return grad.astype(self.dtype)
        return grad

    @property
    def _runs_again(self) -> bool:
        """Whether the vertex will have other values than the one that it has."""
        return self._recording is None or bool(self._recording.reusable)

    def __bool__(self) -> bool:
        if self._runs_again:
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


class Buffer(Node):
    """A vertex for a module's buffer, such as a running mean: its value is what the module has now.

    Parameters
    ----------
    owner : Module
    attribute : str
        One of ``owner.buffers``.
    """

    __slots__ = ("owner", "attribute")

    def __init__(self, owner: Any, attribute: str) -> None:
        self.owner, self.attribute = owner, attribute
        super().__init__(None, (), name=f"{owner.label}.{attribute}")

    @property
    def value(self) -> Any:
        return getattr(self.owner, self.attribute)

    @value.setter
    def value(self, value: Any) -> None:
        if value is not None:
            setattr(self.owner, self.attribute, value)


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
    """

    __slots__ = ("_vector",)  # that `value` is a part of, once its graph was compiled

    def __init__(self, value: Any, name: str | None = None) -> None:
        super().__init__(None, (), name=name)
        self._vector: Any = None
        self.value = np.array(value)
        if self.value.dtype.kind != "f":
            raise TypeError(
                f"a Parameter is an array of floats, got dtype {self.value.dtype}; "
                "give the dtype: Parameter(np.zeros(3, dtype=np.float32))"
            )
        self.requires_grad = True

    def _current(self) -> Value:
        return self.value if isinstance(self.value, Value) else self

    def __repr__(self) -> str:
        named = f"{self.name!r}, " if self.name else ""
        return f"<Parameter {named}{self.dtype}{list(self.shape)}>"


def add_vertex_note(error: Exception, node: Node, where: str) -> None:
    """Tell whoever reads `error` at which vertex it happened, and what came in."""
    inputs = ", ".join(
        f"{parent.name or type(parent).__name__} {shape_and_dtype(parent.value)}"
        for parent in node.parents
    )
    error.add_note(f"in {where} of vertex {node.name or '(unnamed)'}: {node.module!r}({inputs})")
