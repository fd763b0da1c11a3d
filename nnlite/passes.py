"""What forward and backward passes share: where they start, and on which values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from nnlite.dispatch import Value
from nnlite.node import Node, Parameter


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


def check_unchanged(parameter: Parameter, value: Any) -> None:
    """Refuse back propagation through a forward pass made with other parameters."""
    if parameter.value is not value:
        raise RuntimeError(
            f"{parameter!r} was given a new value after the forward pass, so its backward pass "
            "would mix the two; run forward again"
        )


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
