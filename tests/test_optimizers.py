"""Each optimiser against the algorithm in PyTorch's documentation, one number at a time."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from helpers import FLOATS
from numpy.typing import DTypeLike

import nnlite as nn
from nnlite.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop, clip_grad_norm


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
ALL = [
    (SGD, {"momentum": 0.9, "weight_decay": 0.1, "nesterov": True}),
    (Adam, {"weight_decay": 0.1}),
    (AdamW, {}),
    (RMSprop, {"momentum": 0.9, "centered": True}),
    (Adagrad, {"lr_decay": 0.1}),
]
EACH = pytest.mark.parametrize(("kind", "variant"), ALL, ids=[kind.__name__ for kind, _ in ALL])


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


class TestTheState:
    @staticmethod
    def trained(kind: Any, variant: dict[str, Any], dtype: DTypeLike, steps: int) -> Any:
        """An optimiser of three parameters after some steps; the last had no gradient yet."""
        ws = [nn.Parameter(np.ones(shape, dtype)) for shape in [(2, 3), (), (2,)]]
        optimiser = kind(ws, lr=0.1, **variant)
        TestTheState.train(optimiser, steps)
        return optimiser

    @staticmethod
    def train(optimiser: Any, steps: int) -> None:
        rng = np.random.default_rng(0)
        for _ in range(steps):
            for w in optimiser.parameters[:2]:
                w.grad = rng.standard_normal(w.shape).astype(w.dtype)
            optimiser.step()

    @FLOATS
    @pytest.mark.parametrize("through_a_file", [False, True])
    @EACH
    def test_goes_on_in_another_optimiser_bit_for_bit(
        self, kind: Any, variant: dict[str, Any], dtype: DTypeLike, through_a_file: bool
    ) -> None:
        first = self.trained(kind, variant, dtype, steps=3)
        first.lr = np.float64(0.03)
        state = first.state_dict()
        if through_a_file:
            file = io.BytesIO()
            np.savez(file, **state)
            file.seek(0)
            state = dict(np.load(file, allow_pickle=False))
        second = kind([nn.Parameter(w.value) for w in first.parameters])
        second.load_state_dict(state)
        assert repr(second) == repr(first).replace("np.float64(0.03)", "0.03")
        self.train(first, steps=3)
        self.train(second, steps=3)
        for ours, theirs in zip(first.parameters, second.parameters):
            np.testing.assert_array_equal(ours.value, theirs.value)
            assert theirs.dtype == dtype

    @EACH
    def test_is_a_copy_on_both_sides(self, kind: Any, variant: dict[str, Any]) -> None:
        optimiser = self.trained(kind, variant, np.float64, steps=2)
        state = optimiser.state_dict()
        kept = {name: np.array(item) for name, item in state.items()}
        self.train(optimiser, steps=1)
        for name, item in state.items():
            np.testing.assert_array_equal(item, kept[name])
        optimiser.load_state_dict(state)
        for spoilt in (state, optimiser.state_dict()):
            for item in spoilt.values():
                if isinstance(item, np.ndarray):
                    item[...] = np.nan
            for name, item in optimiser.state_dict().items():
                np.testing.assert_array_equal(item, kept[name])

    def test_names_its_parts(self) -> None:
        state = self.trained(Adam, {}, np.float64, steps=2).state_dict()
        assert list(state) == [
            *("lr", "betas", "eps", "weight_decay"),
            *("steps.0", "mean.0", "square.0", "steps.1", "mean.1", "square.1"),
        ]
        assert state["steps.0"] == 2
        assert state["mean.0"].shape == (2, 3)

    def test_that_does_not_fit_is_refused_whole(self) -> None:
        optimiser = self.trained(Adam, {}, np.float64, steps=2)
        before = optimiser.state_dict()
        state = dict(before, lr=7.0, **{"mean.0": np.ones((3, 2)), "mean.3": np.ones(2)})
        state["momentum"] = 0.9
        state["square.1"] = np.float32(1)
        del state["eps"]
        with pytest.raises(ValueError, match="the state does not fit Adam") as caught:
            optimiser.load_state_dict(state)
        for problem in [
            "missing: eps",
            "mean.0: expected float64[2, 3], got float64[3, 2]",
            "unexpected: mean.3",
            "unexpected: momentum",
            "square.1: expected float64[], got float32[]",
        ]:
            assert problem in str(caught.value)
        after = optimiser.state_dict()
        assert list(after) == list(before)
        for name, item in before.items():
            np.testing.assert_array_equal(after[name], item)


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


class TestClipGradNorm:
    @staticmethod
    def parameters(dtype: DTypeLike = np.float64, scale: float = 1.0) -> list[nn.Parameter]:
        rng = np.random.default_rng(0)
        parameters = [nn.Parameter(np.ones(shape, dtype)) for shape in [(3, 4), (4,), (), (0,)]]
        for parameter in parameters:
            parameter.grad = np.array(scale * rng.standard_normal(parameter.shape)).astype(dtype)
        return [*parameters, nn.Parameter(np.ones(2, dtype))]

    @staticmethod
    def norm(parameters: list[nn.Parameter]) -> float:
        grads = [np.float64(p.grad).ravel() for p in parameters if p.grad is not None]
        return float(np.linalg.norm(np.concatenate(grads)))

    @FLOATS
    def test_scales_what_is_too_long_and_returns_the_norm(self, dtype: DTypeLike) -> None:
        parameters = self.parameters(dtype)
        before = [p.grad for p in parameters]
        copies = [np.array(g) for g in before]
        norm = self.norm(parameters)
        total = clip_grad_norm(iter(parameters), max_norm=0.5)
        assert isinstance(total, float)
        assert total == pytest.approx(norm, rel=1e-14)
        tolerance = 4 * np.finfo(dtype).eps
        for parameter, old, copy in zip(parameters[:4], before, copies):
            np.testing.assert_array_equal(old, copy)
            assert parameter.grad is not old
            assert (parameter.grad.dtype, parameter.grad.shape) == (dtype, parameter.shape)
            exact = np.float64(copy) * 0.5 / (norm + 1e-6)
            np.testing.assert_allclose(parameter.grad, exact, rtol=tolerance)
        assert parameters[4].grad is None
        assert self.norm(parameters) <= 0.5

    @pytest.mark.parametrize("max_norm", [100.0, math.inf])
    def test_leaves_alone_what_is_short_enough(self, max_norm: float) -> None:
        parameters = self.parameters()
        before = [p.grad for p in parameters]
        assert clip_grad_norm(parameters, max_norm) == pytest.approx(self.norm(parameters))
        assert all(p.grad is g for p, g in zip(parameters, before))

    def test_counts_each_parameter_once(self) -> None:
        parameters = self.parameters()
        assert clip_grad_norm(2 * parameters, math.inf) == clip_grad_norm(parameters, math.inf)

    def test_of_no_gradients_is_zero(self) -> None:
        assert clip_grad_norm([nn.Parameter(np.ones(2))], 1.0) == 0.0
        assert clip_grad_norm([], 1.0) == 0.0

    @pytest.mark.parametrize("scale", [1e30, 1e-30])
    def test_neither_overflows_nor_vanishes_in_single_precision(self, scale: float) -> None:
        parameters = self.parameters(np.float32, scale)
        norm = self.norm(parameters)
        assert clip_grad_norm(parameters, 1.0) == pytest.approx(norm, rel=1e-14)
        assert self.norm(parameters) == pytest.approx(min(norm, 1.0), rel=1e-6)

    @pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
    def test_refuses_a_gradient_that_is_not_finite(self, broken: float) -> None:
        parameters = self.parameters()
        grad = np.array([1.0, broken, 2.0, broken])
        parameters[1].grad = grad
        before = [p.grad for p in parameters]
        with pytest.raises(ArithmeticError, match=r"2 of 4 entries .*float64\[4\].* not finite"):
            clip_grad_norm(parameters, 1.0)
        assert all(p.grad is g for p, g in zip(parameters, before))

    def test_refuses_a_norm_that_is_not_finite(self) -> None:
        w = nn.Parameter(np.ones(4))
        w.grad = np.full(4, 1e308)
        with pytest.raises(ArithmeticError, match="the norm of all gradients is inf"):
            clip_grad_norm([w], 1.0)

    @pytest.mark.parametrize("max_norm", [0.0, -1.0, np.nan])
    def test_refuses_a_largest_norm_that_is_not_positive(self, max_norm: float) -> None:
        with pytest.raises(ValueError, match="max_norm is a number above 0, got"):
            clip_grad_norm(self.parameters(), max_norm)

    def test_refuses_what_is_no_parameter(self) -> None:
        with pytest.raises(TypeError, match="clip_grad_norm takes parameters"):
            clip_grad_norm([np.ones(2)], 1.0)  # type: ignore[list-item]
