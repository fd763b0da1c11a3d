"""The schedules with most to say, against PyTorch's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from rates import ROUNDING, optimizer, rates

from nnlite.optim.schedules import (
    OneCycleLR,
    ReduceLROnPlateau,
)


def torch_one_cycle(
    t: int,
    max_lr: float,
    total_steps: int,
    pct_start: float,
    anneal_strategy: str,
    div_factor: float,
    final_div_factor: float,
    three_phase: bool,
) -> float:
    """The rate after t steps, phase by phase."""
    initial = max_lr / div_factor
    minimum = initial / final_div_factor
    up = float(pct_start * total_steps) - 1
    phases = [(up, initial, max_lr)]
    if three_phase:
        phases.append((float(2 * pct_start * total_steps) - 2, max_lr, initial))
        phases.append((total_steps - 1, initial, minimum))
    else:
        phases.append((total_steps - 1, max_lr, minimum))
    start_step = 0.0
    for number, (end_step, start, end) in enumerate(phases):
        if t <= end_step or number == len(phases) - 1:
            pct = (t - start_step) / (end_step - start_step)
            if anneal_strategy == "linear":
                return (end - start) * pct + start
            return end + (start - end) / 2 * (math.cos(math.pi * pct) + 1)
        start_step = end_step
    raise AssertionError


class TestOneCycleLR:
    @pytest.mark.parametrize("anneal_strategy", ["cos", "linear"])
    @pytest.mark.parametrize("three_phase", [False, True])
    @pytest.mark.parametrize("total_steps", [10, 97, 300])
    @pytest.mark.parametrize("pct_start", [0.2, 0.3, 0.45])
    def test_has_pytorchs_rates(
        self, total_steps: int, pct_start: float, anneal_strategy: str, three_phase: bool
    ) -> None:
        for div_factor, final_div_factor in [(25.0, 1e4), (2.0, 10.0)]:
            arguments = (
                *(0.5, total_steps, pct_start, anneal_strategy),
                *(div_factor, final_div_factor, three_phase),
            )
            ours = rates(OneCycleLR(optimizer(), *arguments), total_steps - 1)
            theirs = [torch_one_cycle(t, *arguments) for t in range(total_steps)]
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=ROUNDING)
            assert ours[0] == pytest.approx(0.5 / div_factor, rel=ROUNDING)
            assert ours[-1] == pytest.approx(0.5 / div_factor / final_div_factor, rel=1e-9)

    def test_may_only_rise(self) -> None:
        ours = rates(OneCycleLR(optimizer(), 1.0, 11, pct_start=1.0), 10)
        assert ours == sorted(ours)
        assert ours[-1] == 1.0

    @pytest.mark.parametrize("three_phase", [False, True])
    def test_begins_at_the_peak_where_the_rise_is_no_step_long(self, three_phase: bool) -> None:
        for pct_start in (0.1, 0.01):
            schedule = OneCycleLR(optimizer(), 1.0, 10, pct_start, three_phase=three_phase)
            ours = rates(schedule, 9)
            assert ours[0] == (1 / 25 if three_phase else 1.0)
            assert ours == sorted(ours, reverse=True)

    def test_keeps_the_last_rate_in_the_step_after_the_last_batch_and_then_refuses(self) -> None:
        sgd = optimizer()
        schedule = OneCycleLR(sgd, 1.0, 10)
        for _ in range(9):
            schedule.step()
        last = sgd.lr
        schedule.step()
        assert sgd.lr == pytest.approx(last, rel=ROUNDING)
        before = schedule.state_dict()
        with pytest.raises(ValueError, match="more often than the 10 times that total_steps"):
            schedule.step()
        assert schedule.state_dict() == before


def torch_plateau(
    metrics: list[float],
    lr: float,
    mode: str,
    factor: float,
    patience: int,
    threshold: float,
    threshold_mode: str,
    cooldown: int,
    min_lr: float,
    eps: float,
) -> Iterator[float]:
    """The rates of torch.optim.lr_scheduler.ReduceLROnPlateau after each metric."""
    best = math.inf if mode == "min" else -math.inf
    bad = cooling = 0
    for a in metrics:
        better = {
            ("min", "rel"): a < best * (1.0 - threshold),
            ("min", "abs"): a < best - threshold,
            ("max", "rel"): a > best * (threshold + 1.0),
            ("max", "abs"): a > best + threshold,
        }[mode, threshold_mode]
        if better:
            best, bad = a, 0
        else:
            bad += 1
        if cooling > 0:
            cooling -= 1
            bad = 0
        if bad > patience:
            new = max(lr * factor, min_lr)
            if lr - new > eps:
                lr = new
            cooling, bad = cooldown, 0
        yield lr


class TestReduceLROnPlateau:
    @pytest.mark.parametrize("mode", ["min", "max"])
    @pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
    @pytest.mark.parametrize("patience", [0, 1, 4])
    @pytest.mark.parametrize("cooldown", [0, 3])
    def test_has_pytorchs_rates(
        self, mode: str, threshold_mode: str, patience: int, cooldown: int
    ) -> None:
        rng = np.random.default_rng(0)
        falling = np.exp(-np.arange(300) / 60) + 0.05 * rng.standard_normal(300)
        metrics = list(falling if mode == "min" else -falling)
        metrics[17] = np.nan
        seen = set()
        for factor, threshold, min_lr, eps in product([0.1, 0.7], [0.0, 0.02], [0, 0.01], [0, 0.1]):
            schedule = ReduceLROnPlateau(
                *(optimizer(), mode, factor, patience, threshold, threshold_mode, cooldown),
                min_lr=min_lr,
                eps=eps,
            )
            ours = []
            for metric in metrics:
                schedule.step(metric)
                ours.append(schedule.optimizer.lr)
            theirs = torch_plateau(
                *(metrics, 0.8, mode, factor, patience, threshold, threshold_mode, cooldown),
                *(min_lr, eps),
            )
            np.testing.assert_allclose(ours, list(theirs), rtol=ROUNDING)
            seen.add(ours[-1])
        assert len(seen) > 4

    def test_reads_the_rate_from_the_optimiser_in_each_step(self) -> None:
        sgd = optimizer(1.0)
        schedule = ReduceLROnPlateau(sgd, factor=0.5, patience=0)
        schedule.step(1.0)
        sgd.lr = np.float64(0.25)
        schedule.step(1.0)
        assert sgd.lr == 0.125

    def test_takes_the_metric_as_an_array_of_one_element(self) -> None:
        schedule = ReduceLROnPlateau(optimizer())
        schedule.step(np.float32(0.5))
        assert type(schedule.best) is float
