"""Models as graphs, ready to train."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from nnlite.graph import Graph
from nnlite.layers.activation import Sigmoid
from nnlite.layers.linear import Linear
from nnlite.losses import MSE
from nnlite.node import Input
from nnlite.regularizers import L2


def seminar_model(
    features: int,
    lam: float = 0.0,
    *,
    dtype: DTypeLike = np.float64,
    rng: np.random.Generator | int | None = None,
) -> Graph:
    """The seminar's regularised logistic-style model, f = (σ(ωᵀx + b) − t)²/2 + λ·½‖ω‖².

    Parameters
    ----------
    features : int
        n, the length of x and ω.
    lam : float
        λ, at least 0.
    dtype : floating dtype
        Of ω and b, and of the data the graph will take.
    rng : numpy.random.Generator or int, optional
        Where the initial ω and b come from.

    Returns
    -------
    Graph
        From x, (batch, features), and t, (batch, 1), to the scalar f; the data term is averaged
        over the batch. Its vertex ``y`` holds the predictions σ(ωᵀx + b).
    """
    if not 0 <= lam < np.inf:
        raise ValueError(f"lam is a finite number of at least 0, got {lam!r}")
    x, t = Input("x"), Input("t")
    linear = Linear(features, 1, dtype=dtype, rng=rng)
    linear.weight.name, linear.bias.name = "weight", "bias"
    z = linear(x)
    y = Sigmoid()(z)
    z.name, y.name = "z", "y"
    loss = MSE()(y, t) / 2 + float(lam) * L2()(linear.weight)
    return Graph(inputs=[x, t], output=loss)
