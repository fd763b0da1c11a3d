"""HIPS autograd: functions of NumPy code, as nnlite's `nn.grad` takes them."""

import numpy
import work as given


class Training:
    def __init__(self, work):
        import autograd
        import autograd.numpy as np
        from formulas import loss

        f = loss(np, work, lambda z: np.maximum(z, 0))
        self.value_and_grad = autograd.value_and_grad(f)
        self.inputs, self.initial = given.data(work), given.weights(work)
        self.reset()

    def reset(self):
        self.weights = [W.copy() for W in self.initial]

    def __call__(self):
        value, gradients = self.value_and_grad(self.weights, *self.inputs)
        self.weights = [W - given.RATE * g for W, g in zip(self.weights, gradients, strict=True)]
        return float(value)


class Derivative:
    def __init__(self, work):
        import autograd
        import autograd.numpy as np
        from formulas import loss

        f = loss(np, work, None)
        X, t = given.data(work)
        self.v, self.weights = given.direction(work), given.weights(work)
        if work.kind == "jvp":
            tangent = autograd.make_jvp(lambda weights: f(weights, X, t))(self.weights)
            self.run = lambda: numpy.array(tangent(self.v))
        else:
            gradient = autograd.grad(f)

            def slope(weights):
                pairs = zip(gradient(weights, X, t), self.v, strict=True)
                return sum(np.sum(g * v) for g, v in pairs)

            product = autograd.grad(slope)
            self.run = lambda: product(self.weights)

    def reset(self):
        pass

    def __call__(self):
        return self.run()


class Jacobian:
    def __init__(self, work):
        import autograd
        import autograd.numpy as np
        from formulas import network

        f, weights = network(np), given.weights(work)
        (self.x,) = given.data(work)
        self.jacobian = autograd.jacobian(lambda x: f(x, *weights))

    def reset(self):
        pass

    def __call__(self):
        return self.jacobian(self.x)
