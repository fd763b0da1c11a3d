"""Activation functions, elementwise: the output has the shape and dtype of the input."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import numpy as np

from nnlite.core.arguments import POSITIVE, REAL, Checked, OneOf
from nnlite.core.module import Module
from nnlite.core.primitives.erf import erfc
from nnlite.core.primitives.logistic import sigmoid


class Sigmoid(Module, of="nnlite"):
    """σ(z) = 1 / (1 + exp(−z)), and σ′ = σ (1 − σ).

    Nothing overflows, and no digits are lost far below 0.

    Examples
    --------
    >>> Sigmoid()(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """

    def forward(self, z: Any) -> Any:
        y = sigmoid(z)
        self.save_for_backward(y)
        return y

    def backward(self, grad: Any) -> Any:
        """∂f/∂z = ḡ σ (1 − σ), from ḡ = ∂f/∂y."""
        (y,) = self.saved
        return grad * (y * (1 - y))


class Tanh(Module, of="nnlite"):
    """tanh(z) = 2σ(2z) − 1, and tanh′ = 1 − tanh².

    Examples
    --------
    >>> Tanh()(np.array([-1000.0, 0.0, 1000.0]))
    array([-1.,  0.,  1.])
    """

    def forward(self, z: Any) -> Any:
        y = np.tanh(z)
        self.save_for_backward(y)
        return y

    def backward(self, grad: Any) -> Any:
        """∂f/∂z = ḡ (1 − y²), from ḡ = ∂f/∂y."""
        (y,) = self.saved
        return grad * (1 - y * y)


class ReLU(Module, of="nnlite"):
    """max(0, z), whose derivative at the kink is 0.

    Examples
    --------
    >>> ReLU()(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    """

    def forward(self, z: Any) -> Any:
        y = np.maximum(0, z)  # the tie goes to the 0
        self.save_for_backward(y)
        return y

    def backward(self, grad: Any) -> Any:
        """∂f/∂z = ḡ where z > 0, else 0, from ḡ = ∂f/∂y."""
        (y,) = self.saved
        return np.where(y > 0, grad, 0)


class LeakyReLU(Module, of="nnlite"):
    """z for z > 0 and a z otherwise; the derivative at the kink is a.

    Parameters
    ----------
    negative_slope : float
        a.

    Examples
    --------
    >>> LeakyReLU(0.5)(np.array([-2.0, 0.0, 3.0]))
    array([-1.,  0.,  3.])
    """

    negative_slope = Checked(REAL)

    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__()
        self.negative_slope = negative_slope

    def forward(self, z: Any) -> Any:
        self.save_for_backward(z)
        return np.where(z > 0, z, self.negative_slope * z)

    def backward(self, grad: Any) -> Any:
        """∂f/∂z = ḡ where z > 0, else a ḡ, from ḡ = ∂f/∂y."""
        (z,) = self.saved
        return np.where(z > 0, grad, self.negative_slope * grad)


class ELU(Module, of="nnlite"):
    """z for z > 0 and α (exp(z) − 1) otherwise; the derivative at the kink is α.

    Parameters
    ----------
    alpha : float
        α.

    Notes
    -----
    Clevert, Unterthiner and Hochreiter 2016, "Fast and accurate deep network learning by
    exponential linear units", equation 14.

    Examples
    --------
    >>> ELU()(np.array([-1000.0, 0.0, 3.0]))
    array([-1.,  0.,  3.])
    """

    alpha = Checked(REAL)

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, z: Any) -> Any:
        below = np.minimum(z, 0)
        self.save_for_backward(z, below)
        return np.where(z > 0, z, self.alpha * np.expm1(below))

    def backward(self, grad: Any) -> Any:
        """∂f/∂z = ḡ where z > 0, else ḡ α exp(z), from ḡ = ∂f/∂y."""
        z, below = self.saved
        return np.where(z > 0, grad, grad * (self.alpha * np.exp(below)))


class GELU(Module, of="nnlite"):
    """z Φ(z), where Φ is the distribution function of the standard normal distribution.

    Parameters
    ----------
    approximate : "none" or "tanh"
        Whether Φ(z) is ½ erfc(−z/√2), or approximated by σ(2u) = ½ (1 + tanh u) with
        u = √(2/π) (z + 0.044715 z³).

    Notes
    -----
    Hendrycks and Gimpel 2016, "Gaussian error linear units". With φ = Φ′ the derivative is
    Φ(z) + z φ(z). Written with erfc and σ, no digits are lost where z is far below 0.

    Examples
    --------
    >>> GELU()(np.array([-1000.0, 0.0, 1000.0]))
    array([  -0.,    0., 1000.])
    """

    approximate = Checked(OneOf("none", "tanh"))

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, z: Any) -> Any:
        if self.approximate == "tanh":
            share = sigmoid(sqrt(8 / pi) * (z + 0.044715 * (z * z * z)))
        else:
            share = erfc(-z / sqrt(2)) / 2
        self.save_for_backward(z, share)
        return z * share

    def backward(self, grad: Any) -> Any:
        """∂f/∂z = ḡ (Φ(z) + z φ(z)), from ḡ = ∂f/∂y."""
        z, share = self.saved
        if self.approximate == "tanh":
            slope = sqrt(8 / pi) * (1 + 3 * 0.044715 * (z * z))
            density = share * (1 - share) * slope
        else:
            density = np.exp(-z * z / 2) / sqrt(2 * pi)
        return grad * (share + z * density)


class SiLU(Module, of="nnlite"):
    """z σ(z), also called swish.

    Notes
    -----
    Its derivative is σ (1 + z (1 − σ)).

    Examples
    --------
    >>> SiLU()(np.array([-1000.0, 0.0, 1000.0]))
    array([  -0.,    0., 1000.])
    """

    def forward(self, z: Any) -> Any:
        s = sigmoid(z)
        self.save_for_backward(z, s)
        return z * s

    def backward(self, grad: Any) -> Any:
        """∂f/∂z = ḡ σ (1 + z (1 − σ)), from ḡ = ∂f/∂y."""
        z, s = self.saved
        return grad * (s * (1 + z * (1 - s)))


class Softplus(Module, of="nnlite"):
    """log(1 + exp(β z)) / β, a smooth ReLU; its derivative is σ(β z).

    Parameters
    ----------
    beta : float
        β, above 0.
    threshold : float
        Where β z is above it, the result is z itself, as in PyTorch. This step is no remedy
        against overflow here, which does not happen.

    Examples
    --------
    >>> Softplus()(np.array([-1000.0, 1000.0]))
    array([   0., 1000.])
    """

    beta = Checked(POSITIVE)
    threshold = Checked(REAL)

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, z: Any) -> Any:
        scaled = self.beta * z
        self.save_for_backward(scaled)
        return np.where(scaled > self.threshold, z, np.logaddexp(0, scaled) / self.beta)

    def backward(self, grad: Any) -> Any:
        """∂f/∂z = ḡ σ(β z), from ḡ = ∂f/∂y."""
        (scaled,) = self.saved
        return np.where(scaled > self.threshold, grad, grad * sigmoid(scaled))
