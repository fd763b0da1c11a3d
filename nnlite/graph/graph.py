"""Graph: a function as a graph of modules, with a forward and a backward pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite.core.backpropagation import pull_back, seeds
from nnlite.core.generators import generators_of
from nnlite.core.module import Module
from nnlite.core.names import names_of
from nnlite.core.node import Buffer, Constant, Input, Node, Parameter, add_vertex_note
from nnlite.core.passes import Passes
from nnlite.core.restoring import Place, each, put_back, restoring
from nnlite.core.unchanged import State, check_unchanged, marked
from nnlite.core.value import highest
from nnlite.graph.declaration import as_input, check_shape, checked_order, last_uses
from nnlite.graph.derivative import as_graph, recorded
from nnlite.graph.shown import Shown
from nnlite.graph.subgraph import Subgraph

if TYPE_CHECKING:
    from nnlite.compiler.step import Step


class Graph(Shown, Module, of="nnlite"):
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

    _is_watched = False  # its constants are, and the modules in it

    def __init__(self, inputs: Sequence[Input], output: Node | Sequence[Node] | Any) -> None:
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
        self._arrays = [
            node
            for node in self.nodes
            if isinstance(node, Constant | Buffer) and isinstance(node.value, np.ndarray)
        ]
        self._records = list({id(s): s for node in self.nodes for s in node._states}.values())
        self._passing = [*self.inputs, *self._operations]
        self._last_uses = last_uses(self._operations, self.outputs)
        self._ran_with: list[Any] | None = None
        self._went_back_with: list[Any] | None = None
        self._is_derivative = False

    def __call__(self, *inputs: Any, keep: bool = True) -> Any:
        top, inputs = highest(inputs)
        if top is None:
            self._calls += 1
            return self.forward(*inputs, keep=keep)
        subgraph = Subgraph(self)
        return top._apply(subgraph, inputs) if self._has_one_output else subgraph.forward(*inputs)

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
        for state in self._records:
            state.check()
        for node, value in zip(self.inputs, self._checked(inputs)):
            node.value, node._saved = value, None
        vertex: Any = None
        try:
            for vertex, unused in zip(self._operations, self._last_uses):
                vertex.value = vertex.module._recorded_at(vertex, [p.value for p in vertex.parents])
                if vertex._fixed_shape is not None:
                    check_shape(vertex, vertex.value)
                if not keep:
                    vertex._saved = vertex._fingerprint = None
                    for parent in unused:
                        parent.value = None
        except Exception as error:
            add_vertex_note(error, vertex, "forward")
            raise
        if keep:
            leaves = (*self.inputs, *self._parameters, *self._arrays)
            self._ran_with = [marked(leaf, leaf.value) for leaf in leaves]
            for node in self.inputs:
                node._saved = self._ran_with  # which marks this run
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
        self._check_differentiable()
        self._check_values()
        starts = seeds(self.outputs, grad, not self._has_one_output)
        with restoring(each(self._parameters, "grad"), only_if_it_fails=True):
            pull_back(self.outputs, starts, self._differentiated, self._passing)
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
            name says so. It reads the same parameters and buffers as this graph, at whatever
            values they have when it runs, and can be differentiated again.

        Raises
        ------
        TypeError
            If a module's ``forward`` or ``backward`` takes a branch that depends on values, or
            draws random numbers of its own.
        ValueError
            From the derivative graph, where an input has another shape, an attribute of a module
            is not what it was, or a module that minds it is not in the mode that it was in.
        """
        self._check_one_output()
        self._check_differentiable()
        graph = Graph(*as_graph(self, self._recorded(self._checked(inputs))))
        graph._is_derivative = True
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

        self._check_one_output()
        return Step(self)

    def _recorded(self, values: Sequence[Any]) -> Passes:
        return recorded(self, values)

    def _forget(self) -> None:
        """Drop the values and gradients that a pass left; parameters keep theirs."""
        self._ran_with = None
        for node in self._passing:
            node.value = node.grad = node._saved = None

    @contextmanager
    def _set_aside(self) -> Iterator[None]:
        """Put values, gradients and what else a pass may change back as it was.

        That is buffers, random generators, and the attributes of modules that are not nnlite's.
        ``backward`` then needs a new ``forward``.
        """
        modules = self.modules()
        generators = [generator.bit_generator for generator in generators_of(modules)]
        places = [*each(self.nodes, "value", "grad", "_saved"), *each(generators, "state")]
        attributes = [(m, "__dict__", dict(vars(m))) for m in modules if not m._is_ours]
        try:
            with restoring([*places, *self._buffers()]):
                yield
        finally:
            self._ran_with = None
            put_back(attributes)

    def _within(self) -> list[Graph]:
        """This graph, and the graphs that stand in it."""
        return [self, *[m.graph for m in self.modules() if isinstance(m, Subgraph)]]

    def _buffers(self) -> list[Place]:
        """Where the modules have arrays that are not trained."""
        places = [(module, name) for module in self.modules() for name in module.buffers]
        leaves = [n for graph in self._within() for n in graph.nodes if isinstance(n, Buffer)]
        places += [(leaf.owner, leaf.attribute) for leaf in leaves]
        return [place for place in dict.fromkeys(places) if isinstance(getattr(*place), np.ndarray)]

    def _states(self) -> list[State]:
        """What the passes depend on besides inputs, parameters and buffers, as it is now."""
        graphs = self._within()
        constants = [n for graph in graphs for n in graph.nodes if isinstance(n, Constant)]
        records = [record for graph in graphs for record in graph._records]
        for record in records:
            record.check()
        return [State(self.modules(), dict.fromkeys(constants)), *dict.fromkeys(records)]

    def __getitem__(self, name: str) -> Node:
        """The vertex of that name."""
        for node, its_name in self.names.items():
            if its_name == name:
                return node
        raise KeyError(f"the graph has no vertex {name!r}; it has {', '.join(self.names.values())}")

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
        if any(node._saved is not self._ran_with for node in self.inputs):
            raise RuntimeError(
                "another graph with vertices of this one ran since its forward pass, so their "
                "values are not this graph's any more; run forward again"
            )
        check_unchanged(self._ran_with)

    def _check_explained(self) -> None:
        if self._ran_with is None or self._went_back_with is not self._ran_with:
            raise RuntimeError(
                "explain needs the values and gradients of the same pass: call graph(...) and "
                "then graph.backward() first"
            )
        self._check_values()

    def _check_one_output(self) -> None:
        if not self._has_one_output:
            raise TypeError(f"{self!r} has {len(self.outputs)} outputs; a loss is one")

    def _check_differentiable(self) -> None:
        if not any(output.requires_grad for output in self.outputs):
            raise RuntimeError(
                "nothing in this graph requires a gradient: it has no parameters, and no input "
                "was made with nn.Input(name, requires_grad=True)"
            )

    def _checked(self, values: tuple[Any, ...]) -> list[Any]:
        """The values for the inputs, as arrays or numbers; anything else is refused."""
        if len(values) != len(self.inputs):
            names = ", ".join(str(node.name) for node in self.inputs)
            raise TypeError(
                f"the graph takes {len(self.inputs)} inputs ({names}), got {len(values)}"
            )
        arrays = [as_input(*pair) for pair in zip(self.inputs, values)]
        for node, array in zip(self.inputs, arrays):
            if node._fixed_shape is not None:
                check_shape(node, array)
        return arrays
