"""Learning rates, step by step."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlite as nn
from nnlite.optim import SGD
from nnlite.optim.schedules import (
    Schedule,
)

ROUNDING = 1e-13
"""A rate is a few operations; the recurrences add up 300 roundings of 1.1e-16."""


def optimizer(lr: Any = 0.8) -> SGD:
    return SGD([nn.Parameter(np.ones(1))], lr=lr)


def rates(schedule: Schedule, steps: int) -> list[float]:
    """The rate before the first step and after each."""
    result = [schedule.optimizer.lr]
    for _ in range(steps):
        schedule.step()
        result.append(schedule.optimizer.lr)
    assert all(type(rate) is float for rate in result)
    return result
