"""One system in a process of its own: it reads requests and answers with times, a line each.

The parent sets the number of threads in the environment before the process starts, and passes the
processors it may use, since some systems heed only one of the two.
"""

import json
import os
import sys
import time
import tracemalloc
from importlib import import_module
from importlib.metadata import version

SYSTEMS = {
    "NumPy by hand": {
        "seminar": "by_hand.Seminar",
        "perceptron": "by_hand.Perceptron",
        "convolution": "by_hand_pictures.Convolutional",
        "hvp": "by_hand_derivatives.HessianVector",
        "jvp": "by_hand_derivatives.Tangent",
        "jacobian": "by_hand_derivatives.Jacobian",
    },
    "nnlite": {
        **dict.fromkeys(("seminar", "perceptron", "convolution"), "by_nnlite.Interpreted"),
        **dict.fromkeys(("hvp", "jvp"), "by_nnlite.Derivative"),
        "jacobian": "by_nnlite.Jacobian",
    },
    "nnlite compiled": dict.fromkeys(
        ("seminar", "perceptron", "convolution"), "by_nnlite.Compiled"
    ),
    "PyTorch": {
        **dict.fromkeys(("seminar", "perceptron", "convolution"), "by_torch.Training"),
        **dict.fromkeys(("hvp", "jvp"), "by_torch.Derivative"),
        "jacobian": "by_torch.Jacobian",
    },
    "JAX": {
        **dict.fromkeys(("seminar", "perceptron", "convolution"), "by_jax.Training"),
        **dict.fromkeys(("hvp", "jvp"), "by_jax.Derivative"),
        "jacobian": "by_jax.Jacobian",
    },
    "autograd": {
        **dict.fromkeys(("seminar", "perceptron"), "by_autograd.Training"),
        **dict.fromkeys(("hvp", "jvp"), "by_autograd.Derivative"),
        "jacobian": "by_autograd.Jacobian",
    },
    "scikit-learn": {"perceptron": "by_sklearn.Training"},
}
"""Where each kind of work is done; what a system does not have is left out."""

CHUNKS = 5

STEPS = 10
"""How many losses of training are compared."""


def prepare(system, work):
    module, name = SYSTEMS[system][work.kind].split(".")
    return getattr(import_module(module), name)(work)


def results(job, work):
    """What this system computes, as one vector: the losses of some steps, or the derivative."""
    import numpy as np

    if work.trains:
        return np.array([job() for _ in range(STEPS)])
    result = job()
    arrays = result if isinstance(result, list | tuple) else [result]
    return np.concatenate([np.ravel(array) for array in arrays]).astype(np.float64)


def seconds(job, calls):
    """What a call takes: the best of `CHUNKS` averages, since what interrupts only adds."""
    job.reset()
    best = float("inf")
    for _ in range(CHUNKS):
        start = time.perf_counter()
        for _ in range(calls):
            job()
        best = min(best, (time.perf_counter() - start) / calls)
    return best


def peak_bytes(job):
    """What Python and NumPy allocate during a call above what was there before it."""
    job.reset()
    job()
    tracemalloc.start()
    job()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    job()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak - before


def limit_threads(system, processors):
    if processors and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, processors)
    if system == "PyTorch":
        import torch

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        torch.set_num_interop_threads(1)


def about(system):
    """The versions and, where arithmetic is NumPy's, the kernels of its BLAS."""
    if system in ("PyTorch", "JAX"):
        return version({"PyTorch": "torch", "JAX": "jax"}[system])
    from nnlite.cli.machine.blas import blas

    own = {"autograd": "autograd", "scikit-learn": "scikit-learn"}.get(system)
    return f"{version(own) + ', ' if own else ''}NumPy {version('numpy')}, {blas()}"


def main():
    system, processors = sys.argv[1], json.loads(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints is no answer
    limit_threads(system, processors)
    import numpy as np
    from work import Work

    job = work = None
    for line in sys.stdin:
        request = json.loads(line)
        match request["do"]:
            case "prepare":
                work = Work(**request["work"] | {"sizes": tuple(request["work"]["sizes"])})
                job = prepare(system, work)
                np.save(request["file"], results(job, work))
                answer = None
            case "time":
                answer = seconds(job, request["calls"])
            case "memory":
                answer = peak_bytes(job)
            case "about":
                answer = about(system)
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()
