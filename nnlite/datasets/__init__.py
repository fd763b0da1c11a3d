"""Data sets: the two that come with nnlite, and tables in files.

>>> import nnlite as nn
>>> data = nn.datasets.load_breast_cancer()
>>> train, test = data.split(test=0.2, rng=0)
>>> standardize = nn.datasets.Standardizer.fit(train.X)
>>> X, t = standardize(train.X), train.t
>>> X.shape, t.shape
((455, 30), (455, 1))
"""

from nnlite.datasets.dataset import Dataset
from nnlite.datasets.lazy import LazyArray
from nnlite.datasets.loading import load, load_csv, load_features
from nnlite.datasets.shipped import load_breast_cancer, load_digits
from nnlite.datasets.standardizer import Standardizer
from nnlite.errors import DataError

__all__ = [
    "DataError",
    "Dataset",
    "LazyArray",
    "Standardizer",
    "load",
    "load_breast_cancer",
    "load_csv",
    "load_digits",
    "load_features",
]
