"""The same table as CSV, .npy and .npz."""

import numpy as np
import pytest

from nnlite.datasets import DataError

X = np.arange(24.0).reshape(12, 2)
TEXT = np.array(["fig", "pear", "fig", "apple"] * 3)


def refusal(function, *arguments, **named):
    with pytest.raises(DataError) as error:
        function(*arguments, **named)
    return str(error.value)
