"""The floor for pictures: a step of a convolutional network in NumPy by hand.

The pictures of a batch lie side by side along the last axis, so that every inner loop of NumPy is
over the batch; a convolution is one product of the kernels and the pixels under them (im2col).
Since relu and maximum can be exchanged, relu is applied to the pooled pictures, a quarter as many.
"""

import numpy as np
import work as given
from by_hand import CrossEntropy
from numpy.lib.stride_tricks import sliding_window_view


class Convolution:
    """A convolution, relu and pooling of 2 × 2, from pictures of (channels, n, n, batch)."""

    def __init__(self, kernels, bias, n, batch, inner):
        out, channels, k, _ = kernels.shape
        dtype = kernels.dtype
        self.kernels, self.bias = kernels.reshape(out, -1), bias[:, None]
        self.padded = np.zeros((channels, n + k - 1, n + k - 1, batch), dtype)
        p = k // 2
        self.x = self.padded[:, p:-p, p:-p]
        windows = sliding_window_view(self.padded, (k, k), (1, 2))
        self.windows = windows.transpose(0, 4, 5, 1, 2, 3)
        self.columns = np.empty((channels, k, k, n, n, batch), dtype)
        self.X = self.columns.reshape(channels * k * k, -1)
        self.Y = np.empty((out, n * n * batch), dtype)
        quarters = self.Y.reshape(out, n // 2, 2, n // 2, 2, batch)
        self.parts = [quarters[:, :, i, :, j] for i in (0, 1) for j in (0, 1)]
        shape = (out, n // 2, n // 2, batch)
        self.upper, self.lower, self.y, self.rest = (np.empty(shape, dtype) for _ in range(4))
        self.left = [np.empty(shape, bool) for _ in range(3)]
        self.y_bar = np.empty(shape, dtype)
        self.ones, self.zero = np.ones(n * n * batch, dtype), np.array(0, dtype)
        self.W_bar, self.b_bar = np.empty_like(self.kernels), np.empty(out, dtype)
        if inner:
            self.X_bar = np.empty_like(self.X)
            self.pixels = self.X_bar.reshape(self.columns.shape)
            self.padded_bar = np.empty_like(self.padded)
            self.x_bar = self.padded_bar[:, p:-p, p:-p]
            self.targets = [
                (self.padded_bar[:, i : i + n, j : j + n], self.pixels[:, i, j])
                for i in range(k)
                for j in range(k)
            ]
        else:
            self.targets = []

    def forward(self):
        """From self.x to self.y."""
        np.copyto(self.columns, self.windows)
        self.kernels.dot(self.X, self.Y)
        np.add(self.Y, self.bias, self.Y)
        a, b, c, d = self.parts
        np.maximum(a, b, out=self.upper)
        np.maximum(c, d, out=self.lower)
        np.maximum(self.upper, self.lower, out=self.y)
        np.maximum(self.y, self.zero, out=self.y)

    def backward(self):
        """From self.y_bar to self.x_bar, and an update; the first of tied pixels is taken."""
        first, second, third = self.left
        a, b, c, d = self.parts
        y_bar, rest = self.y_bar, self.rest
        np.greater(self.y, self.zero, first)
        np.multiply(y_bar, first, y_bar)
        np.greater_equal(a, b, first)
        np.greater_equal(c, d, second)
        np.greater_equal(self.upper, self.lower, third)
        np.multiply(y_bar, third, rest)
        np.subtract(y_bar, rest, y_bar)
        np.multiply(rest, first, a)
        np.subtract(rest, a, b)
        np.multiply(y_bar, second, c)
        np.subtract(y_bar, c, d)
        self.Y.dot(self.X.T, self.W_bar)
        self.Y.dot(self.ones, self.b_bar)
        if self.targets:
            self.kernels.T.dot(self.Y, self.X_bar)
            self.padded_bar.fill(0)
            for target, pixels in self.targets:
                np.add(target, pixels, target)
        np.subtract(self.kernels, self.W_bar, self.kernels)
        np.subtract(self.bias[:, 0], self.b_bar, self.bias[:, 0])


class Convolutional:
    """Two convolutions with relu and pooling, a linear layer, and a cross entropy."""

    def __init__(self, work):
        X, t = given.data(work)
        self.pictures = X.transpose(1, 2, 3, 0)
        self.initial = given.weights(work)
        self.weights = [array.copy() for array in self.initial]
        n, m = work.sizes[0], work.batch
        kernels, bias, inner_kernels, inner_bias, self.W, self.b = self.weights
        self.first = Convolution(kernels, bias, n, m, inner=False)
        self.second = Convolution(inner_kernels, inner_bias, n // 2, m, inner=True)
        self.features = self.second.y.reshape(-1, m)
        self.features_bar = self.second.y_bar.reshape(-1, m)
        self.W_bar, self.b_bar = np.empty_like(self.W), np.empty_like(self.b)
        self.ones = np.ones(m, work.dtype)
        self.loss = CrossEntropy(work, t)

    def reset(self):
        for array, start in zip(self.weights, self.initial, strict=True):
            array[...] = start

    def __call__(self):
        first, second, loss = self.first, self.second, self.loss
        np.copyto(first.x, self.pictures)
        first.forward()
        np.copyto(second.x, first.y)
        second.forward()
        self.W.T.dot(self.features, loss.z)
        np.add(loss.z, self.b[:, None], loss.z)
        value = loss()
        self.features.dot(loss.z.T, self.W_bar)
        loss.z.dot(self.ones, self.b_bar)
        self.W.dot(loss.z, self.features_bar)
        second.backward()
        np.copyto(first.y_bar, second.x_bar)
        first.backward()
        np.subtract(self.W, self.W_bar, self.W)
        np.subtract(self.b, self.b_bar, self.b)
        return value
