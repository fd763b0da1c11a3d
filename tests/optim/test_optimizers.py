"""The rules of the optimisers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from helpers import FLOATS
from numpy.typing import DTypeLike
from recurrences import EACH

import nnlite as nn
from nnlite.optim import Adagrad, Adam, AdamW, Optimizer, RMSprop


def options(**choices: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
    """Every combination of the choices, one a name."""
    for values in product(*choices.values()):
        yield dict(zip(choices, values))


def torch_adam(
    theta: float,
    gradients: list[float],
    lr: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
) -> Iterator[float]:
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        if weight_decay != 0:
            g = g + weight_decay * theta
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        m_hat = m / (1 - betas[0] ** t)
        v_hat = v / (1 - betas[1] ** t)
        theta = theta - lr * m_hat / (math.sqrt(v_hat) + eps)
        yield theta


def torch_adamw(
    theta: float,
    gradients: list[float],
    lr: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
) -> Iterator[float]:
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        theta = theta - lr * weight_decay * theta
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        m_hat = m / (1 - betas[0] ** t)
        v_hat = v / (1 - betas[1] ** t)
        theta = theta - lr * m_hat / (math.sqrt(v_hat) + eps)
        yield theta


def torch_rmsprop(
    theta: float,
    gradients: list[float],
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    centered: bool,
) -> Iterator[float]:
    v = b = g_ave = 0.0
    for g in gradients:
        if weight_decay != 0:
            g = g + weight_decay * theta
        v = alpha * v + (1 - alpha) * g**2
        v_tilde = v
        if centered:
            g_ave = g_ave * alpha + (1 - alpha) * g
            v_tilde = v_tilde - g_ave**2
        if momentum > 0:
            b = momentum * b + g / (math.sqrt(v_tilde) + eps)
            theta = theta - lr * b
        else:
            theta = theta - lr * g / (math.sqrt(v_tilde) + eps)
        yield theta


def torch_adagrad(
    theta: float,
    gradients: list[float],
    lr: float,
    lr_decay: float,
    weight_decay: float,
    initial_accumulator_value: float,
    eps: float,
) -> Iterator[float]:
    state_sum = initial_accumulator_value
    for t, g in enumerate(gradients, start=1):
        gamma = lr / (1 + (t - 1) * lr_decay)
        if weight_decay != 0:
            g = g + weight_decay * theta
        state_sum = state_sum + g**2
        theta = theta - gamma * g / (math.sqrt(state_sum) + eps)
        yield theta


VARIANTS: list[tuple[type[Any], Callable[..., Iterator[float]], dict[str, Any]]] = []

for betas_eps_decay in options(
    betas=((0.9, 0.999), (0.0, 0.9), (0.5, 0.0)), eps=(1e-8, 1e-2), weight_decay=(0.0, 0.05)
):
    VARIANTS.append((Adam, torch_adam, betas_eps_decay))
    VARIANTS.append((AdamW, torch_adamw, betas_eps_decay))

for variant in options(
    alpha=(0.99, 0.5),
    eps=(1e-8, 1e-2),
    weight_decay=(0.0, 0.05),
    momentum=(0.0, 0.9),
    centered=(False, True),
):
    VARIANTS.append((RMSprop, torch_rmsprop, variant))

for variant in options(
    lr_decay=(0.0, 0.1),
    weight_decay=(0.0, 0.05),
    initial_accumulator_value=(0.0, 0.5),
    eps=(1e-10, 1e-2),
):
    VARIANTS.append((Adagrad, torch_adagrad, variant))


EACH_VARIANT = pytest.mark.parametrize(
    ("kind", "reference", "variant"),
    VARIANTS,
    ids=[f"{kind.__name__}-{variant}" for kind, _, variant in VARIANTS],
)

ADAPTIVE = [Adam, AdamW, RMSprop, Adagrad]


@EACH_VARIANT
def test_follows_the_recurrence_for_200_steps(
    kind: type[Any], reference: Any, variant: dict[str, Any]
) -> None:
    rng = np.random.default_rng(0)
    start, gradients = rng.standard_normal((2, 3)), rng.standard_normal((200, 2, 3))
    w = nn.Parameter(start)
    optimiser = kind([w], lr=0.01, **variant)
    ours = []
    for g in gradients:
        w.grad = g
        optimiser.step()
        ours.append(w.value)
    for i, j in np.ndindex(2, 3):
        theirs = list(reference(start[i, j], list(gradients[:, i, j]), 0.01, **variant))
        np.testing.assert_allclose(np.array(ours)[:, i, j], theirs, rtol=0, atol=1e-10)


@EACH_VARIANT
def test_keeps_arrays_shape_and_dtype(
    kind: type[Any], reference: Any, variant: dict[str, Any]
) -> None:
    for dtype, shape in product([np.float64, np.float32], [(), (3,), (0,)]):
        w = nn.Parameter(np.ones(shape, dtype))
        optimiser = kind([w], lr=np.float64(0.1), **variant)
        buffer = np.ones(shape, dtype)
        for lr in (0.1, np.float64(0.1), np.float32(0.1)):
            value, before = w.value, np.array(w.value)
            buffer[...] = lr
            w.grad, optimiser.lr = buffer, lr
            optimiser.step()
            assert (w.value.dtype, w.value.shape) == (dtype, shape)
            np.testing.assert_array_equal(value, before)
            np.testing.assert_array_equal(buffer, np.full(shape, lr, dtype))


@FLOATS
@pytest.mark.parametrize("kind", ADAPTIVE)
def test_a_zero_gradient_leaves_the_parameter_as_it_is(kind: Any, dtype: DTypeLike) -> None:
    w = nn.Parameter(np.ones(3, dtype))
    optimiser = kind([w], weight_decay=0.0)
    for _ in range(3):
        w.grad = np.zeros(3, dtype)
        optimiser.step()
    np.testing.assert_array_equal(w.value, 1)


@FLOATS
def test_a_constant_gradient_is_no_root_of_a_negative_number_for_centred_rmsprop(
    dtype: DTypeLike,
) -> None:
    """v − ḡ² tends to 0, where rounding takes it below."""
    w = nn.Parameter(np.zeros(50, dtype))
    optimiser = RMSprop([w], centered=True, alpha=0.9)
    for _ in range(1000):
        w.grad = np.linspace(0.1, 3, 50, dtype=dtype)
        optimiser.step()
    assert np.isfinite(w.value).all()


class TestEveryOptimiser:
    @EACH
    def test_counts_steps_for_each_parameter(self, kind: Any, variant: dict[str, Any]) -> None:
        early, late, idle = (nn.Parameter(np.ones(2)) for _ in range(3))
        optimiser = kind([early, late, idle], lr=0.1, **variant)
        for count in range(3):
            early.grad = np.ones(2)
            late.grad = None if count == 0 else np.ones(2)
            optimiser.step()
            if count == 1:
                after_two = early.value
        np.testing.assert_array_equal(late.value, after_two)
        np.testing.assert_array_equal(idle.value, 1)

    @EACH
    def test_refuses_what_is_no_parameter(self, kind: Any, variant: dict[str, Any]) -> None:
        with pytest.raises(TypeError, match=f"{kind.__name__} takes parameters"):
            kind([np.ones(2)], **variant)
        with pytest.raises(ValueError, match=f"{kind.__name__} got no parameters"):
            kind([], **variant)

    @EACH
    def test_takes_a_single_parameter(self, kind: Any, variant: dict[str, Any]) -> None:
        w = nn.Parameter(np.ones(2))
        assert kind(w, **variant).parameters == [w]

    @EACH
    def test_refuses_a_gradient_of_another_shape(self, kind: Any, variant: dict[str, Any]) -> None:
        w = nn.Parameter(np.ones(3), name="w")
        w.grad = np.ones((1, 3))
        with pytest.raises(ValueError, match=r"'w'.* has a gradient of shape \(1, 3\)"):
            kind([w], **variant).step()

    @EACH
    def test_shows_its_options(self, kind: Any, variant: dict[str, Any]) -> None:
        text = repr(kind([nn.Parameter(np.ones(2))], lr=0.25, **variant))
        assert text.startswith(f"{kind.__name__}(1 parameters, lr=0.25")
        for name, value in variant.items():
            assert f"{name}={value}" in text

    def test_needs_a_direction(self) -> None:
        w = nn.Parameter(np.ones(2))
        w.grad = np.ones(2)
        with pytest.raises(NotImplementedError, match="Optimizer has no direction"):
            Optimizer([w], lr=0.1).step()


class TestTheConstructorRefuses:
    @pytest.mark.parametrize("value", [-0.1, np.nan, np.inf])
    @pytest.mark.parametrize(
        ("kind", "names"),
        [
            (Adam, ["lr", "eps", "weight_decay"]),
            (AdamW, ["lr", "eps", "weight_decay"]),
            (RMSprop, ["lr", "alpha", "eps", "weight_decay", "momentum"]),
            (Adagrad, ["lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"]),
        ],
    )
    def test_numbers_out_of_range(self, kind: Any, names: list[str], value: float) -> None:
        for name in names:
            with pytest.raises(ValueError, match=f"{kind.__name__}: {name} is .*got {value}"):
                kind([nn.Parameter(np.ones(1))], **{name: value})

    @pytest.mark.parametrize("kind", ADAPTIVE)
    def test_a_rate_or_an_epsilon_of_zero(self, kind: Any) -> None:
        for name in ("lr", "eps"):
            with pytest.raises(ValueError, match=f"{kind.__name__}: {name} is"):
                kind([nn.Parameter(np.ones(1))], **{name: 0.0})

    @pytest.mark.parametrize("kind", [Adam, AdamW])
    @pytest.mark.parametrize("betas", [(1.0, 0.9), (0.9, 1.0), (-0.1, 0.9), (0.9, np.nan)])
    def test_betas_out_of_range(self, kind: Any, betas: tuple[float, float]) -> None:
        with pytest.raises(
            ValueError, match=r"betas\[\d\] is a finite number of at least 0 and below 1"
        ):
            kind([nn.Parameter(np.ones(1))], betas=betas)

    @pytest.mark.parametrize("betas", [0.9, (0.9,), (0.9, 0.99, 0.999)])
    def test_betas_that_are_not_two(self, betas: Any) -> None:
        with pytest.raises(ValueError, match="Adam: betas are two numbers"):
            Adam([nn.Parameter(np.ones(1))], betas=betas)

    def test_an_alpha_of_one(self) -> None:
        with pytest.raises(ValueError, match="RMSprop: alpha is"):
            RMSprop([nn.Parameter(np.ones(1))], alpha=1.0)
