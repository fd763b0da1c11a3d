"""What a program pays before it does anything: each command in a new process, interleaved."""

import subprocess
import sys
import time
from importlib.util import find_spec

import numpy as np
from conduct import environment

COMMANDS = {
    "Python alone": ["-c", "pass"],
    "import numpy": ["-c", "import numpy"],
    "import nnlite": ["-c", "import nnlite"],
    "import nnlite; nnlite.Graph": ["-c", "import nnlite; nnlite.Graph"],
    "nnlite train --help": ["-m", "nnlite", "train", "--help"],
    "import autograd": ["-c", "import autograd"],
    "import sklearn.neural_network": ["-c", "import sklearn.neural_network"],
    "import jax": ["-c", "import jax"],
    "import torch": ["-c", "import torch"],
}


def measure(threads, rounds):
    """The seconds of every round, by command."""
    commands = {
        name: command
        for name, command in COMMANDS.items()
        if not name.startswith("import ")
        or find_spec(name.removeprefix("import ").split(";")[0].split(".")[0])
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for i in range(rounds + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, *command],
                check=True,
                stdout=subprocess.DEVNULL,
                env=environment(threads),
            )
            if i:  # the first round reads the files from the disk
                times[name].append(time.perf_counter() - start)
    return {name: np.array(samples) for name, samples in times.items()}
