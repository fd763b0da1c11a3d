"""A schedule that watches how training goes."""

from __future__ import annotations

import math
from typing import SupportsFloat

from nnlite.core.arguments import AT_LEAST_0, COUNT, INNER, Checked, OneOf
from nnlite.optim import Optimizer
from nnlite.optim.schedules.schedule import Schedule


class ReduceLROnPlateau(Schedule):
    """A smaller rate whenever a metric has not become better for more than `patience` steps.

    A metric m is better than the best b so far if, in mode "min", m < b·(1 − threshold), with
    threshold mode "abs" m < b − threshold; in mode "max", m > b·(1 + threshold) or
    m > b + threshold. A step in which it is not better is a bad one. After more than `patience`
    bad ones in a row the rate becomes max(factor·lr, min_lr), and the next `cooldown` steps cannot
    be bad. These are the rules of ``torch.optim.lr_scheduler.ReduceLROnPlateau`` (PyTorch
    documentation).

    Parameters
    ----------
    optimizer : Optimizer
    mode : {"min", "max"}
        Whether smaller or larger is better.
    factor : float
        Above 0 and below 1.
    patience, cooldown : int
        At least 0.
    threshold : float
        At least 0.
    threshold_mode : {"rel", "abs"}
    min_lr, eps : float
        At least 0; the rate is left as it is if it would change by no more than `eps`.

    Attributes
    ----------
    best : float
        b.
    bad_steps, cooldown_left : int
        Bad steps in a row so far, and steps of the cooldown still to come.

    Notes
    -----
    A metric that is NaN is never better. The rate itself belongs to the optimiser's state:
    ``load_state_dict`` here restores everything else.

    Examples
    --------
    >>> import numpy as np
    >>> import nnlite as nn
    >>> sgd = nn.SGD([nn.Parameter(np.ones(1))], lr=1.0)
    >>> schedule = ReduceLROnPlateau(sgd, factor=0.5, patience=1)
    >>> for loss in [3.0, 2.0, 2.0, 2.0, 1.0]:
    ...     schedule.step(loss)
    ...     print(sgd.lr)
    1.0
    1.0
    1.0
    0.5
    0.5
    """

    mode = Checked(OneOf("min", "max"))
    factor = Checked(INNER)
    patience = Checked(COUNT)
    threshold = Checked(AT_LEAST_0)
    threshold_mode = Checked(OneOf("rel", "abs"))
    cooldown = Checked(COUNT)
    min_lr = Checked(AT_LEAST_0)
    eps = Checked(AT_LEAST_0)

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        super().__init__(optimizer)
        self.mode, self.threshold_mode = mode, threshold_mode
        self.factor, self.threshold = factor, threshold
        self.patience, self.cooldown = patience, cooldown
        self.min_lr, self.eps = min_lr, eps
        self.best = math.inf if mode == "min" else -math.inf
        self.bad_steps = 0
        self.cooldown_left = 0

    def step(self, metric: SupportsFloat) -> None:  # type: ignore[override]
        """Look at this epoch's metric, such as the loss on a validation set."""
        value = float(metric)
        self.steps += 1
        if self.is_better(value):
            self.best = value
            self.bad_steps = 0
        else:
            self.bad_steps += 1
        if self.cooldown_left > 0:
            self.cooldown_left -= 1
            self.bad_steps = 0
        if self.bad_steps > self.patience:
            lr = float(self.optimizer.lr)
            smaller = max(self.factor * lr, self.min_lr)
            if lr - smaller > self.eps:
                self.optimizer.lr = smaller
            self.cooldown_left = self.cooldown
            self.bad_steps = 0

    def is_better(self, metric: float) -> bool:
        """Whether `metric` beats `best` by more than the threshold."""
        sign = -1 if self.mode == "min" else 1
        if self.threshold_mode == "rel":
            wanted = self.best * (1 + sign * self.threshold)
        else:
            wanted = self.best + sign * self.threshold
        return sign * metric > sign * wanted

    def _restore(self) -> None:
        """The rate is not a function of what is kept here."""
