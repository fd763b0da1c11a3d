"""Back propagation: the order of the vertices, the seed ū = 1, and ū_i = Σ_j ū_j ∂u_j/∂u_i."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from nnlite.core.guard import own
from nnlite.core.node import Node, add_vertex_note
from nnlite.core.slips import with_slip
from nnlite.core.value import Value

V = TypeVar("V")


def feeding(node: Any) -> tuple[Any, ...]:
    """The vertices that a vertex's value is computed from."""
    return (*node.parameters, *node.parents)


def toposort(*outputs: V, parents: Callable[[Any], Iterable[Any]] = feeding) -> list[V]:
    """Every vertex that feeds `outputs`, parents before children, each once.

    Iterative, so that depth is limited by memory alone; vertices of equal rank come in the order
    in which the formulas name them.

    Parameters
    ----------
    *outputs : Node
        Or vertices of any kind, with `parents`.
    parents : callable
        From a vertex to those that feed it.

    Raises
    ------
    ValueError
        If there is a cycle; the message names its vertices.
    """
    order: list[V] = []
    done: set[V] = set()
    path: dict[V, Iterator[V]] = {}
    for output in outputs:
        if output in done:
            continue
        path[output] = iter(parents(output))
        while path:
            vertex, above = next(reversed(path.items()))
            for parent in above:
                if parent in path:
                    raise _cycle(list(path), parent)
                if parent not in done:
                    path[parent] = iter(parents(parent))
                    break
            else:
                path.popitem()
                done.add(vertex)
                order.append(vertex)
    return order


def _cycle(path: list[V], start: V) -> ValueError:
    """The error for a path from children to parents that came back to `start`."""
    while path[0] is not start:
        del path[0]
    names = " -> ".join(repr(vertex) for vertex in [start, *reversed(path)])
    return ValueError(f"the graph has a cycle: {names}")


def seed(output: Node, grad: Any = None) -> Any:
    """ū of the output itself: `grad`, or 1 where the output has a single element.

    Raises
    ------
    ValueError
        If `grad` is missing for an output of several elements, or has another shape.
    """
    value = output.value
    shape = np.shape(value)
    if grad is None:
        if shape and output.size != 1:
            raise ValueError(
                f"{output!r} has shape {shape}, not one element: pass the gradient to start from, "
                f"an array of shape {shape}, as in backward(np.ones({shape}))"
            )
        dtype = output.dtype if output.dtype.kind == "f" else np.dtype(np.float64)
        return np.ones(shape, dtype) if shape else dtype.type(1)
    if np.shape(grad) != shape:
        raise ValueError(
            f"the gradient that starts back propagation has shape {np.shape(grad)}; the value of "
            f"{output!r} has shape {shape}, and the two must be the same"
        )
    if isinstance(grad, Value):
        return grad
    array = np.asarray(grad)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"a gradient is made of numbers; the one for {output!r} is {array.dtype}")
    return array.astype(output.dtype) if output.dtype.kind == "f" else array


def seeds(outputs: Sequence[Node], grads: Any, is_tuple: bool) -> list[Any]:
    """ū of each output, from a tuple of gradients, or from one where `is_tuple` is false."""
    grads = grads if is_tuple else (grads,)
    if not isinstance(grads, tuple) or len(grads) != len(outputs):
        raise TypeError(
            f"there are {len(outputs)} outputs: pass a tuple of as many gradients, each of its "
            "output's shape"
        )
    return [seed(*pair) for pair in zip(outputs, grads)]


def pull_back(
    outputs: Sequence[Node], starts: Sequence[Any], order: Sequence[Node], passing: Iterable[Node]
) -> None:
    """Go back from the outputs, whose ū are `starts`, through `order`.

    Parameters
    ----------
    order : sequence of Node
        Operations, parents before children.
    passing : iterable of Node
        Those whose gradients are of this pass alone.
    """
    for vertex in passing:
        vertex.grad = None
    for output, start in zip(outputs, starts):
        if output.requires_grad:
            output.accumulate_grad(start)
    backpropagate(order)


def backpropagate(order: Sequence[Node]) -> None:
    """Back propagation: give every vertex in `order` its gradient ū.

    ū_i = Σ_j ū_j ∂u_j/∂u_i over the children j of i, from the last vertex to the first (seminar 3,
    *Back Propagation*). The ū of the output is in place already.

    Parameters
    ----------
    order : sequence of Node
        Operations only, parents before children, after a forward pass.
    """
    for child in reversed(order):
        if child.grad is not None:
            for parent, contribution in contributions(child):
                parent.grad = contribution if parent.grad is None else parent.grad + contribution


def contributions(
    vertex: Node, backward: Callable[..., Any] | None = None
) -> list[tuple[Node, Any]]:
    """ū_j ∂u_j/∂u_i of a vertex j, for each parent i that wants it; parameters accumulate theirs.

    The module's ``backward`` multiplies a row by the Jacobian, which is never built; what it
    returns is checked. A leaf gets an array of its own.

    Parameters
    ----------
    vertex : Node
    backward : callable, optional
        From the module and the vertex to what its ``backward`` gives there, if it is to run in
        another way than it does in a graph.
    """
    found = []
    try:
        module = vertex.module
        grads = module._backward_at(vertex) if backward is None else backward(module, vertex)
        if type(grads) is not tuple:
            if type(grads) is list:
                raise _not_a_tuple(vertex)
            grads = (grads,)
        if len(grads) != len(vertex.parents):
            raise _wrong_number(grads, vertex)
        for parent, grad in zip(vertex.parents, grads):
            if parent.requires_grad:
                if grad is None:
                    raise _no_gradient(parent)
                if parent.module is None and _is_shared(grad, vertex.grad, grads):
                    grad = own(grad)
                found.append((parent, parent._fitting(grad)))
    except Exception as error:
        add_vertex_note(error, vertex, "backward")
        raise
    return found


def _not_a_tuple(vertex: Node) -> TypeError:
    message = f"{type(vertex.module).__name__}.backward returned a list; return a tuple"
    return with_slip(TypeError(message), "a list is returned; return a tuple")


def _wrong_number(grads: Any, vertex: Node) -> TypeError:
    return with_slip(
        TypeError(
            f"backward returned {len(grads)} gradients for {len(vertex.parents)} inputs; "
            "return one for each input of forward, in the same order"
        ),
        "a gradient is forgotten, or there is one too many",
    )


def _no_gradient(parent: Node) -> TypeError:
    return with_slip(
        TypeError(
            f"backward returned None for the gradient with respect to {parent!r}, which is needed; "
            "has it no derivative, or was `return` forgotten?"
        ),
        "the gradient was forgotten: backward returns None for it",
    )


def _is_shared(contribution: Any, grad: Any, contributions: tuple[Any, ...]) -> bool:
    """Whether somebody else holds this array, or the one that it is a view of."""
    return (
        contribution is grad
        or getattr(contribution, "base", None) is not None
        or sum([other is contribution for other in contributions]) > 1
    )
