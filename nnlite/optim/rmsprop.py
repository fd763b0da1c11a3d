"""RMSprop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nnlite.core.arguments import AT_LEAST_0, FLAG, POSITIVE, SHARE, Checked
from nnlite.core.node import Parameter
from nnlite.optim.optimizer import Optimizer


class RMSprop(Optimizer):
    r"""Steps in units of the gradient over its running root mean square.

    With the gradient g of a parameter θ, learning rate γ, smoothing α, momentum μ and weight decay
    λ, one step is

    .. math::

        g &\leftarrow g + \lambda\theta \\
        v &\leftarrow \alpha v + (1 - \alpha)\, g^2 \\
        d &= g / (\sqrt{v} + \varepsilon), \quad\text{if centred }
        d = g / (\sqrt{v - \bar g^2} + \varepsilon)
        \text{ with } \bar g \leftarrow \alpha \bar g + (1 - \alpha)\, g \\
        b &\leftarrow \mu b + d \\
        \theta &\leftarrow \theta - \gamma b

    from v = ḡ = b = 0. These are the rules of ``torch.optim.RMSprop`` (PyTorch documentation);
    the method is that of Tieleman and Hinton (2012), *Neural Networks for Machine Learning*,
    lecture 6.5, the centred one that of Graves (2013), *Generating Sequences With Recurrent Neural
    Networks*, equations 38 to 41.

    Parameters
    ----------
    parameters : iterable of Parameter
        Those to train, as from ``module.parameters()``.
    lr : float
        γ, above 0; may be changed between steps.
    alpha : float
        α, at least 0 and below 1.
    eps : float
        ε, above 0.
    weight_decay, momentum : float
        λ and μ, at least 0.
    centered : bool
        Whether the gradient is divided by its standard deviation instead.

    Notes
    -----
    v − ḡ² is never negative; where rounding makes it so it counts as 0, and PyTorch gives NaN.

    Examples
    --------
    >>> w = Parameter(np.array([1.0, 2.0]))
    >>> w.grad = np.array([10.0, -0.1])
    >>> RMSprop([w], lr=0.1, alpha=0.75).step()
    >>> w.value.round(6)
    array([0.8, 2.2])
    """

    is_elementwise = True
    alpha = Checked(SHARE)
    eps = Checked(POSITIVE)
    weight_decay = Checked(AT_LEAST_0)
    momentum = Checked(AT_LEAST_0)
    centered = Checked(FLAG)

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        super().__init__(parameters, lr)
        self.alpha, self.eps, self.weight_decay = alpha, eps, weight_decay
        self.momentum, self.centered = momentum, centered

    def direction(self, g: Any, theta: Any, memory: dict[str, Any]) -> Any:
        if self.weight_decay:
            g = g + self.weight_decay * theta
        alpha = self.alpha
        v = memory["square"] = alpha * memory.get("square", 0.0) + (1 - alpha) * g * g
        if self.centered:
            mean = memory["mean"] = alpha * memory.get("mean", 0.0) + (1 - alpha) * g
            v = np.maximum(v - mean * mean, 0)
        d = g / (np.sqrt(v) + self.eps)
        if self.momentum:
            d = memory["velocity"] = self.momentum * memory.get("velocity", 0.0) + d
        return d
