"""nnlite as its README shows it: the graph interpreted, and, where there is `compile`, compiled."""

import itertools

import numpy as np
import work as given


class Interpreted:
    """A step: the forward pass, the backward pass, the optimiser."""

    def __init__(self, work):
        import nnlite as nn

        X, t = given.data(work)
        self.inputs = X, t
        net = _network(work, nn)
        x, target = nn.Input("x"), nn.Input("t")
        if work.kind == "seminar":
            linear, sigmoid = net
            loss = nn.MSE()(sigmoid(linear(x)), target) / 2
            loss = loss + given.PENALTY * nn.L2()(linear.weight)
        else:
            loss = nn.CrossEntropy()(nn.Sequential(*net)(x), target)
        self.graph = nn.Graph([x, target], loss)
        layers = [layer for layer in net if layer.parameters()]
        self.parameters = [p for layer in layers for p in (layer.weight, layer.bias)]
        self.initial = given.weights(work)
        self.optimizer = nn.SGD(self.parameters, lr=given.RATE)
        self.reset()

    def reset(self):
        for parameter, start in zip(self.parameters, self.initial, strict=True):
            parameter.value = start.copy()

    def __call__(self):
        loss = float(self.graph(*self.inputs))
        self.optimizer.zero_grad()
        self.graph.backward()
        self.optimizer.step()
        return loss


class Compiled(Interpreted):
    """The same step with both passes as one function."""

    def __init__(self, work):
        super().__init__(work)
        self.passes = self.graph.compile()

    def __call__(self):
        loss = float(self.passes(*self.inputs))
        self.optimizer.step()
        return loss


class Derivative:
    """`nn.hvp` and `nn.jvp` of a Python function of the weights."""

    def __init__(self, work):
        import nnlite as nn

        self.nn, self.kind = nn, work.kind
        X, t = given.data(work)
        loss = nn.CrossEntropy()

        def f(*weights):
            *hidden, (W, b) = zip(weights[::2], weights[1::2], strict=True)
            x = X
            for V, c in hidden:
                x = np.tanh(x @ V + c)
            return loss(x @ W + b, t)

        self.f, self.weights = f, tuple(given.weights(work))
        self.v = tuple(given.direction(work))

    def reset(self):
        pass

    def __call__(self):
        if self.kind == "hvp":
            return self.nn.hvp(self.f, self.weights, self.v)
        return np.array(self.nn.jvp(self.f, self.weights, self.v))


class Jacobian:
    """`nn.jacobian` of a Python function."""

    def __init__(self, work):
        import nnlite as nn

        self.nn = nn
        (self.x,) = given.data(work)
        W, b, V, c = given.weights(work)
        self.f = lambda x: np.tanh(np.tanh(x @ W + b) @ V + c)

    def reset(self):
        pass

    def __call__(self):
        return self.nn.jacobian(self.f, self.x)


def _network(work, nn):
    def linear(n, m):
        return nn.Linear(n, m, dtype=work.dtype)

    if work.kind == "seminar":
        return [linear(*work.sizes, 1), nn.Sigmoid()]  # type: ignore[call-arg]
    if work.kind == "perceptron":
        layers = [
            layer for pair in itertools.pairwise(work.sizes) for layer in (linear(*pair), nn.ReLU())
        ]
        return layers[:-1]
    layers = []
    for m, n in itertools.pairwise(given.CHANNELS):
        convolution = nn.Conv2d(m, n, given.KERNEL, padding="same", dtype=work.dtype)
        layers += [convolution, nn.ReLU(), nn.MaxPool2d(2)]
    return [*layers, nn.Flatten(), linear(*given.weights(work)[-2].shape)]
