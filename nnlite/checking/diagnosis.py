"""What a wrong gradient looks like: the slip that would have produced it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def contracted(rows: Array, cotangent: Array) -> Array:
    """The sum of each row's products with the cotangent."""
    flat = rows.reshape(len(rows), cotangent.size) * cotangent.reshape(-1)
    return np.asarray(flat.sum(axis=1))


@dataclass
class Expected:
    """What is known about the right gradient of ⟨cotangent, output⟩ with respect to a leaf.

    Attributes
    ----------
    name : str
        What messages call the leaf.
    value : array
        Of the leaf.
    entries : int array
        The entries of the leaf that were differentiated: all, or some of many.
    rows : float64 array, (entries, *output_shape)
        ∂output/∂entry.
    cotangent : float64 array, of the output's shape
    tolerance : float
        The error that is allowed, absolute.
    """

    name: str
    value: Array
    entries: Array
    rows: Array
    cotangent: Array
    tolerance: float

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def output_shape(self) -> tuple[int, ...]:
        return self.cotangent.shape

    @property
    def gradient(self) -> Array:
        return self.times(self.cotangent)

    @property
    def scale(self) -> float:
        """The size of the terms whose sum the gradient is."""
        return float(np.max(contracted(np.abs(self.rows), np.abs(self.cotangent)), initial=0))

    def times(self, cotangent: Array) -> Array:
        """The gradient that would be right for another cotangent."""
        return contracted(self.rows, cotangent)

    def chosen(self, gradient: Any) -> Array:
        """The entries that were differentiated, of a gradient of the leaf's shape."""
        return np.asarray(gradient, dtype=np.float64).reshape(-1)[self.entries]

    def error(self, gradient: Any) -> float:
        """The largest error; infinite for another shape, or where something is not finite."""
        if gradient is None or np.shape(gradient) != self.shape:
            return np.inf
        with np.errstate(all="ignore"):
            errors = np.abs(self.chosen(gradient) - self.gradient)
        return float(np.max(np.where(np.isnan(errors), np.inf, errors), initial=0.0))

    def fits(self, gradient: Any) -> bool:
        return self.error(gradient) <= self.tolerance

    def describe(self, gradient: Any) -> str:
        """By how much a gradient is wrong, and where."""
        if gradient is None:
            return "there is none"
        if np.shape(gradient) != self.shape:
            return f"it has shape {np.shape(gradient)}, expected {self.shape}"
        got, right = self.chosen(gradient), self.gradient
        errors = np.abs(got - right)
        worst = int(np.argmax(np.where(np.isnan(errors), np.inf, errors)))
        where = [int(i) for i in np.unravel_index(self.entries[worst], self.shape)]
        return (
            f"the largest error is {errors[worst]:.3g}"
            + (f" at {where}" if where else "")
            + f", where it is {got[worst]:.6g} and should be {right[worst]:.6g}"
        )


def looks_like(got: Any, expected: Expected, others: Sequence[Expected], batch: int | None) -> str:
    """The likely slip behind a wrong gradient.

    Parameters
    ----------
    got : array or None
        What ``backward`` gave.
    expected : Expected
    others : sequence of Expected
        Those of the other leaves, with which it may have been confused.
    batch : int or None
        How many samples the inputs have.
    """
    if got is None or (np.shape(got) == expected.shape and _is_zero(got)):
        return _forgotten(expected)
    got = np.asarray(got, dtype=np.float64)
    if got.shape != expected.shape:
        return _of_another_shape(got, expected, batch)
    for slip in (_not_finite, _constant_factor, _cotangent, _transposed):
        found = slip(got, expected, batch)
        if found:
            return found
    for other in others:
        if other is not expected and other.shape == expected.shape and other.fits(got):
            return f"the gradient of {other.name}: the two are swapped, or one is used twice"
        if _with_untransposed(got, expected, other.value):
            return (
                f"the incoming gradient is multiplied by {other.name}, which should be transposed"
            )
    return _one_sample(got, expected, batch) or _partly_right(got, expected)


def _is_zero(got: Any) -> bool:
    return not np.any(np.asarray(got))


def _forgotten(expected: Expected) -> str:
    if expected.name.startswith("parameter"):
        return (
            "the parameter's gradient was forgotten: backward never adds to it with "
            f"self.{expected.name.removeprefix('parameter ')}.accumulate_grad(...)"
        )
    return "the gradient was forgotten: backward returns None or zeros for it"


