"""JAX: each call is one compiled function; a step overwrites the weights it was given."""

import numpy as np
import work as given


class Training:
    def __init__(self, work):
        import jax

        f = _convolutional(jax) if work.kind == "convolution" else _formula(jax, work)

        def step(weights, X, t):
            value, gradients = jax.value_and_grad(f)(weights, X, t)
            return value, [W - given.RATE * g for W, g in zip(weights, gradients, strict=True)]

        self.step = jax.jit(step, donate_argnums=0)
        self.put, self.work = jax.device_put, work
        self.inputs = [jax.device_put(array) for array in given.data(work)]
        self.reset()

    def reset(self):
        self.weights = [self.put(W).copy() for W in given.weights(self.work)]

    def __call__(self):
        loss, self.weights = self.step(self.weights, *self.inputs)
        return float(loss)


class Derivative:
    """`jax.jvp`; a Hessian-vector product is the tangent of the gradient."""

    def __init__(self, work):
        import jax

        f = _formula(jax, work)
        inputs = [jax.device_put(array) for array in given.data(work)]
        g = f if work.kind == "jvp" else jax.grad(f)
        self.run = jax.jit(lambda W, v: jax.jvp(lambda W: g(W, *inputs), (W,), (v,)))
        self.weights, self.v = (
            [jax.device_put(W) for W in arrays]
            for arrays in (given.weights(work), given.direction(work))
        )
        self.hvp, self.wait = work.kind == "hvp", jax.block_until_ready

    def reset(self):
        pass

    def __call__(self):
        value, tangent = self.wait(self.run(self.weights, self.v))
        return tangent if self.hvp else np.array([float(value), float(tangent)])


class Jacobian:
    """`jax.jacrev`."""

    def __init__(self, work):
        import jax
        from formulas import network

        weights = [jax.device_put(W) for W in given.weights(work)]
        f = network(jax.numpy)
        self.jacobian = jax.jit(jax.jacrev(lambda x: f(x, *weights)))
        self.x, self.wait = jax.device_put(given.data(work)[0]), jax.block_until_ready

    def reset(self):
        pass

    def __call__(self):
        return self.wait(self.jacobian(self.x))


def _formula(jax, work):
    from formulas import loss

    return loss(jax.numpy, work, jax.nn.relu)


def _convolutional(jax):
    lax, jnp = jax.lax, jax.numpy

    def f(weights, x, t):
        *kernels, W, b = weights
        for K, c in zip(kernels[::2], kernels[1::2], strict=True):
            x = lax.conv_general_dilated(x, K, (1, 1), "SAME") + c[:, None, None]
            m, channels, n, _ = jax.nn.relu(x).shape
            x = jax.nn.relu(x).reshape(m, channels, n // 2, 2, n // 2, 2).max((3, 5))
        log_y = jax.nn.log_softmax(x.reshape(len(x), -1) @ W + b)
        return -jnp.mean(log_y[jnp.arange(len(t)), t])

    return f
