"""Class numbers, as the pictures of classification take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def class_numbers(values: ArrayLike, name: str) -> NDArray[np.int64]:
    """Whole numbers from 0, (samples,), from (samples,) or (samples, 1).

    Raises
    ------
    ValueError
        If they are of another shape, or are no whole numbers from 0: scores, for instance.
    """
    array: NDArray[Any] = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or not array.size:
        raise ValueError(
            f"{name} has shape {np.shape(values)}; classes are (samples,) or (samples, 1), at "
            "least one: of scores take scores.argmax(axis=1)"
        )
    if array.dtype.kind not in "fiub" or np.any((array != np.round(array)) | (array < 0)):
        raise ValueError(
            f"{name} is made of classes, whole numbers from 0; got {array.dtype} such as "
            f"{array[0]!s}: of probabilities take y > 0.5"
        )
    return array.astype(np.int64)


def class_names(names: Sequence[str] | None, count: int) -> list[str]:
    """One for each class, their numbers by default."""
    if names is None:
        return [str(k) for k in range(count)]
    if len(names) < count:
        raise ValueError(f"names has {len(names)} names for {count} classes: {list(names)}")
    return [str(name) for name in names]
