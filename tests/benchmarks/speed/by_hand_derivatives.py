"""The floor for derivatives: Hessian-vector product, tangent and Jacobian in NumPy by hand.

The Hessian-vector product is Pearlmutter 1994, "Fast exact multiplication by the Hessian": the
gradient's program, differentiated line by line along the direction. ẋ is written x_dot.
"""

import itertools
from typing import Any

import numpy as np
import work as given


class Tangent:
    """The value and the directional derivative of a tanh perceptron's cross entropy."""

    def __init__(self, work):
        self.X, self.t = given.data(work)
        self.weights, self.v = given.weights(work), given.direction(work)
        m, dtype = work.batch, work.dtype
        self.m = m
        layers = len(work.sizes) - 1
        widths = [(m, n) for n in work.sizes[1:-1]]
        self.h, self.h_dot, self.slope, self.part = (
            [np.empty(shape, dtype) for shape in widths] for _ in range(4)
        )
        shape = (given.CLASSES, m)
        self.z, self.z_dot, self.y, self.y_dot, self.spare = (
            np.empty(shape, dtype) for _ in range(5)
        )
        self.peak, self.total, self.mean_dot = (np.empty(m, dtype) for _ in range(3))
        self.classes, self.ones = np.ones(given.CLASSES, dtype), np.ones(m, dtype)
        self.columns, self.places = np.arange(m), np.empty(m, np.intp)
        self.one = np.array(1, dtype)
        self.layers = layers

    def reset(self):
        pass

    def forward(self):
        """Values and tangents of every layer; y = softmax(z)."""
        x, x_dot = self.X, None
        layers = zip(self.weights[::2], self.weights[1::2], self.v[::2], self.v[1::2], strict=True)
        for i, (W, b, W_dot, b_dot) in enumerate(itertools.islice(layers, self.layers - 1)):
            h, h_dot, slope, part = self.h[i], self.h_dot[i], self.slope[i], self.part[i]
            x.dot(W, h)
            np.add(h, b, h)
            np.tanh(h, h)
            np.multiply(h, h, slope)
            np.subtract(self.one, slope, slope)
            x.dot(W_dot, h_dot)
            np.add(h_dot, b_dot, h_dot)
            if x_dot is not None:
                x_dot.dot(W, part)
                np.add(h_dot, part, h_dot)
            np.multiply(h_dot, slope, h_dot)
            x, x_dot = h, h_dot
        (W, b), (W_dot, b_dot) = self.weights[-2:], self.v[-2:]
        z, z_dot, y, spare = self.z, self.z_dot, self.y, self.spare
        W.T.dot(x.T, z)
        np.add(z, b[:, None], z)
        W_dot.T.dot(x.T, z_dot)
        np.add(z_dot, b_dot[:, None], z_dot)
        if x_dot is not None:
            W.T.dot(x_dot.T, spare)
            np.add(z_dot, spare, z_dot)
        np.maximum.reduce(z, 0, None, self.peak)  # type: ignore[call-overload]
        np.subtract(z, self.peak, z)
        np.exp(z, y)
        self.classes.dot(y, self.total)
        np.divide(y, self.total, y)
        np.multiply(y, z_dot, self.y_dot)
        self.classes.dot(self.y_dot, self.mean_dot)
        np.multiply(self.t, self.m, self.places)
        np.add(self.places, self.columns, self.places)

    def __call__(self):
        self.forward()
        np.log(self.total, self.total)
        places = self.places
        true, true_dot = (a.reshape(-1).take(places) for a in (self.z, self.z_dot))
        value = float(self.total.dot(self.ones) - true.dot(self.ones)) / self.m
        slope = float(self.mean_dot.dot(self.ones) - true_dot.dot(self.ones)) / self.m
        return np.array([value, slope])


class HessianVector(Tangent):
    """∇²f(θ)·v."""

    def __init__(self, work):
        super().__init__(work)
        self.share = np.array(1 / self.m, work.dtype)
        self.minus_two = np.array(-2, work.dtype)
        sizes = [(work.batch, n) for n in work.sizes[1:-1]]
        self.h_bar, self.h_bar_dot = ([np.empty(s, work.dtype) for s in sizes] for _ in range(2))
        self.result = [np.empty_like(array) for array in self.weights]
        self.extra = [np.empty_like(W) for W in self.weights[::2]]

    def __call__(self):
        self.forward()
        y, y_dot = self.y, self.y_dot
        np.multiply(y, self.mean_dot, self.spare)
        np.subtract(y_dot, self.spare, y_dot)
        y.reshape(-1)[self.places] -= self.one
        np.multiply(y, self.share, y)
        np.multiply(y_dot, self.share, y_dot)
        bar, bar_dot = y.T, y_dot.T
        x_dot: Any
        for i in range(self.layers - 1, -1, -1):
            x, x_dot = (self.h[i - 1], self.h_dot[i - 1]) if i else (self.X, None)
            W, W_dot, result = self.weights[2 * i], self.v[2 * i], self.result[2 * i]
            x.T.dot(bar_dot, result)
            self.ones.dot(bar_dot, self.result[2 * i + 1])
            if not i:
                break
            x_dot.T.dot(bar, self.extra[i])
            np.add(result, self.extra[i], result)
            h_bar, h_bar_dot, part = self.h_bar[i - 1], self.h_bar_dot[i - 1], self.part[i - 1]
            slope = self.slope[i - 1]
            bar.dot(W.T, h_bar)
            bar_dot.dot(W.T, h_bar_dot)
            bar.dot(W_dot.T, part)
            np.add(h_bar_dot, part, h_bar_dot)
            np.multiply(h_bar_dot, slope, h_bar_dot)
            np.multiply(x, x_dot, part)
            np.multiply(part, self.minus_two, part)
            np.multiply(part, h_bar, part)
            np.add(h_bar_dot, part, h_bar_dot)
            np.multiply(h_bar, slope, h_bar)
            bar, bar_dot = h_bar, h_bar_dot
        return self.result


class Jacobian:
    """∂y/∂x of y = tanh(tanh(x W + b) V + c), as diag(1 − y²) Vᵀ diag(1 − h²) Wᵀ."""

    def __init__(self, work):
        (self.x,) = given.data(work)
        self.W, self.b, self.V, self.c = given.weights(work)
        n, width, m = work.sizes
        dtype = work.dtype
        self.h, self.h_slope = np.empty(width, dtype), np.empty(width, dtype)
        self.y = np.empty(m, dtype)
        self.left = np.empty((m, width), dtype)
        self.J = np.empty((m, n), dtype)
        self.one = np.array(1, dtype)

    def reset(self):
        pass

    def __call__(self):
        h, y, slope, left = self.h, self.y, self.h_slope, self.left
        self.x.dot(self.W, h)
        np.add(h, self.b, h)
        np.tanh(h, h)
        h.dot(self.V, y)
        np.add(y, self.c, y)
        np.tanh(y, y)
        np.multiply(h, h, slope)
        np.subtract(self.one, slope, slope)
        np.multiply(y, y, y)
        np.subtract(self.one, y, y)
        np.multiply(self.V.T, y[:, None], left)
        np.multiply(left, slope, left)
        return left.dot(self.W.T, self.J)
