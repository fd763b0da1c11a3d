"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nnlite.core.arguments import AT_LEAST_0, FLAG, Checked
from nnlite.core.node import Parameter
from nnlite.optim.optimizer import Optimizer


class SGD(Optimizer):
    r"""Stochastic gradient descent with momentum, Nesterov momentum and weight decay.

    With the gradient g of a parameter θ, learning rate γ, momentum μ, dampening τ and weight
    decay λ, one step is

    .. math::

        g &\leftarrow g + \lambda\theta \\
        v &\leftarrow \mu v + (1 - \tau)\, g \quad (v \leftarrow g \text{ in the first step}) \\
        g &\leftarrow g + \mu v \text{ (Nesterov)}, \qquad g \leftarrow v \text{ (otherwise)} \\
        \theta &\leftarrow \theta - \gamma g

    where the second and third lines apply if μ ≠ 0. These are the rules of ``torch.optim.SGD``
    (PyTorch documentation); unlike in Sutskever et al. (2013), *On the importance of
    initialization and momentum in deep learning*, γ multiplies the velocity and not the gradient.

    Parameters
    ----------
    parameters : iterable of Parameter
        Those to train, as from ``module.parameters()``. A parameter without a gradient is left
        as it is.
    lr : float
        γ, above 0; may be changed between steps.
    momentum, dampening, weight_decay : float
        μ, τ and λ, at least 0.
    nesterov : bool
        Needs a momentum above 0 and no dampening.

    Examples
    --------
    >>> import numpy as np
    >>> w = Parameter(np.array([1.0, 2.0]))
    >>> w.grad = np.array([10.0, 10.0])
    >>> SGD([w], lr=0.01).step()
    >>> w.value
    array([0.9, 1.9])
    """

    is_elementwise = True
    momentum = Checked(AT_LEAST_0)
    dampening = Checked(AT_LEAST_0)
    weight_decay = Checked(AT_LEAST_0)
    nesterov = Checked(FLAG)

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(parameters, lr)
        self.momentum, self.dampening, self.weight_decay = momentum, dampening, weight_decay
        if nesterov and (self.momentum == 0 or self.dampening != 0):
            raise ValueError("SGD: Nesterov momentum needs a momentum above 0 and no dampening")
        self.nesterov = nesterov

    def direction(self, g: Any, theta: Any, memory: dict[str, Any]) -> Any:
        if self.weight_decay:
            g = g + self.weight_decay * theta
        if not self.momentum:
            return g
        v = memory.get("velocity")
        if v is None:
            v = memory["velocity"] = np.array(g)
        else:
            v *= self.momentum
            v += (1 - self.dampening) * g if self.dampening else g
        return g + self.momentum * v if self.nesterov else v
