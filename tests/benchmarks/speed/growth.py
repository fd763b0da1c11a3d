"""How the cost of a step grows with the batch and with the depth of a perceptron."""

import numpy as np
from work import Work

BATCHES = [8, 32, 128, 512, 2048]
DEPTHS = [1, 2, 4, 8, 16, 32]
WIDTH = 64


def works():
    """The works of each axis, by the number that grows."""
    return {
        "batch": {
            m: Work(f"perceptron 64-64-10 × {m}", "perceptron", (WIDTH, WIDTH, 10), m)
            for m in BATCHES
        },
        "depth": {
            n: Work(
                f"perceptron 64{f'-{WIDTH}' * n}-10 × 32", "perceptron", (64, *[WIDTH] * n, 10), 32
            )
            for n in DEPTHS
        },
    }


def measure(crew, rounds):
    """{axis: {system: {number: median seconds}}}."""
    found: dict[str, dict[str, dict[int, float]]] = {}
    for axis, family in works().items():
        found[axis] = {}
        for number, work in family.items():
            times, _ = crew.measure(work, rounds)
            for system, samples in times.items():
                found[axis].setdefault(system, {})[number] = float(np.median(samples))
    return found


def exponent(points):
    """p of cost ~ numberᵖ, by least squares over the upper half of the numbers."""
    numbers, seconds = np.array(sorted(points.items()))[len(points) // 2 :].T
    return float(np.polyfit(np.log(numbers), np.log(seconds), 1)[0])
