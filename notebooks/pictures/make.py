"""Make the README's pictures from real runs: ``python notebooks/pictures/make.py``.

The measurements of the rule of n and m are kept in modes.csv, written by
``OPENBLAS_NUM_THREADS=1 python tests/benchmarks/modes.py FILE --repeat 24``.
"""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

import nnlite as nn

matplotlib.use("Agg")
HERE = Path(__file__).parent


def save(figure, name):
    figure.savefig(HERE / name, dpi=120, metadata={"Software": None})


def seminar_graph():
    """The seminar's model after 100 full-batch steps, with u and ū at every vertex."""
    data = nn.datasets.load_breast_cancer()
    X, t = nn.datasets.Standardizer.fit(data.X)(data.X), data.t
    graph = nn.models.seminar_model(30, lam=0.001, rng=0)
    sgd = nn.SGD(graph.parameters(), lr=1.0, momentum=0.9)
    for _ in range(100):
        graph(X, t)
        sgd.zero_grad()
        graph.backward()
        sgd.step()
    graph(X, t)
    sgd.zero_grad()
    graph.backward()
    save(graph.plot(values=True, gradients=True).figure, "graph.png")


def training_curve():
    """A perceptron on the digits, with mini-batches: the loss on training and on held-out data."""
    train, test = nn.datasets.load_digits().split(test=0.2, rng=0)
    scale = nn.datasets.Standardizer.fit(train.X)
    x, t = nn.Input("x"), nn.Input("t")
    network = nn.Sequential(nn.Linear(64, 32, rng=0), nn.ReLU(), nn.Linear(32, 10, rng=1))
    graph = nn.Graph([x, t], nn.CrossEntropy()(network(x), t))
    adam = nn.Adam(graph.parameters(), lr=0.003)
    loader = nn.DataLoader(scale(train.X), train.t, 32, shuffle=True, rng=np.random.default_rng(0))
    history = []
    for epoch in range(1, 31):
        for X, labels in loader:
            graph(X, labels)
            adam.zero_grad()
            graph.backward()
            adam.step()
        losses = {
            f"{name}_loss": float(graph(scale(part.X), part.t, keep=False))
            for name, part in (("train", train), ("test", test))
        }
        history.append({"epoch": epoch, **losses})
    ax = Figure(figsize=(5.0, 3.0), layout="constrained").subplots()
    ax.set_yscale("log")
    save(nn.plot.history(history, ax=ax).figure, "training.png")


def rule_of_n_and_m():
    """Time and memory of the two modes, as tests/benchmarks/modes.py measured them."""
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    for ax, quantity in zip(figure.subplots(1, 2), ("seconds", "peak_bytes"), strict=True):
        nn.plot.modes(HERE / "modes.csv", ax=ax, quantity=quantity)
    save(figure, "modes.png")


if __name__ == "__main__":
    seminar_graph()
    training_curve()
    rule_of_n_and_m()
