"""The one-cycle policy."""

from __future__ import annotations

import math

from nnlite.core.arguments import FLAG, POSITIVE, Checked, Number, OneOf
from nnlite.optim import Optimizer
from nnlite.optim.schedules.schedule import Schedule


class OneCycleLR(Schedule):
    """Up from max_lr/div_factor to max_lr, and down to a tiny rate, in `total_steps` steps.

    The rate is max_lr/div_factor at t = 0, max_lr at t = pct_start·total_steps − 1 and
    max_lr/(div_factor·final_div_factor) at the last, t = total_steps − 1; with three phases it is
    back at max_lr/div_factor at t = 2·pct_start·total_steps − 2. In between it follows half a
    cosine wave or a straight line. These are the rules of
    ``torch.optim.lr_scheduler.OneCycleLR`` (PyTorch documentation); the method is that of Smith
    and Topin (2018), *Super-Convergence: Very Fast Training of Neural Networks Using Large
    Learning Rates*.

    Parameters
    ----------
    optimizer : Optimizer
        The rate that it has is replaced at once.
    max_lr : float
        Above 0.
    total_steps : int
        How many batches there are, at least 2.
    pct_start : float
        The share of the steps in which the rate rises: above 0 and at most 1, or at most ½ with
        three phases.
    anneal_strategy : {"cos", "linear"}
    div_factor, final_div_factor : float
        Above 0.
    three_phase : bool

    Notes
    -----
    Unlike PyTorch's, it leaves the momentum alone. Where the peak would lie at or before t = 0,
    because pct_start·total_steps ≤ 1, the rate is max_lr at t = 0; PyTorch divides by zero there
    or starts below. The step after the last batch, which a plain loop takes, keeps the last rate;
    PyTorch's goes on along the curve.

    Raises
    ------
    ValueError
        If an argument is out of its range or, in `step`, if it was called more often than
        `total_steps` times.

    Examples
    --------
    >>> import numpy as np
    >>> import nnlite as nn
    >>> sgd = nn.SGD([nn.Parameter(np.ones(1))], lr=1.0)
    >>> schedule = OneCycleLR(sgd, max_lr=1.0, total_steps=6, pct_start=0.5, div_factor=10.0)
    >>> rates = [sgd.lr]
    >>> for _ in range(5):
    ...     schedule.step()
    ...     rates.append(sgd.lr)
    >>> [round(rate, 2) for rate in rates]
    [0.1, 0.55, 1.0, 0.75, 0.25, 0.0]
    """

    max_lr = Checked(POSITIVE)
    total_steps = Checked(Number("a whole number of at least 2", int, low=2))
    pct_start = Checked(Number("above 0 and at most 1.0", float, above=0, high=1))
    anneal_strategy = Checked(OneOf("cos", "linear"))
    div_factor = Checked(POSITIVE)
    final_div_factor = Checked(POSITIVE)
    three_phase = Checked(FLAG)

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float,
        total_steps: int,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
    ) -> None:
        super().__init__(optimizer)
        if three_phase and pct_start > 0.5:
            raise ValueError(
                f"OneCycleLR: pct_start is above 0 and at most 0.5 with three phases, "
                f"got {pct_start!r}"
            )
        self.max_lr, self.total_steps, self.pct_start = max_lr, total_steps, pct_start
        self.anneal_strategy, self.three_phase = anneal_strategy, three_phase
        self.div_factor, self.final_div_factor = div_factor, final_div_factor
        self.optimizer.lr = self.rate(0)

    def rate(self, t: int) -> float:
        if t > self.total_steps:
            raise ValueError(
                f"OneCycleLR: step was called more often than the {self.total_steps} times that "
                "total_steps allows; call it once after each batch"
            )
        low = self.max_lr / self.div_factor
        peak = max(self.pct_start * self.total_steps - 1, 0.0)
        milestones = [(peak, self.max_lr), (self.total_steps - 1.0, low / self.final_div_factor)]
        if self.three_phase:
            milestones.insert(1, (2 * peak, low))
        start, lr = 0.0, low
        for end, next_lr in milestones:
            if start < end and t <= end:
                return lr + (next_lr - lr) * self._annealed((t - start) / (end - start))
            start, lr = end, next_lr
        return lr

    def _annealed(self, share: float) -> float:
        return share if self.anneal_strategy == "linear" else (1 - math.cos(math.pi * share)) / 2
