"""PyTorch as its tutorials show it, eager; nothing is copied between steps."""

import itertools

import numpy as np
import work as given


class Training:
    def __init__(self, work):
        import torch

        self.torch, self.work = torch, work
        X, t = given.data(work)
        self.X, self.t = torch.from_numpy(X), torch.from_numpy(t)
        self.net, self.layers = _network(work, torch.nn)
        self.loss = torch.nn.MSELoss() if work.kind == "seminar" else torch.nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=given.RATE)
        self.reset()

    def reset(self):
        initial = iter(given.weights(self.work))
        with self.torch.no_grad():
            for layer in self.layers:
                W, b = next(initial), next(initial)
                layer.weight.copy_(self.torch.from_numpy(W.T if W.ndim == 2 else W))
                layer.bias.copy_(self.torch.from_numpy(b))

    def __call__(self):
        self.optimizer.zero_grad()
        loss = self.loss(self.net(self.X), self.t)
        if self.work.kind == "seminar":
            loss = loss / 2 + given.PENALTY / 2 * self.layers[0].weight.square().sum()
        loss.backward()
        self.optimizer.step()
        return loss.item()


class Derivative:
    """A tangent by `torch.func.jvp`; a Hessian-vector product by differentiating twice."""

    def __init__(self, work):
        import torch

        self.torch, self.kind = torch, work.kind
        X, t = (torch.from_numpy(array) for array in given.data(work))

        def f(*weights):
            *hidden, (W, b) = zip(weights[::2], weights[1::2], strict=True)
            x = X
            for V, c in hidden:
                x = torch.tanh(torch.addmm(c, x, V))
            return torch.nn.functional.cross_entropy(torch.addmm(b, x, W), t)

        self.f = f
        self.weights = tuple(torch.from_numpy(W) for W in given.weights(work))
        self.v = tuple(torch.from_numpy(W) for W in given.direction(work))
        if self.kind == "hvp":
            for W in self.weights:
                W.requires_grad_()

    def reset(self):
        pass

    def __call__(self):
        torch = self.torch
        if self.kind == "jvp":
            value, slope = torch.func.jvp(self.f, self.weights, self.v)
            return np.array([value.item(), slope.item()])
        gradients = torch.autograd.grad(self.f(*self.weights), self.weights, create_graph=True)
        return [H.numpy() for H in torch.autograd.grad(gradients, self.weights, self.v)]


class Jacobian:
    """`torch.func.jacrev`."""

    def __init__(self, work):
        import torch

        W, b, V, c = (torch.from_numpy(array) for array in given.weights(work))
        (x,) = given.data(work)
        self.x = torch.from_numpy(x)
        self.jacobian = torch.func.jacrev(lambda x: torch.tanh(torch.tanh(x @ W + b) @ V + c))

    def reset(self):
        pass

    def __call__(self):
        return self.jacobian(self.x).numpy()


def _network(work, nn):
    if work.kind == "convolution":
        layers = []
        for m, n in itertools.pairwise(given.CHANNELS):
            layers += [nn.Conv2d(m, n, given.KERNEL, padding="same"), nn.ReLU(), nn.MaxPool2d(2)]
        layers += [nn.Flatten(), nn.Linear(*given.weights(work)[-2].shape)]
    elif work.kind == "seminar":
        layers = [nn.Linear(*work.sizes, 1), nn.Sigmoid()]
    else:
        pairs = itertools.pairwise(work.sizes)
        layers = [layer for pair in pairs for layer in (nn.Linear(*pair), nn.ReLU())][:-1]
    return nn.Sequential(*layers), [layer for layer in layers if hasattr(layer, "weight")]
