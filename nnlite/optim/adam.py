"""Adam, with weight decay in the gradient or beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from nnlite.core.arguments import AT_LEAST_0, POSITIVE, SHARE, Checked, TwoOf
from nnlite.core.node import Parameter
from nnlite.optim.optimizer import Optimizer


class Adam(Optimizer):
    r"""Steps in units of the gradient's running mean over its running root mean square.

    With the gradient g of a parameter θ in its step t = 1, 2, …, learning rate γ, betas β₁ and
    β₂ and weight decay λ, one step is

    .. math::

        g &\leftarrow g + \lambda\theta \\
        m &\leftarrow \beta_1 m + (1 - \beta_1)\, g, \qquad
        v \leftarrow \beta_2 v + (1 - \beta_2)\, g^2 \\
        \theta &\leftarrow \theta - \gamma\, \frac{m / (1 - \beta_1^t)}
        {\sqrt{v / (1 - \beta_2^t)} + \varepsilon}

    from m = v = 0. These are the rules of ``torch.optim.Adam`` (PyTorch documentation) and
    algorithm 1 of Kingma and Ba (2015), *Adam: A Method for Stochastic Optimization*. Some
    systems, such as scikit-learn, add ε to √v before its correction, as in the paper's section 2:
    their ε is √(1 − β₂ᵗ) times this one.

    Parameters
    ----------
    parameters : iterable of Parameter
        Those to train, as from ``module.parameters()``.
    lr : float
        γ, above 0; may be changed between steps.
    betas : (float, float)
        β₁ and β₂, at least 0 and below 1.
    eps : float
        ε, above 0.
    weight_decay : float
        λ, at least 0.

    Examples
    --------
    >>> w = Parameter(np.array([1.0, 2.0]))
    >>> w.grad = np.array([10.0, -0.1])
    >>> Adam([w], lr=0.1).step()
    >>> w.value.round(6)
    array([0.9, 2.1])
    """

    is_elementwise = True
    betas = Checked(TwoOf(SHARE))
    eps = Checked(POSITIVE)
    weight_decay = Checked(AT_LEAST_0)

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr)
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay

    def direction(self, g: Any, theta: Any, memory: dict[str, Any]) -> Any:
        if self.weight_decay:
            g = g + self.weight_decay * theta
        return self._adapted(g, memory)

    def _adapted(self, g: Any, memory: dict[str, Any]) -> Any:
        beta1, beta2 = self.betas
        t = memory["steps"] = memory.get("steps", 0) + 1
        m = memory["mean"] = beta1 * memory.get("mean", 0.0) + (1 - beta1) * g
        v = memory["square"] = beta2 * memory.get("square", 0.0) + (1 - beta2) * g * g
        rms = np.sqrt(v) / math.sqrt(1 - beta2**t)
        return m / (1 - beta1**t) / (rms + self.eps)


class AdamW(Adam):
    r"""Adam with decoupled weight decay: λθ bypasses the running averages.

    One step is that of `Adam` without its first line, and

    .. math:: \theta \leftarrow \theta - \gamma\lambda\theta

    with the θ before the step. These are the rules of ``torch.optim.AdamW`` (PyTorch
    documentation) and, but for γ in the decay, of Loshchilov and Hutter (2019), *Decoupled Weight
    Decay Regularization*, algorithm 2.

    Parameters
    ----------
    parameters, lr, betas, eps
        As those of `Adam`.
    weight_decay : float
        λ, at least 0.

    Examples
    --------
    >>> w = Parameter(np.array([1.0, 2.0]))
    >>> w.grad = np.array([0.0, 0.0])
    >>> AdamW([w], lr=0.1, weight_decay=0.5).step()
    >>> w.value
    array([0.95, 1.9 ])
    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def direction(self, g: Any, theta: Any, memory: dict[str, Any]) -> Any:
        return self._adapted(g, memory) + self.weight_decay * theta
