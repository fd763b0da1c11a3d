"""How good a model is on given samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from nnlite.core.module import Module
from nnlite.core.restoring import each, restoring
from nnlite.datasets.loader import DataLoader
from nnlite.graph.graph import Graph
from nnlite.training.divergence import DivergenceError, first_value

Metric = Callable[[Any, Any], float]

_ROWS = 1024


class Evaluator:
    """The loss and the metrics of a model, in ``eval()`` mode, a piece of the samples at a time.

    Parameters
    ----------
    graph : Module
        From (x, t) to the loss.
    predictor : Module, optional
        From x to the prediction y.
    metrics : mapping of str to function
        f(y, t) for the predictions and targets of all samples.
    """

    def __init__(
        self, graph: Module, predictor: Module | None, metrics: Mapping[str, Metric]
    ) -> None:
        if metrics and predictor is None:
            raise ValueError("Trainer: metrics look at predictions; give a predictor, too")
        self.graph = graph
        self.predictor = predictor if metrics else None
        self.metrics = dict(metrics)
        self._together = _together(graph, self.predictor)

    def __call__(self, samples: Any) -> dict[str, float]:
        """The loss, averaged over the samples, and each metric, by name.

        Parameters
        ----------
        samples : (X, t), DataLoader, or anything with attributes X and t
            All rows are used, in their order.

        Raises
        ------
        DivergenceError
            If the loss is not finite.
        """
        total, rows = 0.0, 0
        predictions, targets = [], []
        with evaluating(self.graph, self.predictor), np.errstate(all="ignore"):
            for X, t in as_loader(samples):
                loss, y = self._run(X, t)
                if not np.isfinite(loss):
                    raise DivergenceError(self._why(X, t, loss))
                total += len(X) * loss
                rows += len(X)
                if self.metrics:
                    predictions.append(y)
                    targets.append(t)
        scores = {"loss": total / rows}
        if self.metrics:
            y, t = np.concatenate(predictions), np.concatenate(targets)
            scores |= {name: float(metric(y, t)) for name, metric in self.metrics.items()}
        return scores

    def _run(self, X: Any, t: Any) -> tuple[float, Any]:
        if self._together is not None:
            loss, y = self._together(X, t, keep=False)
            return as_number(loss), y
        graph = self.graph
        loss = as_number(graph(X, t, keep=False) if isinstance(graph, Graph) else graph(X, t))
        return loss, None if self.predictor is None else self.predictor(X)

    def _why(self, X: Any, t: Any, loss: float) -> str:
        self.graph(X, t)
        return (
            f"the loss of the samples under evaluation is {loss}; the first vertex that is not "
            f"finite is {first_value(self.graph)}"
        )


def as_loader(samples: Any) -> DataLoader:
    """Batches of all samples, in their order."""
    if isinstance(samples, tuple):
        X, t = samples
        return DataLoader(X, t, _ROWS)
    return DataLoader(samples.X, samples.t, getattr(samples, "batch_size", _ROWS))


def as_number(loss: Any) -> float:
    """The loss as Python's own number."""
    if getattr(loss, "size", 1) != 1:
        raise ValueError(
            f"the loss has shape {np.shape(loss)}, and a number was expected; take its mean: "
            "loss.mean()"
        )
    return float(np.asarray(loss).item())


@contextmanager
def evaluating(*models: Module | None) -> Iterator[None]:
    """``eval()`` for the length of a ``with``; each module then has the mode that it had."""
    modules = [module for model in models if model is not None for module in model.modules()]
    with restoring(each(modules, "training")):
        for module in modules:
            module.training = False
        yield


def _together(graph: Module, predictor: Module | None) -> Graph | None:
    """One graph of both, where the prediction is a vertex on the way to the loss."""
    if not isinstance(graph, Graph) or not isinstance(predictor, Graph):
        return None
    if len(predictor.outputs) > 1 or predictor.outputs[0] not in set(graph.nodes):
        return None
    return Graph(graph.inputs, [*graph.outputs, *predictor.outputs])
