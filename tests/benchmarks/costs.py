"""What a derivative costs, as a ratio to what it is a derivative of, for a perceptron.

    python tests/benchmarks/costs.py [--width 256] [--batch 512] [--repeat 30]

The times are medians over interleaved rounds of one process, so only the ratios mean anything.
The limits are those that the theory gives (Griewank and Walther 2008, ch. 3): a row times the
Jacobian costs at most 3 to 4 evaluations, a Hessian-vector product at most 2 to 2.5 gradients
when nothing but arithmetic counts. Here the memory for what is stored and returned is on top,
which weighs the more the smaller the batch is; the gradient written by hand pays for it, too.
"""

import argparse
import itertools
import time

import numpy as np

import nnlite as nn


def perceptron(width, batch, seed=0):
    """The loss of a 784-width-width-10 perceptron as a function of its first weights."""
    rng = np.random.default_rng(seed)
    sizes = [784, width, width, 10]
    weights = [rng.normal(size=pair) / np.sqrt(pair[0]) for pair in itertools.pairwise(sizes)]
    X, t = rng.normal(size=(batch, 784)), rng.normal(size=(batch, 10))

    def f(*weights):
        y = X
        for W in weights[:-1]:
            y = np.tanh(y @ W)
        return ((y @ weights[-1] - t) ** 2).mean()

    def by_hand():
        """The gradients of f at these weights, written out."""
        hidden = [X]
        for W in weights[:-1]:
            hidden.append(np.tanh(hidden[-1] @ W))
        error = hidden[-1] @ weights[-1] - t
        z_bar = 2 * error / error.size
        gradients = [hidden[-1].T @ z_bar]
        for y, W, x in zip(hidden[:0:-1], weights[:0:-1], hidden[-2::-1], strict=True):
            z_bar = (z_bar @ W.T) * (1 - y * y)
            gradients.append(x.T @ z_bar)
        return gradients[::-1]

    return f, tuple(weights), by_hand


def medians(runs, repeat):
    """The median time of each run, in interleaved rounds."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeat):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: float(np.median(values)) for name, values in times.items()}


def ratios(width=256, batch=512, repeat=30):
    """Each cost in units of what the name says."""
    f, weights, by_hand = perceptron(width, batch)
    rng = np.random.default_rng(1)
    v = tuple(rng.normal(size=W.shape) for W in weights)

    def vjp():
        return nn.vjp(f, *weights)[1](1.0)

    columns = np.eye(50)
    V = rng.normal(size=(50, 50)) / 7

    def square(x):
        return np.tanh(np.tanh(x @ V) @ V)

    times = medians(
        {
            "bundle": lambda: nn.jacobian(square, columns[0], mode="forward"),
            "columns": lambda: [nn.jvp(square, (columns[0],), (e,)) for e in columns],
            "evaluation": lambda: f(*weights),
            "vjp": vjp,
            "by hand": by_hand,
            "jvp": lambda: nn.jvp(f, weights, v),
            "gradient": lambda: nn.grad(f, range(len(weights)))(*weights),
            "hvp": lambda: nn.hvp(f, weights, v),
        },
        repeat,
    )
    return {
        "vjp in evaluations": times["vjp"] / times["evaluation"],
        "vjp in gradients written by hand": times["vjp"] / times["by hand"],
        "jvp in evaluations": times["jvp"] / times["evaluation"],
        "hvp in gradients": times["hvp"] / times["gradient"],
        "bundle in single columns": times["bundle"] / times["columns"],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--repeat", type=int, default=30)
    for name, ratio in ratios(**vars(parser.parse_args())).items():
        print(f"{name:<34}{ratio:5.2f}")
