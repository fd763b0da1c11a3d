"""Examination: what the checks of `nnlite.checking` share: the subject, the report, the errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite.checking.diagnosis import Expected, looks_like
from nnlite.checking.subject import Pass, Subject
from nnlite.core.slips import slip_of

Array = NDArray[Any]

ROUNDING = 2**12
"""Allowed error of an exact comparison in units of the last place: 9e-13 in float64."""

DIFFERENCES = 1e-8
"""Allowed relative error where the reference is a central difference."""

MOST_ENTRIES = 1024
"""Of a leaf that has more, this many random entries are compared,"""

MOST_NUMBERS = 2**22
"""or fewer, so that the rows of the Jacobian hold no more numbers than this."""


class GradcheckError(AssertionError):
    """A ``backward`` that is not the derivative of its ``forward``.

    Attributes
    ----------
    message, looks_like : str
        What is wrong, and the likely slip.
    """

    def __init__(self, message: str, looks_like: str) -> None:
        super().__init__(f"{message}\nIt looks like this: {looks_like}.")
        self.message, self.looks_like = message, looks_like


@dataclass
class GradcheckReport:
    """What was checked, and how; true, because whatever is wrong raises.

    Attributes
    ----------
    checks : dict of str to str
        From what was checked to how, and the largest error relative to the gradient's size.
    notes : list of str
        What could not be checked, or was checked elsewhere.
    exact : bool
        Whether the reference came from dual numbers, and not from central differences.
    """

    subject: str
    checks: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    exact: bool = True

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        lines = [f"{self.subject}: backward is the derivative of forward"]
        lines += [f"  {name}: {how}" for name, how in self.checks.items()]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])

    __repr__ = __str__


class Examination:
    """One subject under examination, and the report on it."""

    def __init__(
        self, subject: Subject, rtol: float | None, rng: np.random.Generator | int | None
    ) -> None:
        self.subject, self.rtol = subject, rtol
        self.rng = np.random.default_rng(rng)
        self.report = GradcheckReport(repr(subject.module))

    def in_float64(self) -> Subject:
        subject = self.subject.astype(np.float64)
        try:
            subject.run()
        except (TypeError, ValueError):
            self.report.notes.append("float64 is not accepted, so the dtype given was checked")
            return self.subject
        return subject

    def error(self, message: str, slip: str) -> GradcheckError:
        return GradcheckError(f"{self.report.subject}: {message}", slip)

    def backward(self, run: Pass, w: Any, context: str = "") -> list[Any]:
        """``backward``, its errors explained."""
        w = np.array(w)
        w.flags.writeable = False
        try:
            return run.backward(w[()] if w.ndim == 0 else w)
        except Exception as error:
            message = f"backward raised {type(error).__name__}{context}: {error}"
            raise self.error(message, self.explained(error, run)) from error

    def explained(self, error: Exception, run: Pass | None = None) -> str:
        """The likely slip behind an error in ``backward``."""
        slip = slip_of(error)
        if slip is not None:
            return slip
        if isinstance(error, TypeError) and run is not None and _minds_none(run):
            return (
                "a parameter's .grad is added to while it is None; use "
                "parameter.accumulate_grad(...)"
            )
        if isinstance(error, ValueError):
            return "a transposition is missing in a product, or a factor has another shape"
        return "an error in backward itself"

    def cotangent(self, value: Any) -> Any:
        """A generic incoming gradient, representable in float32: no entry is 0, 1 or −1."""
        shape = np.shape(value)
        w = self.rng.uniform(0.25, 0.75, shape) + self.rng.integers(0, 2, shape)
        return (w * self.rng.choice([-1, 1], shape)).astype(np.float32).astype(value.dtype)

    def expectations(self, subject: Subject, value: Any, w: Any) -> list[Expected]:
        """The right gradients of all leaves, given the output's value and its gradient.

        The allowed error is relative to the terms that an entry sums up, but never less than to
        2⁻¹⁰ of the largest gradient and 2⁻⁶ of the value, times the largest leaf if above 1: where
        a layer saturates or normalises, small gradients are differences of such numbers.
        """
        found = []
        for leaf, (name, at) in enumerate(zip(subject.names, subject.values)):
            most = min(MOST_ENTRIES, max(16, MOST_NUMBERS // max(1, np.size(w))))
            entries = np.arange(at.size)
            if at.size > most:
                entries = np.sort(self.rng.choice(at.size, most, replace=False))
            if at.size:
                rows, exact = subject.jacobian_rows(leaf, entries)
            else:
                rows, exact = np.zeros((0, *np.shape(w))), True
            self.report.exact &= exact
            rows, cotangent = np.asarray(rows, np.float64), np.asarray(w, np.float64)
            found.append(Expected(name, at, entries, rows, cotangent, 0.0))
        rtol = self.tolerance(subject)
        sizes = [float(np.nan_to_num(expected.scale, posinf=0.0)) for expected in found]
        reach = max([1.0, *[float(np.max(np.abs(x), initial=0.0)) for x in subject.values]])
        least = 2.0**-6 * reach * float(np.max(np.abs(w * value), initial=0.0))
        least = max(2.0**-10 * max(sizes), least)
        for expected, size in zip(found, sizes):
            expected.tolerance = rtol * max(size, least)
        return found

    def tolerance(self, subject: Subject) -> float:
        if self.rtol is not None:
            return self.rtol
        eps = max(float(np.finfo(value.dtype).eps) for value in subject.values)
        return ROUNDING * eps if self.report.exact else max(DIFFERENCES, ROUNDING * eps)

    def wrong_gradient(
        self,
        expected: Expected,
        got: Any,
        others: Sequence[Expected],
        subject: Subject,
        where: str,
        only: str = "",
    ) -> GradcheckError:
        slip = looks_like(got, expected, others, batch_size(subject))
        return self.error(
            f"the gradient of {expected.name} is wrong{where}: {expected.describe(got)}",
            only + slip,
        )

    def nearby(self, subject: Subject, parameters: bool = True) -> list[Array]:
        """Values of the leaves a little further, no two equal; the same if forward refuses them."""
        values = [
            value + (0.01 * np.maximum(np.abs(value), 0.1) * self.signed(value)).astype(value.dtype)
            for value in subject.values
        ]
        if not parameters:
            count = len(subject.positions)
            values[count:] = subject.values[count:]
        try:
            is_usable = bool(np.all(np.isfinite(subject.run(values).value)))
        except Exception:
            is_usable = False
        return values if is_usable else subject.values

    def signed(self, value: Any) -> Array:
        shape = np.shape(value)
        return np.asarray(self.rng.uniform(0.25, 1, shape) * self.rng.choice([-1, 1], shape))

    def note(self, text: str) -> None:
        if text not in self.report.notes:
            self.report.notes.append(text)


def _minds_none(run: Pass) -> bool:
    """Whether ``backward`` does run where every parameter has a gradient already."""
    for parameter in run.parameters:
        parameter.grad = np.zeros_like(parameter.value)
    try:
        run.backward(run.vertex.grad)
    except Exception:
        return False
    return bool(run.parameters)


def batch_size(subject: Subject) -> int | None:
    """The length of the first input, which is the batch size where there is one."""
    for x in subject.inputs:
        return len(x) if x.ndim else None
    return None
