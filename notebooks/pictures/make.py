"""Make the README's pictures from real runs: ``python notebooks/pictures/make.py``."""

from pathlib import Path

import matplotlib

import nnlite as nn

matplotlib.use("Agg")
HERE = Path(__file__).parent


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
    graph.plot(values=True, gradients=True).figure.savefig(HERE / "graph.png", dpi=150)


if __name__ == "__main__":
    seminar_graph()
