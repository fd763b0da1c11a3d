"""Schedule: what all schedules share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnlite.optim import Optimizer


class Schedule:
    """lr = rate(t) after t calls of `step`; a subclass defines ``rate(t)``.

    Parameters
    ----------
    optimizer : Optimizer
        Its ``lr`` is set when the schedule is made, and in each step.

    Attributes
    ----------
    base_lr : float
        γ₀, the optimiser's learning rate when the schedule was made.
    steps : int
        t, how often `step` was called.

    Notes
    -----
    Unlike in PyTorch each rate is found from γ₀ and t alone, not from the rate before: nothing
    adds up, and what was set by hand lasts until the next step. One optimiser has one schedule.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"{type(self).__name__} drives an optimizer, such as nn.SGD(...), got {optimizer!r}"
            )
        self.optimizer = optimizer
        self.base_lr = float(optimizer.lr)
        self.steps = 0

    def rate(self, t: int) -> float:
        """The learning rate after t steps."""
        raise NotImplementedError(f"{type(self).__name__} has no rate(self, t)")

    def step(self) -> None:
        """Set the next learning rate; call it after the optimiser's step, or after an epoch."""
        self.optimizer.lr = self.rate(self.steps + 1)
        self.steps += 1

    def state_dict(self) -> dict[str, Any]:
        """Every number that the schedule keeps, by name; ``optimizer`` has a state of its own."""
        return {name: item for name, item in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where the schedule that gave `state` stopped.

        Raises
        ------
        ValueError
            If the names are not those of this schedule's own state; nothing is changed then.
        """
        own = self.state_dict()
        problems = [f"missing: {name}" for name in own if name not in state]
        problems += [f"unexpected: {name}" for name in state if name not in own]
        if problems:
            raise ValueError(
                f"the state does not fit {type(self).__name__}; " + "; ".join(problems)
            )
        for name in own:
            setattr(self, name, np.asarray(state[name]).item())
        self._restore()

    def _restore(self) -> None:
        self.optimizer.lr = self.rate(self.steps)

    def __repr__(self) -> str:
        numbers = ", ".join(f"{name}={item!r}" for name, item in self.state_dict().items())
        return f"{type(self).__name__}({numbers})"
