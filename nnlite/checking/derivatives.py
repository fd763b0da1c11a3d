"""Checks of ``backward``, of its own derivative and of ``jvp``, in float32 and alone, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite.checking.diagnosis import Expected, contracted, looks_like
from nnlite.checking.report import ROUNDING, Examination, GradcheckError, batch_size
from nnlite.checking.subject import NOT_NUMPY, FunctionModule, Subject, one_sided, richardson
from nnlite.core.dual import Dual
from nnlite.core.value import next_level

Array = NDArray[Any]


def check_gradient(exam: Examination) -> None:
    """``backward`` is the derivative of ``forward`` with respect to every leaf."""
    kink = compare(exam, exam.subject)
    if kink:
        exam.note(
            f"{kink} is at a kink: backward gives a value between the derivatives from both "
            "sides; the rest was checked nearby"
        )
        exam.subject = exam.subject.at(exam.nearby(exam.subject))
        compare(exam, exam.subject)


def compare(exam: Examination, subject: Subject, where: str = "") -> str:
    """Raise if a gradient is wrong; return which leaf is at a kink, if one is."""
    run = subject.run()
    w = exam.cotangent(run.value)
    grads = exam.backward(run, w, where)  # before other passes, which may leave something behind
    expectations = exam.expectations(subject, run.value, w)
    wrong = [k for k, pair in enumerate(zip(expectations, grads)) if not pair[0].fits(pair[1])]
    if wrong and is_kink(subject, expectations, grads, wrong):
        return subject.names[wrong[0]]
    if wrong:
        expected, got = expectations[wrong[0]], grads[wrong[0]]
        if exam.report.exact and is_right_after_all(subject, wrong[0], expected, got):
            raise exam.error(
                f"backward and dual numbers disagree on the gradient of {expected.name}{where}: "
                f"{expected.describe(got)}",
                "backward is right and the derivative of forward is not: forward calls a module "
                "with a wrong jvp, or cuts a value off from the inputs",
            )
        raise exam.wrong_gradient(expected, got, expectations, subject, where)
    how = "exact, from dual numbers" if exam.report.exact else "by central differences"
    for expected, grad in zip(expectations, grads):
        error = expected.error(grad) / max(expected.scale, np.finfo(np.float64).tiny)
        exam.report.checks[f"gradient of {expected.name}{where}"] = f"{how}; error {error:.1e}"
    return ""


def is_right_after_all(subject: Subject, leaf: int, expected: Expected, got: Any) -> bool:
    """Whether a central difference agrees with `got` and not with what was expected."""
    if got is None or np.shape(got) != expected.shape:
        return False
    k = int(np.argmax(np.abs(expected.chosen(got) - expected.gradient)))
    try:
        row = subject.difference(leaf, int(expected.entries[k]))
    except (ValueError, TypeError):  # forward refuses what lies nearby
        return False
    difference = float(np.sum(row * expected.cotangent))
    slack = 1e-6 * max(expected.scale, abs(difference))
    return bool(
        abs(difference - expected.chosen(got)[k]) <= slack
        and abs(difference - expected.gradient[k]) > 1000 * slack
    )


def is_kink(
    subject: Subject, expectations: Sequence[Expected], grads: Sequence[Any], wrong: Sequence[int]
) -> bool:
    """Whether what is wrong lies between the derivatives from the left and from the right."""
    for leaf in wrong:
        expected, got = expectations[leaf], grads[leaf]
        if got is None or np.shape(got) != expected.shape:
            return False
        got, right = expected.chosen(got), expected.gradient
        bad = np.flatnonzero(~(np.abs(got - right) <= expected.tolerance) & np.isfinite(right))
        for k in bad[:16]:
            entry = int(expected.entries[k])
            size = abs(float(expected.value.reshape(-1)[entry]))
            try:
                ends = one_sided(subject.along(leaf, entry), size)
            except (ValueError, TypeError):  # forward refuses what lies beside it
                return False
            sides = [float(np.sum(expected.cotangent * side)) for side in ends]
            slack = 1e-6 * max(abs(sides[0]), abs(sides[1]), expected.scale)
            is_between = min(sides) - slack <= got[k] <= max(sides) + slack
            if not (is_between and abs(sides[1] - sides[0]) > 10 * slack):
                return False
    return True


def check_second_derivative(exam: Examination) -> None:
    """``backward`` on dual numbers, forward over reverse, gives the Hessian times a vector."""
    problem = second_problem(exam, exam.subject)
    if problem is None:
        return
    for _ in range(2):
        if second_problem(exam, exam.subject.at(exam.nearby(exam.subject))) is not None:
            raise problem
    exam.report.notes.append("the second derivative has a kink here, and was checked nearby")


def second_problem(exam: Examination, subject: Subject) -> GradcheckError | None:
    directions = [exam.signed(value).astype(value.dtype) for value in subject.values]
    w = exam.cotangent(subject.run().value)
    level = next_level()
    duals = [Dual(value, v, level) for value, v in zip(subject.values, directions)]
    try:
        grads = subject.run(duals).backward(w)
    except NOT_NUMPY as error:
        exam.note(
            "second derivatives were not checked: a pass is not NumPy code with rules "
            f"({str(error).split(';')[0].split('. ')[0]})"
        )
        return None
    products = [g.tangent if isinstance(g, Dual) and g.level == level else None for g in grads]
    rows = []
    for leaf, value in enumerate(subject.values):
        direction = exam.signed(value).astype(value.dtype)
        product = np.zeros(value.shape) if products[leaf] is None else products[leaf]
        got = float(np.vdot(direction, product))
        right, size, how = second_reference(subject, leaf, direction, directions, w)
        size += float(np.sum(np.abs(direction * product)))
        rows.append((got, right, size, how))
    least = 2.0**-10 * max([row[2] for row in rows], default=0.0)
    for name, (got, right, size, how) in zip(subject.names, rows):
        size = max(size, least)
        rtol = 4 * exam.tolerance(subject) if how == "exact" else 1e-6
        if not abs(got - right) <= rtol * size:
            ratio = got / right if right else np.inf
            guess = f", {ratio:.6g} times what it should be" if 1e-3 < abs(ratio) < 1e3 else ""
            return exam.error(
                f"the second derivative with respect to {name} is wrong: backward of backward "
                f"along a random direction gives {got:.6g} and should give {right:.6g}",
                "the first derivative is right and the second wrong: backward reads something "
                f"that is cut off from the inputs, or a module with a wrong jvp{guess}",
            )
        exam.report.checks[f"second derivative, {name}"] = (
            f"{how}; error {abs(got - right) / max(size, 1e-300):.1e}"
        )
    return None


def second_reference(
    subject: Subject, leaf: int, direction: Array, directions: Sequence[Array], w: Any
) -> tuple[float, float, str]:
    """uᵀHv, the size of its terms, and how it was found; u is along one leaf."""
    gradient = np.abs(subject.run().backward(w)[leaf] * direction).sum()
    try:
        terms = w * subject.second_tangent(leaf, direction, directions)
        return float(np.sum(terms)), float(np.sum(np.abs(terms)) + gradient), "exact"
    except NOT_NUMPY:
        pass

    def along(step: float) -> float:
        values = [x + step * v for x, v in zip(subject.values, directions)]
        return float(np.vdot(direction, subject.run(values).backward(w)[leaf]))

    return float(richardson(along, 1.0)), float(gradient), "by central differences"


def check_jvp(exam: Examination) -> None:
    """A ``jvp`` of the module's own is the derivative of forward, too."""
    subject = exam.subject
    if subject.module.jvp is None or subject.module._is_composite:
        return
    count = len(subject.positions)
    value = subject.run().value
    w = exam.cotangent(value)
    expectations = exam.expectations(subject, value, w)[:count]
    for expected, position in zip(expectations, subject.positions):
        direction = np.zeros(expected.value.size, expected.value.dtype)
        direction[expected.entries] = exam.signed(expected.entries)
        tangents = [np.zeros_like(x) if x.dtype.kind == "f" else None for x in subject.inputs]
        tangents[position] = direction.reshape(expected.shape)
        run = subject.run()
        try:
            with run.module.at(run.vertex):
                got = run.module.jvp(*tangents)  # type: ignore[misc]
        except Exception as error:
            raise exam.error(f"jvp raised {error!r}", "an error in jvp itself") from error
        right = np.tensordot(direction[expected.entries], expected.rows, 1)
        sizes = np.tensordot(np.abs(direction[expected.entries]), np.abs(expected.rows), 1)
        slack = exam.tolerance(subject) * np.max(sizes, initial=1e-300)
        if np.shape(got) == right.shape and np.max(np.abs(got - right), initial=0) <= slack:
            continue
        flat = Expected(
            f"{expected.name} in jvp",
            right,
            np.arange(right.size),
            np.diag(right.reshape(-1)).reshape(right.size, *right.shape),
            np.ones(right.shape),
            float(slack),
        )
        raise exam.error(
            f"jvp along {expected.name} is wrong: {flat.describe(got)}",
            f"backward is right and jvp is not: {looks_like(got, flat, [], batch_size(subject))}",
        )
    exam.report.checks["jvp"] = "agrees"


def check_float32(exam: Examination) -> None:
    """In float32: results of float32, and the gradients of float64 to rounding."""
    single = exam.subject.astype(np.float32)
    if all(value.dtype == np.float32 for value in exam.subject.values):
        return  # it has been checked in no other
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
            if is_kink(double, expectations, grads, [leaf]):
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
    try:
        kink = compare(exam, alone, " for a batch of one")
    except GradcheckError as problem:
        likely = f"wrong only for a batch of one: {problem.looks_like}"
        raise GradcheckError(problem.message, likely) from None
    if kink:
        exam.note(f"{kink} is at a kink for a batch of one")
