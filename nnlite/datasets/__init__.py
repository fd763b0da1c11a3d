"""Data sets: the two that come with nnlite, and tables in files.

>>> import nnlite as nn
>>> data = nn.datasets.load_breast_cancer()
>>> train, test = data.split(test=0.2, rng=0)
>>> standardize = nn.datasets.Standardizer.fit(train.X)
>>> X, t = standardize(train.X), train.t
>>> X.shape, t.shape
((455, 30), (455, 1))
"""

from nnlite.core.public import public
from nnlite.datasets.dataset import Dataset as Dataset
from nnlite.datasets.lazy import LazyArray as LazyArray
from nnlite.datasets.loading import (
    load as load,
    load_csv as load_csv,
    load_features as load_features,
)
from nnlite.datasets.shipped import (
    load_breast_cancer as load_breast_cancer,
    load_digits as load_digits,
)
from nnlite.datasets.standardizer import Standardizer as Standardizer
from nnlite.files import DataError as DataError

public(globals(), "nnlite.datasets")
