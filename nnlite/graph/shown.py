"""What a graph shows of itself: tables, pictures, and the chain rule worked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nnlite.core import memory
from nnlite.core.backpropagation import toposort
from nnlite.core.node import Node
from nnlite.core.summary import Summary, summarise

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nnlite.graph.explain import Explanation
    from nnlite.plot.vertices.labels import Picture

MOST_SHOWN = 150  # vertices in a picture that a notebook shows unasked


class Shown:
    """The part of a `Graph` that people look at."""

    nodes: list[Node]
    names: Mapping[Node, str]
    outputs: Sequence[Any]
    _is_derivative: bool

    def _check_explained(self) -> None:
        raise NotImplementedError

    def memory(self) -> memory.MemoryReport:
        """Bytes stored now, vertex by vertex: values, saved arrays and gradients."""
        return memory.report(self.names)

    def summary(self, *inputs: Any) -> Summary:
        """A table of the vertices: name, module, output shape, parameters, stored bytes.

        Shapes and bytes are those of the last forward pass, or of one on `inputs` if given.
        """
        if inputs:
            self(*inputs)  # type: ignore[operator]
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
        from nnlite.plot.vertices.canvas import draw

        return draw(self._picture(values, gradients), ax)

    def to_dot(self, values: bool = False, gradients: bool = False) -> str:
        """The graph as text for Graphviz; the arguments are those of `plot`."""
        from nnlite.plot.vertices.dot import dot

        return dot(self._picture(values, gradients))

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

        self._check_explained()
        return explanation(self.names, self.outputs)

    def _repr_svg_(self) -> str | None:
        """What a notebook shows; for a graph too large to be read, None, and so its repr."""
        from nnlite.plot.vertices.svg import svg

        return svg(self._picture()) if len(self.nodes) <= MOST_SHOWN else None

    def _picture(self, values: bool = False, gradients: bool = False) -> Picture:
        from nnlite.plot.vertices.labels import Picture

        forward = set(toposort(self.outputs[0]) if self._is_derivative else self.nodes)
        backward = [node for node in self.nodes if node not in forward]
        return Picture(self.nodes, values, gradients, self.names, backward)
