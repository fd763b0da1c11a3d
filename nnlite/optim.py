"""Optimisers: how a step changes the parameters, given their gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from nnlite.node import Parameter


class SGD:
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

    Notes
    -----
    A step gives a parameter a new array and leaves the old one as it was: the values that an
    earlier forward pass used stay what they were. The dtype is kept.

    Examples
    --------
    >>> import numpy as np
    >>> w = Parameter(np.array([1.0, 2.0]))
    >>> w.grad = np.array([10.0, 10.0])
    >>> SGD([w], lr=0.01).step()
    >>> w.value
    array([0.9, 1.9])
    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        parameters = list(parameters)
        for parameter in parameters:
            if not isinstance(parameter, Parameter):
                raise TypeError(f"SGD takes parameters (nn.Parameter), got {parameter!r}")
        self.parameters = list(dict.fromkeys(parameters))
        if not self.parameters:
            raise ValueError("SGD got no parameters; pass those of a module: module.parameters()")
        self.lr = _checked("lr", lr)
        if self.lr == 0:
            raise ValueError("SGD: lr is 0, so nothing would be trained")
        self.momentum = _checked("momentum", momentum)
        self.dampening = _checked("dampening", dampening)
        self.weight_decay = _checked("weight_decay", weight_decay)
        if nesterov and (self.momentum == 0 or self.dampening != 0):
            raise ValueError("SGD: Nesterov momentum needs a momentum above 0 and no dampening")
        self.nesterov = nesterov
        self.velocity: dict[Parameter, Any] = {}

    def step(self) -> None:
        """Change every parameter that has a gradient."""
        lr = float(self.lr)  # a NumPy scalar would turn float32 into float64
        for parameter in self.parameters:
            if parameter.grad is not None:
                parameter.value = parameter.value - lr * self._direction(parameter)

    def _direction(self, parameter: Parameter) -> Any:
        g = parameter.grad
        if self.weight_decay:
            g = g + self.weight_decay * parameter.value
        if not self.momentum:
            return g
        v = self.velocity.get(parameter)
        v = np.array(g) if v is None else self.momentum * v + (1 - self.dampening) * g
        self.velocity[parameter] = v
        return g + self.momentum * v if self.nesterov else v

    def zero_grad(self) -> None:
        """Forget the gradients that the parameters have accumulated."""
        for parameter in self.parameters:
            parameter.grad = None


def _checked(name: str, value: float) -> float:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"SGD: {name} is a finite number of at least 0, got {value!r}")
    return float(value)
