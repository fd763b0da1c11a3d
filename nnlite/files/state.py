"""A nested state, of dicts, lists, numbers and arrays, as JSON text and arrays by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ARRAY = "array "


def pack(state: Any) -> tuple[bytes, dict[str, NDArray[Any]]]:
    """JSON text in which the place of each array is named, and the arrays by these names.

    Parameters
    ----------
    state : nested dicts with str keys, lists, tuples, str, numbers, booleans, None and arrays
        Tuples come back as lists, everything else as it was, every bit of it.

    Raises
    ------
    TypeError
        If there is anything else in it.

    Examples
    --------
    >>> text, arrays = pack({"lr": 0.1, "mean": [np.ones(2)]})
    >>> text
    b'{"lr": 0.1, "mean": ["array mean/0"]}'
    >>> unpack(text, arrays)
    {'lr': 0.1, 'mean': [array([1., 1.])]}
    """
    arrays: dict[str, NDArray[Any]] = {}
    return json.dumps(_without_arrays(state, "", arrays)).encode(), arrays


def unpack(text: bytes, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """The state that `pack` was given.

    Raises
    ------
    ValueError
        If the text is not of `pack`, or an array is missing.
    """
    try:
        return _with_arrays(json.loads(text), arrays)
    except KeyError as error:
        raise ValueError(f"the array {error} is missing") from error
    except RecursionError as error:
        raise ValueError("it is too deeply nested") from error


def _without_arrays(item: Any, path: str, arrays: dict[str, NDArray[Any]]) -> Any:
    if isinstance(item, np.ndarray | np.generic):
        if item.dtype.hasobject:
            raise TypeError(f"the state has an array of Python objects at {path!r}")
        arrays[path] = np.asarray(item)
        return _ARRAY + path
    if isinstance(item, Mapping):
        for name in item:
            if not isinstance(name, str):
                raise TypeError(f"the state has the key {name!r} at {path!r}; names are texts")
        return {
            name: _without_arrays(part, _join(path, name), arrays) for name, part in item.items()
        }
    if isinstance(item, list | tuple):
        return [_without_arrays(part, _join(path, str(i)), arrays) for i, part in enumerate(item)]
    if isinstance(item, str):
        return f"text {item}" if item.startswith((_ARRAY, "text ")) else item
    if item is None or isinstance(item, bool | int | float):
        return item
    raise TypeError(
        f"the state has {type(item).__name__} at {path!r}; it is made of numbers, texts, arrays, "
        "and lists and dicts of them"
    )


def _with_arrays(item: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    if isinstance(item, dict):
        return {name: _with_arrays(part, arrays) for name, part in item.items()}
    if isinstance(item, list):
        return [_with_arrays(part, arrays) for part in item]
    if isinstance(item, str) and item.startswith(_ARRAY):
        return arrays[item.removeprefix(_ARRAY)]
    if isinstance(item, str) and item.startswith("text "):
        return item.removeprefix("text ")
    return item


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name
