"""Checks of what a module does besides computing: what it writes, draws and keeps.

Parts of `nnlite.checking`.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite.checking.report import Examination
from nnlite.checking.subject import Pass
from nnlite.core.guard import attributes, changed, own, saved_arrays
from nnlite.core.nested import leaves
from nnlite.core.node import Input, Node
from nnlite.core.slips import IN_PLACE, NO_ARRAY, PYTHON_FLOAT, slip_of
from nnlite.graph.graph import Graph

Array = NDArray[Any]

_SAVED_CHANGED = "a saved array is changed in place; make a new one: y = y * ..., not y *= ..."


def check_result(exam: Examination) -> None:
    """Forward returns one array of floats."""
    try:
        value = exam.subject.run().value
    except (TypeError, ValueError) as error:
        slip = slip_of(error)
        if slip is None:
            raise
        raise exam.error(f"forward raised {type(error).__name__}: {error}", slip) from error
    if isinstance(value, float | int) and not isinstance(value, np.generic):
        raise exam.error(f"forward returned the Python number {value!r}", PYTHON_FLOAT)
    if not isinstance(value, np.ndarray | np.generic) or value.dtype.kind != "f":
        raise exam.error(f"forward returned {value!r:.80}", NO_ARRAY)


def check_writes(exam: Examination) -> None:
    """No pass writes into an array that it was given, or that was saved."""
    subject = exam.subject
    module = subject.copied()
    if module._is_composite:
        return
    inputs = list(map(own, subject.inputs))
    vertex = Node._alone(subject.wanted)
    with module.at(vertex):
        value = module.forward(*inputs)
    for i, (x, before) in enumerate(zip(inputs, subject.inputs)):
        if not np.array_equal(x, before, equal_nan=x.dtype.kind == "f"):
            raise exam.error(f"forward changes its input {i}", IN_PLACE)
    count = len(subject.positions)
    owned = zip(subject.names[count:], module.parameters(), subject.values[count:])
    for name, p, before in owned:
        if p.value is not before and not np.array_equal(p.value, before):
            raise exam.error(f"forward changes {name}", "the parameter is written in place")
    w = exam.cotangent(value)
    grad, saved = w.copy(), vertex._saved
    vertex._saved = deepcopy(saved)  # of which the arrays can be written to
    try:
        with module.at(vertex):
            module.backward(grad)
    except Exception:
        return  # check_gradient will meet the same, and explain it
    pairs = zip(leaves(saved), leaves(vertex._saved))
    arrays = [pair for pair in pairs if isinstance(pair[0], np.ndarray)]
    written = [k for k, pair in enumerate(arrays) if _differ(*pair)]
    if _differ(grad, w):
        raise exam.error(
            "backward changes the incoming gradient",
            "the incoming gradient is written in place; make a new array: grad = grad * ...",
        )
    if written:
        raise exam.error(
            f"backward changes the array {written[0]} that forward saved", _SAVED_CHANGED
        )
    exam.report.checks["arrays handed in"] = "nothing is written to them"


def check_determinism(exam: Examination) -> None:
    subject = exam.subject
    first, second = subject.run(), subject.run()
    if _differ(first.value, second.value):
        raise exam.error(
            "forward gives different values for the same input and state",
            "random numbers from outside of the module (np.random, a new generator each time); "
            "keep a generator on self: self.rng = np.random.default_rng(rng)",
        )
    w = exam.cotangent(first.value)
    grads = exam.backward(first, w)[: len(subject.positions)]
    again = exam.backward(first, w)[: len(subject.positions)]
    for name, one, other in zip(subject.names, grads, again):
        if one is not None and other is not None and _differ(one, other):
            raise exam.error(
                f"backward gives another gradient of {name} each time it runs",
                "a random mask is redrawn in backward: draw it in forward and save it with "
                "self.save_for_backward(mask)",
            )
    exam.report.checks["determinism"] = "the same value and gradient each time"


def check_accumulation(exam: Examination) -> None:
    """Two backward passes add up in the parameters."""
    subject = exam.subject
    names = subject.names[len(subject.positions) :]
    if not names:
        return
    run = subject.run()
    w = exam.cotangent(run.value)
    once = [np.array(g) for g in exam.backward(run, w)[len(subject.positions) :]]
    twice = exam.backward(run, w)[len(subject.positions) :]
    for name, one, two in zip(names, once, twice):
        size = np.max(np.abs(one), initial=0.0)
        if np.max(np.abs(two - 2 * one), initial=0.0) <= exam.tolerance(subject) * size:
            continue
        slip = "state of the first backward pass influences the second"
        if np.allclose(one, two):
            slip = (
                "the parameter's gradient is overwritten, not accumulated; use "
                "parameter.accumulate_grad(...)"
            )
        raise exam.error(f"two backward passes do not add up in the gradient of {name}", slip)
    exam.report.checks["accumulation"] = "two backward passes add up"


def check_unwanted(exam: Examination) -> None:
    """The parameters have their gradients also where nobody wants those of the inputs."""
    subject = exam.subject
    count = len(subject.positions)
    if not subject.names[count:] or not count:
        return
    wanted = subject.run()
    w = exam.cotangent(wanted.value)
    run = Pass(subject.copied(), subject.inputs, (False,) * len(subject.inputs))
    pairs = zip(exam.backward(wanted, w)[count:], exam.backward(run, w))
    for name, (one, other) in zip(subject.names[count:], pairs):
        if other is None or np.shape(one) != np.shape(other) or not np.allclose(one, other):
            raise exam.error(
                f"the gradient of {name} is another where no input's gradient is wanted",
                "it is computed only if self.needs_input_grad says that an input's is wanted",
            )
    exam.report.checks["first layer"] = "the same where no input's gradient is wanted"


def check_two_vertices(exam: Examination) -> None:
    """The module standing twice in one graph has the sum of the two gradients."""
    subject = exam.subject
    if not subject.inputs:
        return
    module = subject.copied()
    other = subject.at(exam.nearby(subject, parameters=False))
    first = subject.run(module=module)
    u, w = exam.cotangent(first.value), exam.cotangent(first.value)
    count = len(subject.positions)
    second = other.run(module=module)
    kept = (
        changed(first.vertex._fingerprint or {}, attributes(module) | saved_arrays(first.vertex))
        if not (module._is_ours or module._is_composite)
        else []
    )
    if kept:
        raise exam.error(
            "at two vertices of one graph it propagates back with what the second left on it",
            f"state is kept on the module (self.{', self.'.join(sorted(kept))}); use "
            "self.save_for_backward(...) and self.saved",
        )
    after = [np.array(g) for g in exam.backward(second, w)]
    before = [np.array(g) for g in exam.backward(subject.run(), u)]
    module = subject.copied()
    xs, ys = (
        [Input(f"{k}{i}", requires_grad=wanted) for i, wanted in enumerate(subject.wanted)]
        for k in "xy"
    )
    one, two = module(*xs), module(*ys)
    try:
        graph = Graph([*xs, *ys], (u * one).sum() + (w * two).sum())
        graph(*subject.inputs, *other.inputs)
        graph.backward()
    except Exception as error:
        raise exam.error(
            f"at two vertices of one graph it raised {type(error).__name__}: {error}",
            exam.explained(error),
        ) from error
    got = [leaves[i].grad for leaves in (xs, ys) for i in subject.positions]
    got += [parameter.grad for parameter in module.parameters()]
    right = before[:count] + after[:count]
    right += [a + b for a, b in zip(before[count:], after[count:])]
    names = subject.names[:count] * 2 + subject.names[count:]
    for name, one, exact in zip(names, got, right):
        slack = 4 * exam.tolerance(subject) * np.max(np.abs(exact), initial=1e-300)
        if one is None or not np.max(np.abs(one - exact), initial=0.0) <= slack:
            raise exam.error(
                f"at two vertices of one graph the gradient of {name} is not the sum of both",
                "the parameter's gradient is overwritten, not accumulated, or state is kept "
                "on the module",
            )
    exam.report.checks["two vertices"] = "the gradients of both add up"


def _differ(one: Any, other: Any) -> bool:
    return not np.array_equal(one, other, equal_nan=np.asarray(one).dtype.kind == "f")
