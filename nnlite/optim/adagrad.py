"""Adagrad."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nnlite.core.arguments import AT_LEAST_0, POSITIVE, Checked
from nnlite.core.node import Parameter
from nnlite.optim.optimizer import Optimizer


class Adagrad(Optimizer):
    r"""Steps in units of the gradient over the root of the sum of all its squares so far.

    With the gradient g of a parameter θ in its step t = 1, 2, …, learning rate γ with decay η and
    weight decay λ, one step is

    .. math::

        g &\leftarrow g + \lambda\theta \\
        s &\leftarrow s + g^2 \\
        \theta &\leftarrow \theta - \frac{\gamma}{1 + (t - 1)\,\eta}\,
        \frac{g}{\sqrt{s} + \varepsilon}

    These are the rules of ``torch.optim.Adagrad`` (PyTorch documentation); the method is that of
    Duchi, Hazan and Singer (2011), *Adaptive Subgradient Methods for Online Learning and
    Stochastic Optimization*, with the diagonal matrix of section 5.

    Parameters
    ----------
    parameters : iterable of Parameter
        Those to train, as from ``module.parameters()``.
    lr : float
        γ, above 0; may be changed between steps.
    lr_decay, weight_decay : float
        η and λ, at least 0.
    initial_accumulator_value : float
        s before the first step, at least 0.
    eps : float
        ε, above 0.

    Examples
    --------
    >>> w = Parameter(np.array([1.0, 2.0]))
    >>> w.grad = np.array([10.0, -0.1])
    >>> Adagrad([w], lr=0.1).step()
    >>> w.value.round(6)
    array([0.9, 2.1])
    """

    is_elementwise = True
    lr_decay = Checked(AT_LEAST_0)
    weight_decay = Checked(AT_LEAST_0)
    initial_accumulator_value = Checked(AT_LEAST_0)
    eps = Checked(POSITIVE)

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        super().__init__(parameters, lr)
        self.lr_decay, self.weight_decay, self.eps = lr_decay, weight_decay, eps
        self.initial_accumulator_value = initial_accumulator_value

    def direction(self, g: Any, theta: Any, memory: dict[str, Any]) -> Any:
        if self.weight_decay:
            g = g + self.weight_decay * theta
        t = memory["steps"] = memory.get("steps", 0) + 1
        s = memory["sum"] = memory.get("sum", self.initial_accumulator_value) + g * g
        return g / (1 + (t - 1) * self.lr_decay) / (np.sqrt(s) + self.eps)
