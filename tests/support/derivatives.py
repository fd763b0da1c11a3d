"""Independent references for derivatives, shared by the tests of every family of functions."""

import numpy as np

from nnlite.autodiff import grad, jacobian, jvp, vjp

EPS = np.finfo(np.float64).eps


def central_difference(f, x, v, h=0.02):
    """The derivative of f at x along v by Richardson extrapolation (Ridders 1982).

    Five halvings of the step cancel the error terms h², …, h⁸, so that what remains for smooth f
    of moderate derivatives is about 1e-11 relative.
    """
    steps = [h / 2**k for k in range(6)]
    row = [(np.asarray(f(x + s * v)) - np.asarray(f(x - s * v))) / (2 * s) for s in steps]
    for order in range(1, len(row)):
        row = [(4**order * row[i + 1] - row[i]) / (4**order - 1) for i in range(len(row) - 1)]
    return row[0]


def check_derivatives(f, *xs, rng=0, rtol=1e-10, second=True):
    """f has the right derivatives at xs: first and second, in every mixture of modes.

    The reference of the first derivative is `central_difference`; back and forward propagation
    must agree with it to `rtol`, and with each other (⟨Jv, w⟩ = ⟨v, Jᵀw⟩) to rounding. The second
    derivative along two directions is compared between the four mixtures of modes, to rounding,
    and with a central difference of the exact gradient.
    """
    rng = np.random.default_rng(rng)
    xs = tuple(np.asarray(x, dtype=np.float64) for x in xs)
    copies = [x.copy() for x in xs]
    vs = [rng.normal(size=x.shape) for x in xs]
    value, tangent = jvp(f, xs, vs)
    np.testing.assert_array_equal(value, f(*xs))
    assert np.shape(tangent) == np.shape(value)
    w = rng.normal(size=np.shape(value))
    again, pullback = vjp(f, *xs)
    np.testing.assert_array_equal(again, value)
    cotangents = pullback(w)
    assert [np.shape(c) for c in cotangents] == [x.shape for x in xs]

    def along(s):
        return f(*[x + s * v for x, v in zip(xs, vs, strict=True)])

    expected = central_difference(along, 0.0, 1.0)
    scale = np.abs(expected).max(initial=1.0)
    np.testing.assert_allclose(tangent, expected, rtol=rtol, atol=rtol * scale)
    left, right = np.vdot(w, tangent), sum(np.vdot(c, v) for c, v in zip(cotangents, vs))
    size = sum(np.abs(c * v).sum() for c, v in zip(cotangents, vs)) + np.abs(w * tangent).sum()
    assert abs(left - right) <= 64 * EPS * max(size, 1e-300) * max(1, np.size(w)) ** 0.5
    check_jacobians(f, xs, vs, tangent)
    if second:
        check_second_derivative(f, xs, vs, w, rng, rtol)
    for x, copy in zip(xs, copies, strict=True):
        np.testing.assert_array_equal(x, copy, err_msg="an input was written to")


def check_jacobians(f, xs, vs, tangent):
    """Columns that travel in a bundle, and rows, add up to the tangent along `vs`."""
    shape = np.shape(tangent)
    for mode in ("forward", "reverse"):
        blocks = jacobian(f, *xs, argnums=range(len(xs)), mode=mode)
        assert [J.shape for J in blocks] == [shape + x.shape for x in xs]
        products = [np.tensordot(J, v, v.ndim) for J, v in zip(blocks, vs, strict=True)]
        sizes = [np.tensordot(abs(J), abs(v), v.ndim) for J, v in zip(blocks, vs, strict=True)]
        error = np.abs(sum(products) - tangent)
        assert np.all(error <= 64 * EPS * np.maximum(sum(sizes), np.abs(tangent)) + 1e-300), mode


def check_second_derivative(f, xs, vs, w, rng, rtol):
    us = [rng.normal(size=x.shape) for x in xs]
    everything = tuple(range(len(xs)))

    def scalar(*args):
        return np.sum(w * f(*args))

    def along(direction, function):
        return lambda *args: jvp(function, args, direction)[1]

    def dot(gradients, direction):
        return sum(np.sum(g * u) for g, u in zip(gradients, direction, strict=True))

    gradient = grad(scalar, everything)
    mixtures = {
        "forward over reverse": along(us, lambda *args: dot(gradient(*args), vs))(*xs),
        "reverse over forward": dot(grad(along(vs, scalar), everything)(*xs), us),
        "forward over forward": along(us, along(vs, scalar))(*xs),
        "reverse over reverse": dot(
            grad(lambda *args: dot(gradient(*args), vs), everything)(*xs), us
        ),
    }
    expected = central_difference(
        lambda s: dot(gradient(*[x + s * u for x, u in zip(xs, us, strict=True)]), vs), 0.0, 1.0
    )
    scale = max(abs(expected), 1.0)
    for name, found in mixtures.items():
        assert abs(found - expected) <= 10 * rtol * scale, (name, found, expected)
