"""Schedules."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from rates import ROUNDING, optimizer, rates

from nnlite.optim import SGD
from nnlite.optim.schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    InverseScaling,
    OneCycleLR,
    ReduceLROnPlateau,
    Schedule,
    StepLR,
)


def chained(factor: Callable[[int], float]) -> Iterator[float]:
    """Each rate as a factor times the one before, as PyTorch finds them."""
    lr = 0.8
    yield lr
    for t in range(1, 301):
        lr *= factor(t)
        yield lr


class TestTheRates:
    @pytest.mark.parametrize(
        ("step_size", "gamma"), list(product([1, 2, 7, 1000], [0.1, 0.5, 1.5]))
    )
    def test_of_step_lr_change_every_so_many_steps(self, step_size: int, gamma: float) -> None:
        ours = rates(StepLR(optimizer(), step_size, gamma), 300)
        theirs = list(chained(lambda t: gamma if t % step_size == 0 else 1.0))
        np.testing.assert_allclose(ours, theirs, rtol=ROUNDING)

    @pytest.mark.parametrize("gamma", [0.5, 0.97, 1.0, 1.01])
    def test_of_exponential_lr_change_every_step(self, gamma: float) -> None:
        ours = rates(ExponentialLR(optimizer(), gamma), 300)
        np.testing.assert_allclose(ours, list(chained(lambda t: gamma)), rtol=ROUNDING)

    @pytest.mark.parametrize(("T_max", "eta_min"), list(product([1, 2, 50, 299, 1000], [0.0, 0.1])))
    def test_of_cosine_annealing_lr_go_down_and_up(self, T_max: int, eta_min: float) -> None:
        ours = np.array(rates(CosineAnnealingLR(optimizer(), T_max, eta_min), 300))
        t = np.arange(301)
        closed = eta_min + (0.8 - eta_min) * (1 + np.cos(np.pi * t / T_max)) / 2
        np.testing.assert_allclose(ours, closed, rtol=0, atol=ROUNDING)
        assert (ours >= eta_min - ROUNDING).all()
        if T_max < 300:
            assert ours[T_max] == pytest.approx(eta_min, abs=ROUNDING)

    def test_of_cosine_annealing_lr_are_those_of_pytorchs_recurrence_down_to_the_lowest(
        self,
    ) -> None:
        lr, T_max, eta_min = 0.8, 200, 0.1
        recurrence = [lr]
        for t in range(1, T_max):
            now, before = (1 + math.cos(math.pi * s / T_max) for s in (t, t - 1))
            lr = now / before * (lr - eta_min) + eta_min
            recurrence.append(lr)
        ours = rates(CosineAnnealingLR(optimizer(), T_max, eta_min), T_max - 1)
        np.testing.assert_allclose(ours, recurrence, rtol=1e-10)

    @pytest.mark.parametrize(
        ("power_t", "samples"), list(product([0.0, 0.25, 0.5, 1.0], [1, 150, 1797]))
    )
    def test_of_inverse_scaling_are_scikit_learns(self, power_t: float, samples: int) -> None:
        """γ₀/pow(t_ + 1, power_t), where t_ counts the samples of all epochs so far."""
        theirs = [0.8 / pow(epoch * samples + 1, power_t) for epoch in range(301)]
        ours = rates(InverseScaling(optimizer(), power_t, increment=samples), 300)
        np.testing.assert_allclose(ours, theirs, rtol=ROUNDING)


MAKERS: dict[str, Callable[[SGD], Any]] = {
    "StepLR": lambda sgd: StepLR(sgd, 3, 0.5),
    "ExponentialLR": lambda sgd: ExponentialLR(sgd, 0.9),
    "CosineAnnealingLR": lambda sgd: CosineAnnealingLR(sgd, 20, 0.01),
    "InverseScaling": lambda sgd: InverseScaling(sgd, 0.5, 10),
    "OneCycleLR": lambda sgd: OneCycleLR(sgd, 1.0, 30, anneal_strategy="linear", three_phase=True),
    "ReduceLROnPlateau": lambda sgd: ReduceLROnPlateau(sgd, "max", 0.5, patience=1, cooldown=1),
}


@pytest.mark.parametrize("kind", MAKERS)
class TestEverySchedule:
    @staticmethod
    def step(schedule: Any, t: int) -> float:
        if isinstance(schedule, ReduceLROnPlateau):
            schedule.step(math.sin(t))
        else:
            schedule.step()
        return float(schedule.optimizer.lr)

    @pytest.mark.parametrize("through_a_file", [False, True])
    def test_goes_on_in_another_one(self, kind: str, through_a_file: bool) -> None:
        first, second = MAKERS[kind](optimizer()), MAKERS[kind](optimizer(0.3))
        for t in range(7):
            self.step(first, t)
        state, optimizer_state = first.state_dict(), first.optimizer.state_dict()
        if through_a_file:
            file = io.BytesIO()
            np.savez(file, **state)
            file.seek(0)
            state = dict(np.load(file, allow_pickle=False))
        second.optimizer.load_state_dict(optimizer_state)
        second.load_state_dict(state)
        assert second.optimizer.lr == first.optimizer.lr
        assert second.state_dict() == first.state_dict()
        for t in range(7, 20):
            assert self.step(first, t) == self.step(second, t)

    def test_sets_the_rate_from_its_own_state_where_that_is_a_formula(self, kind: str) -> None:
        first, second = MAKERS[kind](optimizer()), MAKERS[kind](optimizer(0.3))
        for t in range(7):
            self.step(first, t)
        second.load_state_dict(first.state_dict())
        plateau = isinstance(second, ReduceLROnPlateau)
        assert second.optimizer.lr == (0.3 if plateau else first.optimizer.lr)

    def test_keeps_plain_numbers_and_words(self, kind: str) -> None:
        state = MAKERS[kind](optimizer(np.float64(0.5))).state_dict()
        assert {type(item) for item in state.values()} <= {int, float, str, bool}
        assert state["base_lr"] == 0.5

    def test_refuses_a_state_that_does_not_fit(self, kind: str) -> None:
        schedule = MAKERS[kind](optimizer())
        before, lr = schedule.state_dict(), schedule.optimizer.lr
        state = dict(before, warmth=3)
        del state["steps"]
        with pytest.raises(ValueError, match=f"{kind}; missing: steps; unexpected: warmth"):
            schedule.load_state_dict(state)
        assert (schedule.state_dict(), schedule.optimizer.lr) == (before, lr)

    def test_drives_an_optimiser_and_nothing_else(self, kind: str) -> None:
        with pytest.raises(TypeError, match=f"{kind} drives an optimizer, .* got 0.1"):
            MAKERS[kind](0.1)  # type: ignore[arg-type]

    def test_shows_its_numbers(self, kind: str) -> None:
        text = repr(MAKERS[kind](optimizer()))
        assert text.startswith(f"{kind}(base_lr=0.8, steps=0, ")


def test_a_schedule_needs_a_rate() -> None:
    with pytest.raises(NotImplementedError, match="Schedule has no rate"):
        Schedule(optimizer()).step()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda sgd: StepLR(sgd, 0), "StepLR: step_size is a whole number of at least 1, got 0"),
        (
            lambda sgd: StepLR(sgd, 2.5),  # type: ignore[arg-type]
            "StepLR: step_size is a whole number",
        ),
        (lambda sgd: StepLR(sgd, 2, 0.0), "StepLR: gamma is a finite number above 0, got 0.0"),
        (lambda sgd: ExponentialLR(sgd, -0.5), "ExponentialLR: gamma is .* got -0.5"),
        (lambda sgd: ExponentialLR(sgd, np.inf), "ExponentialLR: gamma is .* got inf"),
        (lambda sgd: CosineAnnealingLR(sgd, 0), "CosineAnnealingLR: T_max is .* got 0"),
        (lambda sgd: CosineAnnealingLR(sgd, 5, -1.0), "CosineAnnealingLR: eta_min is .* got -1.0"),
        (lambda sgd: InverseScaling(sgd, -1.0), "InverseScaling: power_t is .* got -1.0"),
        (lambda sgd: InverseScaling(sgd, 1.0, 0), "InverseScaling: increment is .* got 0"),
        (lambda sgd: OneCycleLR(sgd, 0.0, 9), "OneCycleLR: max_lr is .* got 0.0"),
        (lambda sgd: OneCycleLR(sgd, 1.0, 1), "OneCycleLR: total_steps is .* got 1"),
        (lambda sgd: OneCycleLR(sgd, 1.0, 9, 0.0), "OneCycleLR: pct_start is above 0"),
        (lambda sgd: OneCycleLR(sgd, 1.0, 9, 1.1), "OneCycleLR: pct_start is .* at most 1.0"),
        (
            lambda sgd: OneCycleLR(sgd, 1.0, 9, 0.6, three_phase=True),
            "OneCycleLR: pct_start is .* at most 0.5",
        ),
        (lambda sgd: OneCycleLR(sgd, 1.0, 9, 0.3, "sin"), "anneal_strategy is 'cos' or 'linear'"),
        (lambda sgd: OneCycleLR(sgd, 1.0, 9, div_factor=0.0), "OneCycleLR: div_factor is"),
        (lambda sgd: OneCycleLR(sgd, 1.0, 9, final_div_factor=-1.0), "final_div_factor is"),
        (lambda sgd: ReduceLROnPlateau(sgd, "least"), "mode is 'min' or 'max', got 'least'"),
        (lambda sgd: ReduceLROnPlateau(sgd, factor=1.0), "factor is above 0 and below 1, got 1"),
        (lambda sgd: ReduceLROnPlateau(sgd, patience=-1), "patience is .* at least 0, got -1"),
        (lambda sgd: ReduceLROnPlateau(sgd, cooldown=-1), "cooldown is .* at least 0, got -1"),
        (lambda sgd: ReduceLROnPlateau(sgd, threshold=-1.0), "threshold is .* got -1.0"),
        (lambda sgd: ReduceLROnPlateau(sgd, min_lr=np.nan), "min_lr is .* got nan"),
        (lambda sgd: ReduceLROnPlateau(sgd, eps=-1.0), "eps is .* got -1.0"),
        (
            lambda sgd: ReduceLROnPlateau(sgd, threshold_mode="log"),
            "threshold_mode is 'rel' or 'abs', got 'log'",
        ),
    ],
)
def test_arguments_out_of_range_are_refused_and_leave_the_rate_alone(
    make: Callable[[SGD], Any], message: str
) -> None:
    sgd = optimizer()
    with pytest.raises((ValueError, TypeError), match=message):
        make(sgd)
    assert sgd.lr == 0.8
