"""Checks under other conditions, float32 and a batch of one; parts of `nnlite.checking`."""

from __future__ import annotations

import numpy as np

from nnlite.checking.derivatives import gradient_problem, is_kink
from nnlite.checking.diagnosis import Expected, contracted
from nnlite.checking.report import ROUNDING, Examination, GradcheckError, batch_size
from nnlite.checking.subject import FunctionModule, Subject


def check_float32(exam: Examination) -> None:
    """In float32: results of float32, and the gradients of float64 to rounding."""
    single = exam.subject.astype(np.float32)
    try:
        run = single.run()
    except (TypeError, ValueError):
        exam.note("float32 is not accepted, so it was not checked")
        return
    is_function = isinstance(exam.subject.module, FunctionModule)
    only = "wrong only in float32: "
    if run.value.dtype != np.float32:
        if is_function:
            exam.note("float32 was not checked: the function has constants of float64 in it")
            return
        raise exam.error(
            f"float32 inputs and parameters give a result of {run.value.dtype}",
            f"{only}a NumPy scalar or array of another dtype in forward; Python's own numbers "
            "leave the dtype as it is",
        )
    w = exam.cotangent(run.value)
    double = single.astype(np.float64)
    expectations = exam.expectations(double, run.value, w)
    rtol = max(exam.rtol or 0.0, ROUNDING * float(np.finfo(np.float32).eps))
    grads = exam.backward(run, w, " in float32")
    for leaf, (expected, grad) in enumerate(zip(expectations, grads)):
        expected.tolerance *= rtol / exam.tolerance(double)
        if not expected.fits(grad):
            expected.tolerance += conditioning(single, leaf, expected)
        if not expected.fits(grad):
            if is_kink(double, expectations, grads, [leaf], w):
                exam.note(f"{expected.name} is at a kink in float32")
                continue
            raise exam.wrong_gradient(expected, grad, expectations, single, " in float32", only)
        if grad.dtype != np.float32:
            raise exam.error(
                f"the gradient of {expected.name} is {grad.dtype} where everything is float32",
                f"{only}a NumPy scalar or array of another dtype in backward; Python's own "
                "numbers leave the dtype as it is",
            )
    exam.report.checks["float32"] = "gradients of float32, right to rounding"


def conditioning(single: Subject, leaf: int, expected: Expected) -> float:
    """Eight times the error that the derivative of forward itself has in float32."""
    rows, exact = single.jacobian_rows(leaf, expected.entries)
    if not exact:
        return 0.0
    found = contracted(np.asarray(rows, np.float64), expected.cotangent)
    errors = np.abs(found - expected.gradient)
    return 8 * float(np.max(errors[np.isfinite(errors)], initial=0.0))


def check_batch_of_one(exam: Examination) -> None:
    subject = exam.subject
    n = batch_size(subject)
    if n is None or n < 2:
        return
    rows = [x[:1] if x.ndim and len(x) == n else x for x in subject.inputs]
    alone = Subject(subject.copied(), rows)
    try:
        value = alone.run().value
    except Exception:
        exam.note("a batch of one is not accepted, so it was not checked")
        return
    if not np.all(np.isfinite(value)):
        exam.note("a batch of one gives no finite value, so it was not checked")
        return
    problem, kink = gradient_problem(exam, alone, " for a batch of one")
    if problem:
        message = str(problem).split("\n")[0]
        raise GradcheckError(message, f"wrong only for a batch of one: {problem.looks_like}")
    if kink:
        exam.note(f"{kink} is at a kink for a batch of one")