def _of_another_shape(got: Array, expected: Expected, batch: int | None) -> str:
    if got.shape == expected.shape[::-1] and expected.fits(got.T):
        return "it is transposed: it should be .T of what it is"
    extra = got.ndim - len(expected.shape)
    if extra > 0 and got.shape[extra:] == expected.shape:
        if extra == 1 and got.shape[0] == batch:
            return "the sum over the batch is missing: add .sum(axis=0)"
        return "a broadcast was not undone: sum over the axes that it added"
    if extra == 0 and all(n in (m, 1) for n, m in zip(expected.shape, got.shape)):
        if (
            expected.shape[:1] == (1,)
            and got.shape[0] == batch
            and got.shape[1:] == expected.shape[1:]
        ):
            return "the sum over the batch is missing: add .sum(axis=0, keepdims=True)"
        return "a broadcast was not undone: sum over the axes that it stretched, with keepdims=True"
    if got.size == 1 or all(n in (m, 1) for n, m in zip(got.shape[::-1], expected.shape[::-1])):
        return "it was summed over too many axes, or not broadcast to the shape of the value"
    if got.size == np.prod(expected.shape):
        return "a reshape was not undone"
    return "it has the shape of something else"


def _not_finite(got: Array, expected: Expected, batch: int | None) -> str | None:
    if np.isfinite(expected.chosen(got)).all():
        return None
    return "it is not finite: an overflow, or a division by zero, in backward"


def _constant_factor(got: Array, expected: Expected, batch: int | None) -> str | None:
    chosen, right = expected.chosen(got), expected.gradient
    norm = float(np.vdot(right, right))
    if not norm:
        return None
    factor = float(np.vdot(right, chosen)) / norm
    slack = expected.tolerance * max(1.0, abs(factor)) * 2
    if not factor or np.max(np.abs(chosen - factor * right)) > slack:
        return None
    precision = max(1e-9, 4 * slack / float(np.max(np.abs(right))))

    def is_close(value: float) -> bool:
        return abs(factor - value) <= precision * abs(value)

    if is_close(-1.0):
        return "the sign is flipped"
    w = expected.cotangent
    if w.size == 1 and (is_close(1 / w.item()) or is_close(-1 / w.item())):
        return "the incoming gradient was not multiplied in"
    if w.size == 1 and is_close(w.item()):
        return "the incoming gradient was multiplied in twice"
    sizes = {"the batch size": batch, "the number of outputs": w.size}
    if expected.output_shape:
        sizes["the length of the last axis"] = expected.output_shape[-1]
    sizes["the number of its entries"] = int(np.prod(expected.shape))
    names = ["½"] if is_close(0.5) else []
    names += [name for name, n in sizes.items() if n and n > 1 and is_close(n)]
    names += [f"1/{name}" for name, n in sizes.items() if n and n > 1 and is_close(1 / n)]
    named = f" ({', or '.join(names)})" if names else ""
    return f"a constant factor: it is {factor:.12g}{named} times what it should be"


def _cotangent(got: Array, expected: Expected, batch: int | None) -> str | None:
    w = expected.cotangent
    for sign, also in ((1, ""), (-1, ", and the sign is flipped")):
        if _near(expected, got, sign * expected.times(np.ones_like(w))):
            return f"the incoming gradient was not multiplied in{also}"
        if _near(expected, got, sign * expected.times(w * w)):
            return f"the incoming gradient was multiplied in twice{also}"
        if got.shape == w.shape and _near(expected, got, sign * expected.chosen(w)):
            return (
                "the incoming gradient was handed on as it came: the derivative was not "
                f"multiplied in{also}"
            )
    return None


def _near(expected: Expected, got: Array, candidate: Array) -> bool:
    slack = expected.tolerance * max(1.0, float(np.max(np.abs(candidate), initial=0)))
    return bool(np.max(np.abs(expected.chosen(got) - candidate), initial=0) <= 4 * slack)


def _transposed(got: Array, expected: Expected, batch: int | None) -> str | None:
    if got.ndim < 2 or got.shape[-1] != got.shape[-2]:
        return None
    if expected.fits(np.swapaxes(got, -1, -2)):
        return "it is transposed: it should be .T of what it is"
    return None


def _with_untransposed(got: Array, expected: Expected, matrix: Array) -> bool:
    """Whether it is ḡ W where ḡ Wᵀ would be right."""
    w = expected.cotangent
    if matrix.ndim != 2 or not w.ndim or w.shape[-1] != len(matrix):
        return False
    candidate = w @ matrix
    return candidate.shape == got.shape and _near(expected, got, expected.chosen(candidate))


def _one_sample(got: Array, expected: Expected, batch: int | None) -> str | None:
    """Whether it belongs to one row of the batch alone."""
    if not expected.output_shape or expected.output_shape[0] != batch:
        return None
    for row in {0, batch - 1}:
        alone = np.zeros_like(expected.cotangent)
        alone[row] = expected.cotangent[row]
        if _near(expected, got, expected.times(alone)):
            return f"only sample {row} was counted: the sum over the batch is missing"
    return None


def _partly_right(got: Array, expected: Expected) -> str:
    right = np.abs(expected.chosen(got) - expected.gradient) <= expected.tolerance
    if right.any():
        return (
            f"right in {int(right.sum())} of {right.size} entries: a wrong branch, mask, slice or "
            "edge, or an index that occurs twice"
        )
    return "no slip that is known here"
