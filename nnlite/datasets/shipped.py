"""The data sets that come with nnlite."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from nnlite.datasets.dataset import Dataset
from nnlite.datasets.loading import load, load_csv
from nnlite.files.errors import DataError


def load_breast_cancer(dtype: DTypeLike = np.float64) -> Dataset:
    """Load the Wisconsin diagnostic data: is a tumour benign (0) or malignant (1)?

    Parameters
    ----------
    dtype : float dtype

    Returns
    -------
    Dataset
        `X` is (569, 30) and `t` is (569, 1), both in `dtype`.

    Examples
    --------
    >>> load_breast_cancer()
    <Dataset: 569 samples, 30 features, target 'diagnosis' (benign, malignant)>
    """
    return load_csv(shipped("breast_cancer.csv"), target="diagnosis", dtype=dtype)


def load_digits(dtype: DTypeLike = np.float64) -> Dataset:
    """Load 8 × 8 pictures of handwritten digits, each pixel from 0 (paper) to 16 (ink).

    Parameters
    ----------
    dtype : float dtype

    Returns
    -------
    Dataset
        `X` is (1797, 64) in `dtype` and `t` is (1797,) int64, the digits themselves.

    Examples
    --------
    >>> X, t = load_digits()
    >>> t[:5]
    array([0, 1, 2, 3, 4])
    """
    return load(shipped("digits.csv.gz"), target="digit", dtype=dtype, task="multiclass")


def shipped(name: str) -> Path:
    """Return where a data file is: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    places = [package / "data" / name, package.parent / "data" / name]
    for place in places:
        if place.is_file():
            return place
    raise DataError(f"{name} is neither at {places[0]} nor at {places[1]}; install nnlite again")
