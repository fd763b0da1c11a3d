"""What a size, a rate or a flag may be: the same everywhere, and whenever it is set."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import nnlite as nn
from nnlite.core import arguments
from nnlite.core.arguments import FLOATING, Number, OrNone, kinds_of

W = nn.Parameter(np.ones(2))
GRAPH = nn.models.seminar_model(2, rng=0)


def sgd() -> nn.SGD:
    return nn.SGD([nn.Parameter(np.ones(2))], lr=0.1)


MADE: dict[type, Callable[[], Any]] = {
    nn.LeakyReLU: nn.LeakyReLU,
    nn.ELU: nn.ELU,
    nn.GELU: nn.GELU,
    nn.Softplus: nn.Softplus,
    nn.BatchNorm1d: lambda: nn.BatchNorm1d(3),
    nn.BatchNorm2d: lambda: nn.BatchNorm2d(3),
    nn.LayerNorm: lambda: nn.LayerNorm(3),
    nn.Conv2d: lambda: nn.Conv2d(2, 2, 3),
    nn.CrossEntropy: nn.CrossEntropy,
    nn.Dropout: nn.Dropout,
    nn.Embedding: lambda: nn.Embedding(3, 2),
    nn.Flatten: nn.Flatten,
    nn.Huber: nn.Huber,
    nn.AvgPool2d: lambda: nn.AvgPool2d(2),
    nn.Softmax: nn.Softmax,
    nn.LogSoftmax: nn.LogSoftmax,
    nn.SGD: sgd,
    nn.Adam: lambda: nn.Adam([W]),
    nn.AdamW: lambda: nn.AdamW([W]),
    nn.Adagrad: lambda: nn.Adagrad([W]),
    nn.RMSprop: lambda: nn.RMSprop([W]),
    nn.StepLR: lambda: nn.StepLR(sgd(), 2),
    nn.ExponentialLR: lambda: nn.ExponentialLR(sgd(), 0.9),
    nn.CosineAnnealingLR: lambda: nn.CosineAnnealingLR(sgd(), 4),
    nn.InverseScaling: lambda: nn.InverseScaling(sgd()),
    nn.OneCycleLR: lambda: nn.OneCycleLR(sgd(), 0.1, 10),
    nn.ReduceLROnPlateau: lambda: nn.ReduceLROnPlateau(sgd()),
    nn.EarlyStopping: lambda: nn.EarlyStopping(2),
    nn.DataLoader: lambda: nn.DataLoader(np.ones((4, 2)), np.ones((4, 1)), 2),
    nn.Trainer: lambda: nn.Trainer(
        GRAPH, nn.SGD(GRAPH.parameters(), 0.1), nn.DataLoader(np.ones((4, 2)), np.ones((4, 1)), 2)
    ),
}
ATTRIBUTES = [(cls, name) for cls in MADE for name in kinds_of(cls)]
NUMBERS = [each for each in ATTRIBUTES if isinstance(kinds_of(each[0])[each[1]], Number)]
NONSENSE = (None, "much", [1], (1, 2, 3), np.ones(3), math.nan, math.inf, 1j, nn.Input("x"))


def test_every_class_with_checked_attributes_is_tried() -> None:
    public = {getattr(nn, name) for name in dir(nn) if isinstance(getattr(nn, name), type)}
    assert {cls for cls in public if kinds_of(cls)} - set(MADE) == {nn.Optimizer}


@pytest.mark.parametrize(("cls", "name"), ATTRIBUTES)
def test_nonsense_is_refused_when_it_is_set_and_changes_nothing(cls: type, name: str) -> None:
    made, kind = MADE[cls](), kinds_of(cls)[name]
    before = getattr(made, name)
    takes_none = isinstance(kind, OrNone) or kind is FLOATING  # None is NumPy's float64
    for value in NONSENSE[takes_none:]:
        with pytest.raises((TypeError, ValueError)) as error:
            setattr(made, name, value)
        assert str(error.value).startswith(f"{cls.__name__}: {name}")
        assert "got" in str(error.value)
        assert getattr(made, name) is before


@pytest.mark.parametrize(("cls", "name"), NUMBERS)
def test_numbers_out_of_bounds_and_booleans_are_refused(cls: type, name: str) -> None:
    made, kind = MADE[cls](), kinds_of(cls)[name]
    assert isinstance(kind, Number)
    before = getattr(made, name)
    beyond = [kind.low - 1, kind.high + 1, kind.above, kind.below]
    if kind.kind is int:
        beyond += [1.5, 2.0]
    for value in [True, np.True_, *filter(math.isfinite, beyond)]:
        with pytest.raises((TypeError, ValueError)) as error:
            setattr(made, name, value)
        assert str(error.value).startswith(f"{cls.__name__}: {name} is {kind}, got ")
        assert getattr(made, name) == before


@given(st.integers(-5, 5) | st.floats() | st.booleans())
def test_a_number_is_kept_as_pythons_own_or_refused(value: Any) -> None:
    for kind in (arguments.SIZE, arguments.COUNT, arguments.WHOLE):
        for given_ in (value, np.asarray(value)[()]):
            try:
                kept = kind.convert(given_)
            except (TypeError, ValueError):
                assert isinstance(value, bool | float) or value < kind.low
            else:
                assert type(kept) is int
                assert kept == value
    for rate in (arguments.POSITIVE, arguments.AT_LEAST_0, arguments.SHARE, arguments.PROBABILITY):
        try:
            number = rate.convert(value)
        except (TypeError, ValueError):
            assert (
                isinstance(value, bool)
                or not math.isfinite(value)
                or not (rate.low <= value <= rate.high and rate.above < value < rate.below)
            )
        else:
            assert type(number) is float
            assert number == value


SIZES: dict[str, Callable[[Any], Any]] = {
    "Linear in": lambda n: nn.Linear(n, 1),
    "Linear out": lambda n: nn.Linear(1, n),
    "BatchNorm1d": nn.BatchNorm1d,
    "LayerNorm": nn.LayerNorm,
    "Conv2d in": lambda n: nn.Conv2d(n, 1, 1),
    "Conv2d kernel": lambda n: nn.Conv2d(1, 1, n),
    "MaxPool2d": nn.MaxPool2d,
    "Embedding": lambda n: nn.Embedding(n, 1),
    "seminar_model": nn.models.seminar_model,
    "perceptron hidden": lambda n: nn.models.perceptron(2, hidden=[n]),
    "perceptron features": nn.models.perceptron,
    "DataLoader": lambda n: nn.DataLoader(np.ones((2, 1)), np.ones(2), n),
    "StepLR": lambda n: nn.StepLR(sgd(), n),
    "EarlyStopping": nn.EarlyStopping,
    "fit": lambda n: MADE[nn.Trainer]().fit(n),
}


@pytest.mark.parametrize("where", SIZES)
def test_a_size_is_the_same_everywhere(where: str) -> None:
    SIZES[where](1)
    SIZES[where](np.int64(1))
    for wrong, error in ((True, TypeError), (1.0, TypeError), ("1", TypeError), (None, TypeError)):
        with pytest.raises(error, match="whole number"):
            SIZES[where](wrong)
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="whole number of at least 1"):
            SIZES[where](wrong)


FLAGS: dict[str, Callable[[Any], Any]] = {
    "Linear": lambda flag: nn.Linear(1, 1, flag),
    "Conv2d": lambda flag: nn.Conv2d(1, 1, 1, bias=flag),
    "BatchNorm1d": lambda flag: nn.BatchNorm1d(1, affine=flag),
    "LayerNorm affine": lambda flag: nn.LayerNorm(1, elementwise_affine=flag),
    "LayerNorm bias": lambda flag: nn.LayerNorm(1, bias=flag),
    "AvgPool2d": lambda flag: nn.AvgPool2d(1, count_include_pad=flag),
    "SGD": lambda flag: nn.SGD([W], 0.1, momentum=0.9, nesterov=flag),
    "RMSprop": lambda flag: nn.RMSprop([W], centered=flag),
    "OneCycleLR": lambda flag: nn.OneCycleLR(sgd(), 0.1, 10, three_phase=flag),
    "DataLoader": lambda flag: nn.DataLoader(np.ones((2, 1)), np.ones(2), 1, shuffle=flag),
    "EarlyStopping": lambda flag: nn.EarlyStopping(1, restore_best=flag),
}


@pytest.mark.parametrize("where", FLAGS)
def test_a_flag_is_the_same_everywhere(where: str) -> None:
    for flag in (True, False, np.True_):
        FLAGS[where](flag)
    for wrong in (1, 0, "yes", None, np.ones(1)):
        with pytest.raises(TypeError, match="is True or False, got"):
            FLAGS[where](wrong)


def test_a_rate_below_zero_is_refused_between_two_steps() -> None:
    optimizer = sgd()
    for wrong in (-1.0, math.nan, math.inf, True, "0.1"):
        with pytest.raises((TypeError, ValueError), match="SGD: lr is a finite number of at least"):
            optimizer.lr = wrong
    optimizer.lr = 0
    assert (type(optimizer.lr), optimizer.lr) == (float, 0.0)


def test_a_state_with_a_wrong_option_changes_nothing() -> None:
    optimizer = nn.Adam([nn.Parameter(np.ones(2))])
    state = optimizer.state_dict()
    for wrong in ({"lr": -1.0}, {"betas": (0.9, 2.0)}, {"eps": 0.0}, {"weight_decay": "much"}):
        with pytest.raises(ValueError, match=f"Adam: {next(iter(wrong))}"):
            optimizer.load_state_dict({**state, "lr": 0.5, **wrong})
        assert optimizer.state_dict() == state
