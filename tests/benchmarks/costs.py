"""What a derivative costs, as a ratio to what it is a derivative of, for a perceptron.

    python tests/benchmarks/costs.py [--width 256] [--batch 128] [--repeat 30]

The times are medians over interleaved rounds of one process, so only the ratios mean anything.
The limits are those that the theory gives (Griewank and Walther 2008, ch. 3): a row times the
Jacobian costs at most 3 to 4 evaluations, a Hessian-vector product at most 2 to 2.5 gradients
when nothing but arithmetic counts; here Python's own cost is on top.
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

    return f, tuple(weights)


def medians(runs, repeat):
    """The median time of each run, in interleaved rounds."""
    times = {name: [] for name in runs}
    for _ in range(repeat):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: float(np.median(values)) for name, values in times.items()}


def ratios(width=256, batch=128, repeat=30):
    """{"vjp": in evaluations, "hvp": in gradients, "jvp": in evaluations}."""
    f, weights = perceptron(width, batch)
    rng = np.random.default_rng(1)
    v = tuple(rng.normal(size=W.shape) for W in weights)

    def vjp():
        return nn.vjp(f, *weights)[1](1.0)

    times = medians(
        {
            "evaluation": lambda: f(*weights),
            "vjp": vjp,
            "jvp": lambda: nn.jvp(f, weights, v),
            "gradient": lambda: nn.grad(f, range(len(weights)))(*weights),
            "hvp": lambda: nn.hvp(f, weights, v),
        },
        repeat,
    )
    return {
        "vjp": times["vjp"] / times["evaluation"],
        "jvp": times["jvp"] / times["evaluation"],
        "hvp": times["hvp"] / times["gradient"],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--repeat", type=int, default=30)
    for name, ratio in ratios(**vars(parser.parse_args())).items():
        print(f"{name}  {ratio:.2f} {'gradients' if name == 'hvp' else 'evaluations'}")
