"""Learning rates that fall by a formula."""

from __future__ import annotations

import math

from nnlite.core.arguments import AT_LEAST_0, POSITIVE, SIZE, Checked
from nnlite.optim import Optimizer
from nnlite.optim.schedules.schedule import Schedule


class StepLR(Schedule):
    """γ₀ · gamma^⌊t/step_size⌋: a factor every `step_size` steps.

    Parameters
    ----------
    optimizer : Optimizer
    step_size : int
        At least 1.
    gamma : float
        Above 0.

    Examples
    --------
    >>> import numpy as np
    >>> import nnlite as nn
    >>> sgd = nn.SGD([nn.Parameter(np.ones(1))], lr=8.0)
    >>> schedule = StepLR(sgd, step_size=2, gamma=0.5)
    >>> for _ in range(5):
    ...     print(sgd.lr)
    ...     schedule.step()
    8.0
    8.0
    4.0
    4.0
    2.0
    """

    step_size = Checked(SIZE)
    gamma = Checked(POSITIVE)

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        super().__init__(optimizer)
        self.step_size, self.gamma = step_size, gamma

    def rate(self, t: int) -> float:
        return float(self.base_lr * self.gamma ** (t // self.step_size))


class ExponentialLR(Schedule):
    """γ₀ · gammaᵗ.

    Parameters
    ----------
    optimizer : Optimizer
    gamma : float
        Above 0.
    """

    gamma = Checked(POSITIVE)

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        super().__init__(optimizer)
        self.gamma = gamma

    def rate(self, t: int) -> float:
        return float(self.base_lr * self.gamma**t)


class CosineAnnealingLR(Schedule):
    """η + (γ₀ − η)(1 + cos(π t/T))/2: from γ₀ down to η in T steps, and up again in the next T.

    Loshchilov and Hutter (2017), *SGDR: Stochastic Gradient Descent with Warm Restarts*,
    equation 5, without the restarts.

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int
        T, at least 1.
    eta_min : float
        η, at least 0.
    """

    T_max = Checked(SIZE)
    eta_min = Checked(AT_LEAST_0)

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        super().__init__(optimizer)
        self.T_max, self.eta_min = T_max, eta_min

    def rate(self, t: int) -> float:
        swing = (1 + math.cos(math.pi * t / self.T_max)) / 2
        return float(self.eta_min + (self.base_lr - self.eta_min) * swing)


class InverseScaling(Schedule):
    """γ₀ / (1 + t·increment)^power_t, scikit-learn's ``learning_rate='invscaling'``.

    Parameters
    ----------
    optimizer : Optimizer
    power_t : float
        At least 0.
    increment : int
        By how much a step brings the time forward, at least 1. scikit-learn's ``MLPClassifier``
        changes the rate after each epoch and counts samples: with `step` after each epoch,
        `increment` is the number of training samples.
    """

    power_t = Checked(AT_LEAST_0)
    increment = Checked(SIZE)

    def __init__(self, optimizer: Optimizer, power_t: float = 0.5, increment: int = 1) -> None:
        super().__init__(optimizer)
        self.power_t, self.increment = power_t, increment

    def rate(self, t: int) -> float:
        return float(self.base_lr / (1 + t * self.increment) ** self.power_t)
