"""What forward and backward passes share: where they start, and on which values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from nnlite.core.guard import sample
from nnlite.core.node import Node, Parameter
from nnlite.core.value import Value


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


Mark = tuple[Node, Any, bytes, int]


def marked(leaf: Node, value: Any) -> Mark:
    """What `check_unchanged` needs to know of a leaf that had this value."""
    flat = leaf.flat if isinstance(leaf, Parameter) else None
    return leaf, *sample(value), flat.version if flat is not None else 0


def check_unchanged(ran_with: Iterable[Mark]) -> None:
    """Refuse back propagation through a forward pass that was made with other values.

    Raises
    ------
    RuntimeError
        If a leaf has been given another value, or its array was changed in place.
    """
    for mark in ran_with:
        leaf, value, *then = mark
        if leaf.value is not value or list(marked(leaf, value)[2:]) != then:
            raise RuntimeError(
                f"{leaf!r} was given a new value after the forward pass, or its array was changed, "
                "so a backward pass would mix the two; run forward again"
            )


@contextmanager
def gradients_restored(parameters: Iterable[Parameter]) -> Iterator[None]:
    """Leave the gradients of parameters as they were if a backward pass fails half-way."""
    before = [(parameter, parameter.grad) for parameter in parameters]
    try:
        yield
    except BaseException:
        for parameter, grad in before:
            parameter.grad = grad
        raise


@contextmanager
def exchanged(values: Mapping[Parameter, Any]) -> Iterator[None]:
    """Give parameters other values for the length of a ``with``, whatever happens in it."""
    kept = [(parameter, parameter.value) for parameter in values]
    try:
        for parameter, value in values.items():
            parameter.value = value
        yield
    finally:
        for parameter, value in kept:
            parameter.value = value
