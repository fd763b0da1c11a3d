"""Graph: a function as a graph of modules, with a forward and a backward pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite.core import memory
from nnlite.core.generators import generators_of
from nnlite.core.module import Module
from nnlite.core.names import names_of
from nnlite.core.node import (
    Constant,
    Input,
    Node,
    Parameter,
    add_vertex_note,
    backpropagate,
    toposort,
)
from nnlite.core.summary import Summary, summarise
from nnlite.core.unchanged import check_unchanged, gradients_restored, marked, seed
from nnlite.core.value import highest
from nnlite.graph.declaration import as_input, check_shape, checked_order, last_uses
from nnlite.graph.derivative import recorded_derivative

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nnlite.compiler.step import Step
    from nnlite.graph.explain import Explanation

MOST_SHOWN = 150  # vertices in a picture that a notebook shows unasked


class Graph(Module, of="nnlite"):
    """A graph of modules that computes an output from inputs; itself a module.

    Parameters
    ----------
    inputs : sequence of Input
        In the order in which their values will be passed.
    output : Node or sequence of Node
        The vertex whose value the graph computes; for several, their values are a tuple.

    Attributes
    ----------
    nodes : list of Node
        Every vertex, parents before children: inputs, parameters, constants and operations.
    names : dict of Node to str
        What this graph calls each vertex, no two the same.
    outputs : tuple of Node
        The output, or all of them.
    is_derivative : bool
        Whether `gradient` made it, so that the outputs are a value and its gradients.

    Raises
    ------
    ValueError
        If there is a cycle, if an input does not feed the output, or if the output depends on an
        input that is not listed.

    Examples
    --------
    >>> x = Input("x", requires_grad=True)
    >>> graph = Graph(inputs=[x], output=(x * x).sum())
    >>> float(graph(np.array([1.0, 2.0, 3.0])))
    14.0
    >>> graph.backward()
    array([2., 4., 6.])
    """

    def __init__(self, inputs: Sequence[Input], output: Node | Sequence[Node]) -> None:
        if isinstance(inputs, Node):
            raise TypeError(f"Graph: inputs is a list, [{inputs.name}], got {inputs!r} by itself")
        self.inputs = list(inputs)
        self.output = output
        self.outputs: tuple[Any, ...] = (
            tuple(output) if isinstance(output, list | tuple) else (output,)
        )
        self.nodes = checked_order(self.inputs, self.outputs)
        self.names = names_of(self.nodes)
        self._operations = [node for node in self.nodes if node.module is not None]
        self._differentiated = [node for node in self._operations if node.requires_grad]
        self._parameters = [node for node in self.nodes if isinstance(node, Parameter)]
        self._constants = [
            node
            for node in self.nodes
            if isinstance(node, Constant) and isinstance(node.value, np.ndarray)
        ]
        self._passing = [*self.inputs, *self._operations]
        self._last_uses = last_uses(self._operations, self.outputs)
        self._ran_with: list[Any] | None = None
        self._went_back_with: list[Any] | None = None
        self.is_derivative = False

    def __call__(self, *inputs: Any, keep: bool = True) -> Any:
        top, inputs = highest(inputs)
        if top is None:
            self._calls += 1
            return self.forward(*inputs, keep=keep)
        subgraph = _Subgraph(self)
        return top.apply(subgraph, inputs) if self._has_one_output else subgraph.forward(*inputs)

    def forward(self, *inputs: Any, keep: bool = True) -> Any:
        """The forward pass: every vertex then holds its value.

        Parameters
        ----------
        *inputs : array_like of floats, integers or booleans
            One for each of the graph's inputs.
        keep : bool
            False drops each value after its last use; only the output's remains, and there is no
            backward pass.

        Returns
        -------
        ndarray or scalar
            The output's value; a tuple of them if there are several outputs.
        """
        self._ran_with = None
        for node, value in zip(self.inputs, self.checked(inputs)):
            node.value, node.saved = value, None
        vertex: Any = None
        try:
            for vertex, unused in zip(self._operations, self._last_uses):
                vertex.value = vertex.module.run(vertex, [p.value for p in vertex.parents])
                if vertex.fixed_shape is not None:
                    check_shape(vertex, vertex.value)
                if not keep:
                    vertex.saved = vertex.fingerprint = None
                    for parent in unused:
                        parent.value = None
        except Exception as error:
            add_vertex_note(error, vertex, "forward")
            raise
        if keep:
            leaves = (*self.inputs, *self._parameters, *self._constants)
            self._ran_with = [marked(leaf, leaf.value) for leaf in leaves]
            for node in self.inputs:
                node.saved = self._ran_with  # which marks this run
        return self._packed([output.value for output in self.outputs])

    def backward(self, grad: Any = None) -> Any:
        """Back propagation: every vertex then holds its gradient ū; parameters accumulate theirs.

        Parameters
        ----------
        grad : array_like, optional
            The gradient of the output itself, of its shape; 1 if left out, where the output has
            one element. A tuple of them if there are several outputs.

        Returns
        -------
        array, None, or a tuple of them
            For each input its gradient, None where `requires_grad` is false.

        Raises
        ------
        RuntimeError
            Before a forward pass, after ``keep=False``, if a parameter has been given another
            value since, or if nothing in the graph requires a gradient.
        ValueError
            If `grad` is missing for an output of several elements, or has another shape.
        """
        if self._ran_with is None:
            raise RuntimeError(
                "backward needs the values of a forward pass: call graph(...) first, without "
                "keep=False"
            )
        if not any(output.requires_grad for output in self.outputs):
            raise RuntimeError(
                "nothing in this graph requires a gradient: it has no parameters, and no input "
                "was made with nn.Input(name, requires_grad=True)"
            )
        self._check_values()
        starts = self._starts(grad)
        for node in self._passing:
            node.grad = None
        with gradients_restored(self._parameters):
            for output, start in zip(self.outputs, starts):
                if output.requires_grad:
                    output.accumulate_grad(start)
            backpropagate(self._differentiated)
        self._went_back_with = self._ran_with
        grads = tuple([node.grad for node in self.inputs])
        return grads[0] if len(grads) == 1 else grads

    def gradient(self, *inputs: Any) -> Graph:
        """The computation of the derivative, as a graph.

        Forward and backward pass run once on nodes, and what they call is recorded.

        Parameters
        ----------
        *inputs : array_like
            As for a forward pass; the graph is specialised to their shapes and dtypes.

        Returns
        -------
        Graph
            Of the same inputs, with several outputs: this graph's output, its gradient with
            respect to each parameter in the order of `parameters`, and to each input with
            `requires_grad`. Where a vertex of it holds u or ∂f/∂u of a vertex of this graph, its
            name says so. It reads the same parameters as this graph, at whatever values they
            have when it runs, and can be differentiated again.

        Raises
        ------
        TypeError
            If a module's ``forward`` or ``backward`` takes a branch that depends on values, or
            draws random numbers of its own.
        """
        graph = Graph(*recorded_derivative(self, self.checked(inputs)))
        for node in graph.nodes:
            if not isinstance(node, Parameter):
                node.fixed_shape = np.shape(node.value)
        graph.is_derivative = True
        return graph

    def compile(self) -> Step:
        """This graph's forward and backward pass as one straight-line program.

        Returns
        -------
        Step
            ``loss = step(*inputs)`` gives what ``graph(*inputs)`` gives, and each parameter its
            gradient of this call, which adds up to no other; ``step.source`` is the program.

        Raises
        ------
        TypeError
            If there are several outputs, or parameters of several dtypes.
        """
        from nnlite.compiler.step import Step

        return Step(self)

    def forget(self) -> None:
        """Drop the values and gradients that a pass left; parameters keep theirs."""
        self._ran_with = None
        for node in self._passing:
            node.value = node.grad = node.saved = None

    @contextmanager
    def set_aside(self) -> Iterator[None]:
        """Put values, gradients and what else a pass may change back as it was.

        That is buffers, random generators, and the attributes of modules that are not nnlite's.
        ``backward`` then needs a new ``forward``.
        """
        before = [(node, node.value, node.grad, node.saved) for node in self.nodes]
        modules = self.modules()
        buffers = [(m, name, getattr(m, name)) for m in modules for name in m.buffers]
        generators = [(g, g.bit_generator.state) for g in generators_of(modules)]
        attributes = [(m, dict(vars(m))) for m in modules if not m.is_ours]
        try:
            yield
        finally:
            self._ran_with = None
            for module, items in attributes:
                vars(module).clear()
                vars(module).update(items)
            for module, name, array in buffers:
                setattr(module, name, array)
            for generator, state in generators:
                generator.bit_generator.state = state
            for node, value, grad, saved in before:
                node.value, node.grad, node.saved = value, grad, saved

    def __getitem__(self, name: str) -> Node:
        """The vertex of that name."""
        for node, its_name in self.names.items():
            if its_name == name:
                return node
        raise KeyError(f"the graph has no vertex {name!r}; it has {', '.join(self.names.values())}")

    def memory(self) -> memory.MemoryReport:
        """Bytes stored now, vertex by vertex: values, saved arrays and gradients."""
        return memory.report(self.names)

    def summary(self, *inputs: Any) -> Summary:
        """A table of the vertices: name, module, output shape, parameters, stored bytes.

        Shapes and bytes are those of the last forward pass, or of one on `inputs` if given.
        """
        if inputs:
            self(*inputs)
        return summarise(self.names)

    def plot(self, ax: Axes | None = None, values: bool = False, gradients: bool = False) -> Axes:
        """Draw the graph, from the inputs on the left to the output on the right.

        Of a derivative graph the backward part is shaded, and its arrows are dashed.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure of a fitting size if left out.
        values, gradients : bool
            Whether each vertex shows its value u and its gradient ū.
        """
        from nnlite import plot

        return plot.graph(self.nodes, ax, values, gradients, **self._looks())

    def to_dot(self, values: bool = False, gradients: bool = False) -> str:
        """The graph as text for Graphviz; the arguments are those of `plot`."""
        from nnlite.plot.vertices.dot import dot

        return dot(self.nodes, values, gradients, **self._looks())

    def explain(self) -> Explanation:
        """The chain rule at every vertex, from the output to the inputs, in formula and in number.

        Returns
        -------
        Explanation
            ū as the sum over the children, of the last backward pass: a table for ``print``, or
            for a notebook.

        Raises
        ------
        RuntimeError
            Unless ``graph(...)`` and ``graph.backward()`` ran just before.
        """
        from nnlite.graph.explain import explanation

        if self._ran_with is None or self._went_back_with is not self._ran_with:
            raise RuntimeError(
                "explain needs the values and gradients of the same pass: call graph(...) and "
                "then graph.backward() first"
            )
        self._check_values()
        return explanation(self.names, self.outputs)

    def _repr_svg_(self) -> str | None:
        """What a notebook shows; for a graph too large to be read, None, and so its repr."""
        from nnlite.plot.vertices.svg import svg

        return svg(self.nodes, **self._looks()) if len(self.nodes) <= MOST_SHOWN else None

    def _looks(self) -> dict[str, Any]:
        """What pictures need to know besides the vertices."""
        forward = set(toposort(self.outputs[0]) if self.is_derivative else self.nodes)
        backward = [node for node in self.nodes if node not in forward]
        return {"names": self.names, "backward": backward}

    def named_parameters(self) -> list[tuple[str, Parameter]]:
        return [(self.names[node], node) for node in self._parameters]

    def parameters(self) -> list[Parameter]:
        return list(self._parameters)

    def children(self) -> Iterator[tuple[str, Any]]:
        return (
            (self.names[node], node if node.module is None else node.module)
            for node in self.nodes
            if node.module is not None or isinstance(node, Parameter)
        )

    def __repr__(self) -> str:
        inputs = ", ".join(str(node.name) for node in self.inputs)
        outputs = ", ".join(str(node.name) for node in self.outputs)
        return f"Graph({inputs} -> {outputs}, {len(self.nodes)} vertices)"

    @property
    def _has_one_output(self) -> bool:
        return not isinstance(self.output, list | tuple)

    def _packed(self, items: Sequence[Any]) -> Any:
        return items[0] if self._has_one_output else tuple(items)

    def _check_values(self) -> None:
        """Refuse to go on from values that are not those of this graph's last forward pass."""
        assert self._ran_with is not None
        if any(node.saved is not self._ran_with for node in self.inputs):
            raise RuntimeError(
                "another graph with vertices of this one ran since its forward pass, so their "
                "values are not this graph's any more; run forward again"
            )
        check_unchanged(self._ran_with)

    def _starts(self, grad: Any) -> list[Any]:
        """ū of each output."""
        grads = (grad,) if self._has_one_output else grad
        if not isinstance(grads, tuple) or len(grads) != len(self.outputs):
            raise TypeError(
                f"this graph has {len(self.outputs)} outputs: pass backward a tuple of as many "
                "gradients, each of its output's shape"
            )
        return [seed(*pair) for pair in zip(self.outputs, grads)]

    def checked(self, values: tuple[Any, ...]) -> list[Any]:
        """The values for the inputs, as arrays or numbers; anything else is refused."""
        if len(values) != len(self.inputs):
            names = ", ".join(str(node.name) for node in self.inputs)
            raise TypeError(
                f"the graph takes {len(self.inputs)} inputs ({names}), got {len(values)}"
            )
        arrays = [as_input(*pair) for pair in zip(self.inputs, values)]
        for node, array in zip(self.inputs, arrays):
            if node.fixed_shape is not None:
                check_shape(node, array)
        return arrays


class _Subgraph(Module, of=__name__):
    """A graph as one vertex of another: each application records its own vertices."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def forward(self, *inputs: Any) -> Any:
        if len(inputs) != len(self.graph.inputs):
            raise TypeError(f"{self.graph} takes {len(self.graph.inputs)} inputs")
        results: dict[Node, Any] = dict(zip(self.graph.inputs, inputs))
        declared = any(isinstance(item, Node) and item.level == 0 for item in inputs)
        for node in self.graph.nodes:
            if node.module is not None:
                results[node] = node.module(*[results[parent] for parent in node.parents])
                if node.fixed_shape is not None:
                    check_shape(node, results[node])
            elif node not in results:
                results[node] = node.value if isinstance(node, Constant) or not declared else node
        return self.graph._packed([results[output] for output in self.graph.outputs])

    def children(self) -> Iterator[tuple[str, Any]]:
        return self.graph.children()

    def named_parameters(self) -> list[tuple[str, Parameter]]:
        return self.graph.named_parameters()

    def __repr__(self) -> str:
        return repr(self.graph)
