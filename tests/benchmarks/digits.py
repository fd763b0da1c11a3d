"""A perceptron and a convolutional network learn the handwritten digits that come with nnlite.

    python tests/benchmarks/digits.py [--seed 0] [--epochs 25]

Of the 1797 pictures of 8 × 8 pixels a fifth is held out; both networks are trained with SGD,
momentum and a cross entropy, and should reach a test accuracy of at least 0.97.
"""

import argparse
import time

import numpy as np

import nnlite as nn
from nnlite.datasets.loader import DataLoader
from nnlite.training.trainer import Trainer


def perceptron(rng):
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(64, 128, dtype=np.float32, rng=rng),
        nn.ReLU(),
        nn.Linear(128, 64, dtype=np.float32, rng=rng),
        nn.ReLU(),
        nn.Linear(64, 10, dtype=np.float32, rng=rng),
    )


def convolutional(rng):
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, dtype=np.float32, rng=rng),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1, dtype=np.float32, rng=rng),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 2 * 2, 10, dtype=np.float32, rng=rng),
    )


NETWORKS = {"perceptron": perceptron, "convolutional": convolutional}


def train(network, seed=0, epochs=25, lr=0.05, momentum=0.9, batch_size=16):
    """The accuracy on the test part, and how many seconds the training took."""
    rng = np.random.default_rng(seed)
    training, test = nn.datasets.load_digits(np.float32).split(test=0.2, rng=rng)
    net = NETWORKS[network](rng)
    x, t = nn.Input("x"), nn.Input("t")
    graph = nn.Graph([x, t], nn.CrossEntropy()(net(x), t))
    optimizer = nn.SGD(net.parameters(), lr=lr, momentum=momentum)
    loader = DataLoader(pictures(training), training.t, batch_size, shuffle=True, rng=rng)
    trainer = Trainer(graph, optimizer, loader, progress=False)
    start = time.perf_counter()
    trainer.fit(epochs)
    seconds = time.perf_counter() - start
    logits = net(pictures(test))
    return float(np.mean(logits.argmax(axis=1) == test.t)), seconds


def pictures(data):
    """Ink from 0 to 1, of shape (batch, 1, 8, 8)."""
    return (data.X / 16).reshape(-1, 1, 8, 8)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=25)
    options = vars(parser.parse_args())
    for name in NETWORKS:
        accuracy, seconds = train(name, **options)
        print(f"{name:<14} test accuracy {accuracy:.3f} in {seconds:5.1f} s")
