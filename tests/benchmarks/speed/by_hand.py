"""The floor: training steps in NumPy by hand; whatever is written to was allocated before.

All numbers are of one dtype, no array is made in a step but for one number a sample, and no pass
over an array is made that another could have done. The learning rate is multiplied into the
smallest array it can be: ∂f/∂z of the last layer.
"""

import os

import numpy as np
import work as given

BLOCK = 5 << 18
"""Bytes of X that each thread takes at once, so that their second use finds them in its cache; the
best of several sizes with a second-level cache of 2 MiB a processor."""


class Seminar:
    """f = mean (σ(X ω + b) − t)²/2 + λ·½‖ω‖²."""

    def __init__(self, work):
        self.X, t = given.data(work)
        self.t = t[:, 0]
        self.initial = given.weights(work)
        m, n = self.X.shape
        dtype = self.X.dtype
        self.w, self.g, self.part = (np.empty(n, dtype) for _ in range(3))
        self.b = np.empty(1, dtype)
        self.y, self.d, self.dz, self.ones = (np.ones(m, dtype) for _ in range(4))
        self.scale = np.array(given.RATE / m, dtype)
        self.decay = np.array(1 - given.RATE * given.PENALTY, dtype)
        threads = int(os.environ.get("OPENBLAS_NUM_THREADS", 1))
        rows = max(1, threads * BLOCK // (n * dtype.itemsize))
        self.blocks = [slice(i, i + rows) for i in range(0, m, rows)]
        self.reset()

    def reset(self):
        self.w[:], self.b[:] = self.initial[0][:, 0], self.initial[1]

    def __call__(self):
        w, g = self.w, self.g
        if len(self.blocks) == 1:
            data_term = self.rows(self.X, self.t, self.y, self.d, self.dz, self.ones, g)
        else:
            data_term = 0.0
            for i, rows in enumerate(self.blocks):
                into = self.part if i else g
                data_term += self.rows(
                    self.X[rows], self.t[rows], self.y[rows], self.d[rows], self.dz[rows],
                    self.ones[rows], into,
                )  # fmt: skip
                if i:
                    np.add(g, into, g)
        loss = data_term / (2 * len(self.t)) + given.PENALTY / 2 * float(w.dot(w))
        np.multiply(w, self.decay, w)
        np.subtract(w, g, w)
        np.subtract(self.b, self.dz.dot(self.ones), self.b)
        return loss

    def rows(self, X, t, y, d, dz, ones, g):
        """The sum of (y − t)² over some rows; dz and g become ∂f/∂z and ∂f/∂ω of them, times γ."""
        X.dot(self.w, y)
        np.add(y, self.b, y)
        np.negative(y, y)
        np.exp(y, y)
        np.add(y, ones, y)
        np.divide(ones, y, y)
        np.subtract(y, t, d)
        np.subtract(ones, y, dz)
        np.multiply(dz, y, dz)
        np.multiply(dz, d, dz)
        np.multiply(dz, self.scale, dz)
        dz.dot(X, g)
        return float(d.dot(d))


class CrossEntropy:
    """−log softmax(z) at the true classes, for logits z with a row for each class.

    With the classes along the first axis, sums and maxima over classes are NumPy's quick ones.
    """

    def __init__(self, work, t):
        classes, m, dtype = given.CLASSES, work.batch, work.dtype
        self.t, self.m = t, m
        self.z = np.empty((classes, m), dtype)
        self.flat = self.z.reshape(-1)
        self.total, self.peak, self.true = (np.empty(m, dtype) for _ in range(3))
        self.classes, self.ones = np.ones(classes, dtype), np.ones(m, dtype)
        self.columns, self.rows = np.arange(m), np.array(m)
        self.places = np.empty(m, np.intp)
        self.scale = np.array(given.RATE / m, dtype)
        self.one = np.array(1, dtype)

    def __call__(self):
        """The loss; z becomes ∂f/∂z times the learning rate."""
        z, flat, total, places, ones = self.z, self.flat, self.total, self.places, self.ones
        np.multiply(self.t, self.rows, places)
        np.add(places, self.columns, places)
        np.maximum.reduce(z, 0, None, self.peak)  # type: ignore[call-overload]
        np.subtract(z, self.peak, z)
        flat.take(places, None, self.true, "clip")
        np.exp(z, z)
        self.classes.dot(z, total)
        np.divide(z, total, z)
        flat[places] -= self.one
        np.multiply(z, self.scale, z)
        np.log(total, total)
        np.subtract(total, self.true, total)
        return float(total.dot(ones)) / self.m


class Perceptron:
    """x → relu(x W + b) → … → z, and a cross entropy."""

    def __init__(self, work):
        self.X, t = given.data(work)
        self.initial = given.weights(work)
        self.weights = [np.empty_like(array) for array in self.initial]
        m, dtype = work.batch, work.dtype
        self.loss = CrossEntropy(work, t)
        self.ones, self.zero = np.ones(m, dtype), np.array(0, dtype)
        pairs = [*zip(self.weights[::2], self.weights[1::2], strict=True)]
        hidden = [np.empty((m, n), dtype) for n in work.sizes[1:-1]]
        inputs = [self.X, *hidden]
        self.forward = [(x, W, b, h) for x, (W, b), h in zip(inputs, pairs[:-1], hidden)]
        (W, b), x = pairs[-1], inputs[-1]
        self.last = W.T, x.T, b[:, None]
        bars = [*[np.empty_like(h) for h in hidden], self.loss.z.T]
        self.backward = [
            (x, x.T, W, W.T, b, np.empty_like(W), np.empty_like(b), bar)
            for x, (W, b), bar in zip(inputs, pairs, bars, strict=True)
        ]
        self.relu = [(np.empty(h.shape, bool), bar) for h, bar in zip(hidden, bars)]
        self.reset()

    def reset(self):
        for array, start in zip(self.weights, self.initial, strict=True):
            array[...] = start

    def __call__(self):
        zero, ones, loss = self.zero, self.ones, self.loss
        for x, W, b, h in self.forward:
            x.dot(W, h)
            np.add(h, b, h)
            np.maximum(h, zero, out=h)
        W_T, x_T, column = self.last
        W_T.dot(x_T, loss.z)
        np.add(loss.z, column, loss.z)
        value = loss()
        for i in range(len(self.backward) - 1, -1, -1):
            x, x_T, W, W_T, b, W_bar, b_bar, bar = self.backward[i]
            x_T.dot(bar, W_bar)
            ones.dot(bar, b_bar)
            if i:
                active, x_bar = self.relu[i - 1]
                bar.dot(W_T, x_bar)
                np.greater(x, zero, active)
                np.multiply(x_bar, active, x_bar)
            np.subtract(W, W_bar, W)
            np.subtract(b, b_bar, b)
        return value
