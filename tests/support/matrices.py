"""Matrices, and HIPS autograd as the judge of functions of them."""

import autograd.numpy as anp
import numpy as np
from autograd import grad as reference_grad

from nnlite.autodiff import grad, jvp, vjp


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def check_against_autograd(f, *xs):
    """f(numpy, *xs) has the gradient that HIPS autograd finds."""
    w = normal(*np.shape(f(np, *xs)), seed=9)
    positions = tuple(range(len(xs)))
    found = grad(lambda *args: np.sum(w * f(np, *args)), positions)(*xs)
    expected = reference_grad(lambda *args: anp.sum(w * f(anp, *args)), positions)(*xs)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)


def full_jacobian(f, x, mode):
    """∂f/∂x of shape f(x).shape + x.shape, a column or a row of the Jacobian at a time."""
    value = f(x)
    if mode == "forward":
        columns = [jvp(f, (x,), (e.reshape(x.shape),))[1] for e in np.eye(x.size)]
        return np.stack(columns, axis=-1).reshape(value.shape + x.shape)
    _, pullback = vjp(f, x)
    rows = [pullback(e.reshape(value.shape))[0] for e in np.eye(value.size)]
    return np.stack(rows).reshape(value.shape + x.shape)
