"""Layers take their first weights from an initialiser."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from helpers import FLOATS
from numpy.typing import DTypeLike

import nnlite as nn
from nnlite import init

LAYERS: dict[str, tuple[Callable[..., Any], tuple[int, ...]]] = {
    "Linear": (partial(nn.Linear, 6, 4), (6, 4)),
    "Conv2d": (partial(nn.Conv2d, 4, 6, 3, groups=2), (6, 2, 3, 3)),
    "Embedding": (partial(nn.Embedding, 5, 3), (5, 3)),
}
INITIALISERS: dict[str, Any] = {
    **{name: getattr(init, name) for name in dir(init) if name.startswith(("he", "lecun"))},
    "glorot_uniform": init.glorot_uniform,
    "orthogonal": init.orthogonal,
    "zeros": init.zeros,
    "a constant": partial(init.constant, value=0.5),
    "with a gain": partial(init.he_normal, gain=1.0),
    "one's own": lambda shape, *, dtype, rng: rng.standard_normal(shape).astype(dtype) / 10,
}


@FLOATS
@pytest.mark.parametrize("name", INITIALISERS)
@pytest.mark.parametrize("kind", LAYERS)
def test_the_weight_is_what_the_initialiser_gives(kind: str, name: str, dtype: DTypeLike) -> None:
    make, shape = LAYERS[kind]
    layer = make(init=INITIALISERS[name], dtype=dtype, rng=7)
    expected = INITIALISERS[name](shape, dtype=dtype, rng=np.random.default_rng(7))
    assert layer.weight.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(layer.weight.value, expected)


@pytest.mark.parametrize("kind", ["Linear", "Conv2d"])
def test_without_one_weight_and_bias_are_uniform_as_pytorchs(kind: str) -> None:
    make, shape = LAYERS[kind]
    fan_in = shape[0] if kind == "Linear" else int(np.prod(shape[1:]))
    usual = partial(init.uniform, low=-1 / np.sqrt(fan_in), high=1 / np.sqrt(fan_in))
    layer, rng = make(rng=3), np.random.default_rng(3)
    np.testing.assert_array_equal(layer.weight.value, usual(shape, rng=rng))
    np.testing.assert_array_equal(layer.bias.value, usual(layer.bias.shape, rng=rng))
    other = make(rng=3, init=usual)
    np.testing.assert_array_equal(other.weight.value, layer.weight.value)
    np.testing.assert_array_equal(other.bias.value, layer.bias.value)


def test_without_one_the_rows_of_an_embedding_are_normal() -> None:
    rows = nn.Embedding(5, 3, rng=3).weight.value
    np.testing.assert_array_equal(rows, np.random.default_rng(3).normal(size=(5, 3)))


@pytest.mark.parametrize("kind", LAYERS)
def test_what_is_no_initialiser_is_refused(kind: str) -> None:
    make, shape = LAYERS[kind]
    with pytest.raises(TypeError, match=f"{kind}: init is an initialiser, such as nn.init.he_norm"):
        make(init="he")
    with pytest.raises(ValueError, match=rf"{kind}: init was asked for float64\[{shape[0]}, "):
        make(init=lambda shape, *, dtype, rng: np.zeros(3))
    with pytest.raises(ValueError, match=r"and gave float32"):
        make(init=lambda shape, *, dtype, rng: np.zeros(shape, np.float32))


def test_the_layer_owns_its_weights() -> None:
    array = np.ones((2, 3))
    layer = nn.Linear(2, 3, init=lambda shape, *, dtype, rng: array)
    array[:] = 7
    np.testing.assert_array_equal(layer.weight.value, np.ones((2, 3)))
