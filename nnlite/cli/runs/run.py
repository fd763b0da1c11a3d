"""Runs: a trained model with all that it needs to predict from raw data, in memory or on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite.cli.runs.build import build_model, load_columns
from nnlite.cli.runs.config import Config, read_config
from nnlite.core.public import public
from nnlite.datasets import Dataset, Standardizer, load_features
from nnlite.files.archive import read_npz
from nnlite.files.errors import DataError, RunError
from nnlite.layers.models import Model, parameter_shapes
from nnlite.training import metrics

# Bits depend on how many rows are multiplied at once, so that this is the same everywhere.
_PIECE = 1024


class Run:
    """A trained model, with the names of its columns and classes and its standardisation.

    Parameters
    ----------
    config : Config
        The settings that it was trained with.
    model : Model
    folder : Path
        Where it is, or will be, on disk.

    Notes
    -----
    `load_run` reads one from the folder that ``nnlite train`` wrote. The same data give the same
    bits in any process, on the same machine with the same BLAS and number of threads.
    """

    def __init__(self, config: Config, model: Model, folder: Path) -> None:
        self.config = config
        self.model = model
        self.folder = folder
        self.standardize = Standardizer(np.array(config.mean), np.array(config.scale))

    def __repr__(self) -> str:
        return (
            f"<Run {self.folder}: {self.config.target!r} from {len(self.config.features)} features>"
        )

    def predict(self, X: Any) -> NDArray[Any]:
        """What each sample is.

        Parameters
        ----------
        X : array_like or LazyArray, (m, n)
            Raw samples, not standardised, with the features in the order of ``config.features``.

        Returns
        -------
        ndarray, (m,)
            The name of the most probable class, or a float64 number in the target's own unit.

        Raises
        ------
        DataError
            If `X` has another shape, or holds something else than finite numbers.
        """
        if self.config.task == "regression":
            return self._quantities(X)
        return self.names(self.predict_proba(X))

    def predict_proba(self, X: Any) -> NDArray[np.floating[Any]]:
        """How probable each class is for each sample.

        Parameters
        ----------
        X : array_like or LazyArray, (m, n)
            As for `predict`.

        Returns
        -------
        float array, (m, classes)
            In the order of ``config.classes``, in the model's dtype.

        Raises
        ------
        DataError
            As for `predict`.
        ValueError
            If the run predicts a quantity.
        """
        if self.config.task == "regression":
            raise ValueError(f"{self!r} predicts a quantity, which has no classes; call predict(X)")
        y: NDArray[Any] = np.concatenate(list(self._outputs(X)))
        if self.config.task == "binary":
            y = np.hstack([1 - y, y])
        return y

    def names(self, probabilities: NDArray[Any]) -> NDArray[Any]:
        """The name of the most probable class in each row, (m,); the first of equals."""
        found: NDArray[Any] = np.array(self.config.classes)[probabilities.argmax(axis=1)]
        return found

    def evaluate(self, X: Any, t: Any) -> dict[str, float]:
        """How good the predictions are.

        Parameters
        ----------
        X : array_like or LazyArray, (m, n)
            Raw samples, as for `predict`.
        t : array_like or LazyArray, (m,) or (m, 1)
            Class numbers, or a quantity in its own unit, as in the `Dataset` of `load`.

        Returns
        -------
        dict of str to float
            For classes the "accuracy"; for a quantity "r2", "mae" and "rmse", as in
            `nnlite.metrics`.
        """
        t = np.asarray(t[:])
        if self.config.task != "regression":
            return {"accuracy": metrics.accuracy(self.predict_proba(X), t)}
        y, t = self.predict(X), t.reshape(-1)
        return {name: getattr(metrics, name)(y, t) for name in ("r2", "mae", "rmse")}

    def confusion(self, X: Any, t: Any) -> NDArray[np.int64]:
        """How many samples of each class were taken for each class, (classes, classes).

        A row for each true class, a column for each predicted one; arguments as in `evaluate`.
        """
        counts = np.zeros((len(self.config.classes),) * 2, np.int64)
        true = np.asarray(t[:]).reshape(-1).astype(np.int64)
        np.add.at(counts, (true, self.predict_proba(X).argmax(axis=1)), 1)
        return counts

    def load(self, path: str | Path) -> Dataset:
        """The samples and targets of a file, with this run's columns and classes.

        Raises
        ------
        DataError
            If a column is missing, or a cell is not what it was in training.
        """
        return load_columns(self.config, path)

    def load_features(self, path: str | Path) -> Any:
        """The samples of a file that need not have the target; columns are found by name.

        Raises
        ------
        DataError
            If a column is missing, or a cell is not a finite number.
        """
        return load_features(path, self.config.features, self.config.dtype)

    def pieces(self, X: Any) -> Iterator[Any]:
        """`X` in the pieces of rows that are predicted together."""
        for start in range(0, max(1, len(X)), _PIECE):
            yield X[start : start + _PIECE]

    def _outputs(self, X: Any) -> Iterator[NDArray[Any]]:
        predictor = self.model.predictor
        predictor.eval()
        if isinstance(X, list | tuple):
            X = np.asarray(X)
        for piece in self.pieces(X):
            rows = np.asarray(piece, dtype=self.config.dtype)
            self._refuse_not_finite(rows)
            yield predictor(self.standardize(rows), keep=False)

    def _refuse_not_finite(self, rows: NDArray[Any]) -> None:
        for i, j in np.argwhere(~np.isfinite(rows)):
            name = self.config.features[j] if j < len(self.config.features) else int(j)
            raise DataError(
                f"{self!r}: sample {i} has {rows[i, j]} as {name!r}; leave the sample out"
            )

    def _quantities(self, X: Any) -> NDArray[np.float64]:
        y = np.concatenate(list(self._outputs(X))).astype(np.float64)[:, 0]
        return y * self.config.target_scale + self.config.target_mean


def load_run(folder: str | Path) -> Run:
    """Read the run that ``nnlite train`` wrote into a folder, which need not be trusted.

    Nothing in the folder is run, and the sizes in ``config.json`` are compared with those in
    ``weights.npz`` before memory is taken.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    Run

    Raises
    ------
    RunError
        If the folder is not a run whose training has ended, or its files do not fit together.

    Examples
    --------
    >>> import tempfile
    >>> import nnlite as nn
    >>> from nnlite.cli.main import main
    >>> with tempfile.TemporaryDirectory() as folder:  # doctest: +ELLIPSIS
    ...     exit_code = main(["train", "--out", f"{folder}/run"])
    ...     run = load_run(f"{folder}/run")
    455 samples to train on, 114 held out
    ...
    >>> run.predict(nn.datasets.load_breast_cancer().X[:3])
    array(['malignant', 'malignant', 'malignant'], dtype='<U9')
    """
    folder = Path(folder)
    config = read_config(folder / "config.json")
    path = folder / "weights.npz"
    if not path.exists():
        raise RunError(
            f"{folder} has no weights.npz: its training has not ended; go on with "
            f"nnlite train --resume {folder}"
        )
    try:
        weights = read_npz(path)
    except DataError as error:
        raise RunError(str(error)) from error
    expected = parameter_shapes(len(config.features), config.outputs, config.hidden)
    for name in [*expected, *weights]:
        said, found = expected.get(name), weights[name].shape if name in weights else None
        if said != found:
            raise RunError(
                f"{path}: by config.json {name[:60]!r} has shape {said}, and here {found}; the "
                "two files are not of the same run, so get a new copy of both"
            )
        if weights[name].dtype.kind != "f" or not np.isfinite(weights[name]).all():
            raise RunError(f"{path}: {name!r} holds something else than finite numbers")
    model = build_model(config, np.random.default_rng(0))
    try:
        model.graph.load_state_dict(weights)
    except ValueError as error:
        raise RunError(f"{path}: {error}; get a new copy of the run") from error
    return Run(config, model, folder)


public(globals(), "nnlite", own=True)
