"""SGD against the algorithm in the documentation of torch.optim.SGD, one number at a time."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from helpers import FLOATS
from numpy.typing import DTypeLike

import nnlite as nn

VARIANTS = [
    {"momentum": mu, "dampening": tau, "weight_decay": decay, "nesterov": nesterov}
    for mu, tau, decay, nesterov in product([0.0, 0.9], [0.0, 0.3], [0.0, 0.05], [False, True])
    if not nesterov or (mu > 0 and tau == 0)
]


def torch_sgd(
    theta: float,
    gradients: list[float],
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
) -> list[float]:
    """The trajectory of one number, as the pseudocode of torch.optim.SGD has it."""
    trajectory = []
    b = 0.0
    for t, g in enumerate(gradients, start=1):
        if weight_decay != 0:
            g = g + weight_decay * theta
        if momentum != 0:
            b = momentum * b + (1 - dampening) * g if t > 1 else g
            g = g + momentum * b if nesterov else b
        theta = theta - lr * g
        trajectory.append(theta)
    return trajectory


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
class TestEveryVariant:
    def test_follows_the_recurrence_for_200_steps(self, variant: dict[str, Any]) -> None:
        rng = np.random.default_rng(0)
        start, gradients = rng.standard_normal((2, 3)), rng.standard_normal((200, 2, 3))
        w = nn.Parameter(start)
        optimiser = nn.SGD([w], lr=0.1, **variant)
        ours = []
        for g in gradients:
            w.grad = g
            optimiser.step()
            ours.append(w.value)
        for i, j in np.ndindex(2, 3):
            theirs = torch_sgd(float(start[i, j]), list(gradients[:, i, j]), 0.1, **variant)
            np.testing.assert_allclose(np.array(ours)[:, i, j], theirs, rtol=0, atol=1e-10)

    def test_remembers_gradients_whatever_becomes_of_their_array(
        self, variant: dict[str, Any]
    ) -> None:
        gradients = np.random.default_rng(0).standard_normal((20, 1))
        w = nn.Parameter(np.ones(1))
        optimiser = nn.SGD([w], lr=0.1, **variant)
        buffer = np.empty(1)
        for g in gradients:
            buffer[:] = g
            w.grad = buffer
            optimiser.step()
        theirs = torch_sgd(1.0, list(gradients[:, 0]), 0.1, **variant)
        np.testing.assert_allclose(w.value[0], theirs[-1], rtol=0, atol=1e-10)

    def test_leaves_the_arrays_of_value_and_gradient_as_they_were(
        self, variant: dict[str, Any]
    ) -> None:
        w = nn.Parameter(np.ones(3))
        optimiser = nn.SGD([w], lr=0.1, **variant)
        for _ in range(3):
            value, grad = w.value, np.full(3, 2.0)
            before = value.copy()
            w.grad = grad
            optimiser.step()
            assert w.value is not value
            np.testing.assert_array_equal(value, before)
            np.testing.assert_array_equal(grad, 2.0)

    @FLOATS
    @pytest.mark.parametrize("shape", [(), (3,)], ids=str)
    def test_keeps_the_dtype(
        self, variant: dict[str, Any], dtype: DTypeLike, shape: tuple[int, ...]
    ) -> None:
        w = nn.Parameter(np.ones(shape, dtype))
        optimiser = nn.SGD([w], lr=np.float64(0.1), **variant)
        for lr in (0.1, np.float64(0.1), np.float32(0.1)):
            optimiser.lr = lr
            w.grad = np.ones(shape, dtype)
            optimiser.step()
            assert (w.value.dtype, w.value.shape) == (dtype, shape)


class TestWhichParameters:
    def test_without_a_gradient_are_left_as_they_are(self) -> None:
        trained, idle = nn.Parameter(np.ones(2)), nn.Parameter(np.ones(2))
        optimiser = nn.SGD([idle, trained], lr=0.1, momentum=0.9, weight_decay=0.1)
        value = idle.value
        trained.grad = np.ones(2)
        optimiser.step()
        assert idle.value is value
        np.testing.assert_allclose(trained.value, 1 - 0.1 * 1.1, rtol=1e-15)

    def test_begin_their_momentum_with_their_own_first_gradient(self) -> None:
        early, late = nn.Parameter(np.ones(1)), nn.Parameter(np.ones(1))
        optimiser = nn.SGD([early, late], lr=0.1, momentum=0.9, dampening=0.5)
        early.grad = np.ones(1)
        optimiser.step()
        late.grad = np.ones(1)
        optimiser.step()
        np.testing.assert_allclose(late.value, 0.9, rtol=1e-15)

    def test_given_twice_are_changed_once(self) -> None:
        linear = nn.Linear(2, 2, rng=0)
        both = nn.Sequential(linear, nn.Sigmoid(), linear)
        w = linear.weight
        optimiser = nn.SGD([*both.parameters(), *linear.parameters()], lr=0.1)
        before = w.value
        w.grad = np.ones((2, 2))
        optimiser.step()
        np.testing.assert_array_equal(w.value, before - 0.1 * np.ones((2, 2)))

    def test_forget_their_gradients_at_zero_grad(self) -> None:
        w = nn.Parameter(np.ones(2))
        w.grad = np.ones(2)
        nn.SGD([w]).zero_grad()
        assert w.grad is None

    def test_may_come_from_a_generator(self) -> None:
        w = nn.Parameter(np.ones(2))
        assert nn.SGD(parameter for parameter in [w]).parameters == [w]


class TestTheConstructorRefuses:
    @pytest.mark.parametrize("name", ["lr", "momentum", "dampening", "weight_decay"])
    @pytest.mark.parametrize("value", [-0.1, np.nan, np.inf])
    def test_numbers_that_are_negative_or_not_finite(self, name: str, value: float) -> None:
        with pytest.raises(ValueError, match=f"SGD: {name} .*got {value}"):
            nn.SGD([nn.Parameter(np.ones(1))], **{name: value})  # type: ignore[arg-type]

    def test_a_learning_rate_of_zero(self) -> None:
        with pytest.raises(ValueError, match="lr is 0"):
            nn.SGD([nn.Parameter(np.ones(1))], lr=0)

    @pytest.mark.parametrize("others", [{}, {"momentum": 0.9, "dampening": 0.1}], ids=str)
    def test_nesterov_without_momentum_or_with_dampening(self, others: dict[str, float]) -> None:
        with pytest.raises(ValueError, match="Nesterov"):
            nn.SGD([nn.Parameter(np.ones(1))], nesterov=True, **others)

    def test_an_empty_list(self) -> None:
        with pytest.raises(ValueError, match="no parameters"):
            nn.SGD(nn.Sigmoid().parameters())

    @pytest.mark.parametrize(
        "item", [np.ones(2), nn.Input("x"), "weight"], ids=["array", "input", "name"]
    )
    def test_what_is_no_parameter(self, item: Any) -> None:
        with pytest.raises(TypeError, match="SGD takes parameters"):
            nn.SGD([item])

    def test_a_module_in_place_of_its_parameters(self) -> None:
        linear = nn.Linear(2, 1, rng=0)
        for slip in (linear, linear.parameters):
            with pytest.raises(TypeError, match=r"pass module\.parameters\(\)"):
                nn.SGD(slip)  # type: ignore[arg-type]
