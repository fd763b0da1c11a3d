"""Dropout: noise that keeps units from relying on each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.core.arguments import PROBABILITY, Checked
from nnlite.core.module import Module
from nnlite.core.primitives.noise import uniform_noise


class Dropout(Module, of="nnlite"):
    """y = m x / (1 − p), where each entry of m is 0 with probability p and 1 otherwise.

    Parameters
    ----------
    p : float
        The probability that an entry is dropped, from 0 to 1.
    rng : numpy.random.Generator or int, optional
        Where m comes from.

    Attributes
    ----------
    rng : numpy.random.Generator
        Every forward pass in training draws a new m from it, and so does every run of a derivative
        graph or of a compiled one.

    Notes
    -----
    In ``eval()`` mode y = x. Of any shape; y has the shape and dtype of x, which are floats. Hinton
    et al. 2012, "Improving neural networks by preventing co-adaptation of feature detectors".

    Examples
    --------
    >>> dropout = Dropout(0.5, rng=0)
    >>> dropout(np.ones(6))
    array([2., 0., 0., 0., 2., 2.])
    >>> dropout.eval()(np.ones(6))
    array([1., 1., 1., 1., 1., 1.])
    """

    p = Checked(PROBABILITY)
    _is_modal = True

    def __init__(self, p: float = 0.5, rng: np.random.Generator | int | None = None) -> None:
        super().__init__()
        self.p = p
        self.rng = np.random.default_rng(rng)

    def forward(self, x: Any) -> Any:
        if x.dtype.kind != "f":
            raise TypeError(f"{self!r}: x are floats, got dtype {x.dtype}; pass x.astype(float)")
        mask: Any = None
        if self.training and self.p > 0:
            kept = uniform_noise(self.rng, x) >= self.p
            mask = kept / np.asarray(1 - self.p, x.dtype) if self.p < 1 else kept
        self.save_for_backward(mask)
        return x if mask is None else x * mask

    def backward(self, grad: Any) -> Any:
        """∂f/∂x = ḡ m/(1 − p), with the mask m that `forward` drew."""
        (mask,) = self.saved
        return grad if mask is None else grad * mask
