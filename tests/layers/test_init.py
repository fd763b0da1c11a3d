"""Initialisers: moments, bounds, orthogonality, and what they depend on."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pytest
from helpers import FLOATS
from numpy.typing import DTypeLike

from nnlite import init

WEIGHTS = [(40, 90), (90, 40), (12, 5, 3, 5), (7, 20, 6)]
FANS = {(40, 90): (40, 90), (90, 40): (90, 40), (12, 5, 3, 5): (75, 180), (7, 20, 6): (120, 42)}

UNIFORM = {
    init.glorot_uniform: lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    init.he_uniform: lambda fan_in, fan_out: 2 / fan_in,
    init.lecun_uniform: lambda fan_in, fan_out: 1 / fan_in,
}
NORMAL = {
    init.glorot_normal: lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    init.he_normal: lambda fan_in, fan_out: 2 / fan_in,
    init.lecun_normal: lambda fan_in, fan_out: 1 / fan_in,
}
EVERY: list[Any] = [
    *UNIFORM,
    *NORMAL,
    init.orthogonal,
    init.uniform,
    init.normal,
    init.zeros,
    partial(init.constant, value=0.1),
]
RANDOM = EVERY[:-2]


def name(function: Any) -> str:
    return str(getattr(function, "__name__", "constant"))


EACH = pytest.mark.parametrize("function", EVERY, ids=name)
EACH_RANDOM = pytest.mark.parametrize("function", RANDOM, ids=name)


def assert_moments(values: np.ndarray, variance: float, kurtosis: float) -> None:
    """Mean 0 and `variance`, to six standard errors each.

    Of n values the mean has variance σ²/n and the mean square, about, (kurtosis − 1) σ⁴/n.
    """
    n = values.size
    assert abs(values.mean()) <= 6 * math.sqrt(variance / n)
    assert abs((values**2).mean() - variance) <= 6 * variance * math.sqrt((kurtosis - 1) / n)


@pytest.mark.parametrize("shape", WEIGHTS, ids=str)
class TestTheMoments:
    @pytest.mark.parametrize("gain", [None, 0.5])
    @pytest.mark.parametrize(("function", "variance"), UNIFORM.items(), ids=name)
    def test_of_uniform_values_are_those_of_the_fans(
        self, shape: Any, function: Any, variance: Any, gain: float | None
    ) -> None:
        expected = variance(*FANS[shape])
        if gain is not None:
            expected *= (gain / (math.sqrt(2) if function is init.he_uniform else 1)) ** 2
        values = function(shape, rng=0) if gain is None else function(shape, gain=gain, rng=0)
        assert_moments(values, expected, kurtosis=9 / 5)
        bound = math.sqrt(3 * expected)
        assert 0.99 * bound < np.abs(values).max() <= bound

    @pytest.mark.parametrize("gain", [None, 0.5])
    @pytest.mark.parametrize(("function", "variance"), NORMAL.items(), ids=name)
    def test_of_normal_values_are_those_of_the_fans(
        self, shape: Any, function: Any, variance: Any, gain: float | None
    ) -> None:
        expected = variance(*FANS[shape])
        if gain is not None:
            expected *= (gain / (math.sqrt(2) if function is init.he_normal else 1)) ** 2
        values = function(shape, rng=0) if gain is None else function(shape, gain=gain, rng=0)
        assert_moments(values, expected, kurtosis=3)
        assert np.abs(values).max() > 3 * math.sqrt(expected) or values.size < 1000

    def test_of_uniform_and_normal_are_those_asked_for(self, shape: Any) -> None:
        values = init.uniform(shape, low=2.0, high=4.0, rng=0)
        assert ((values >= 2) & (values < 4)).all()
        assert_moments(values - 3, 4 / 12, kurtosis=9 / 5)
        assert_moments(init.normal(shape, mean=3.0, std=2.0, rng=0) - 3, 4.0, kurtosis=3)

    @FLOATS
    @pytest.mark.parametrize("gain", [1.0, 3.0])
    def test_of_second_order_are_orthogonal(
        self, shape: Any, gain: float, dtype: DTypeLike
    ) -> None:
        W = init.orthogonal(shape, gain=gain, dtype=dtype, rng=0)
        assert (W.shape, W.dtype) == (shape, dtype)
        matrix = np.float64(W).reshape(shape[0], -1) / gain
        rows, columns = matrix.shape
        product = matrix @ matrix.T if rows <= columns else matrix.T @ matrix
        error = np.abs(product - np.eye(min(rows, columns))).max()
        assert error <= 8 * np.finfo(dtype).eps

    def test_fans_are_those_of_the_layout(self, shape: Any) -> None:
        assert init.fan_in_and_fan_out(shape) == FANS[shape]


def test_orthogonal_matrices_are_as_often_left_as_right_handed() -> None:
    """Without the signs of R's diagonal, the first entry would never be positive."""
    rng = np.random.default_rng(0)
    draws = np.array([init.orthogonal((3, 3), rng=rng) for _ in range(400)])
    positive = np.array([draws[:, 0, 0] > 0, np.linalg.det(draws) > 0]).sum(axis=1)
    assert (abs(positive - 200) <= 6 * math.sqrt(400 / 4)).all()


@EACH
class TestEveryInitialiser:
    @FLOATS
    def test_gives_a_new_writable_array_of_the_shape_and_dtype(
        self, function: Any, dtype: DTypeLike
    ) -> None:
        for shape in [(4, 3), (4, 3, 2, 2)]:
            values = function(shape, dtype=dtype, rng=0)
            assert (type(values), values.shape, values.dtype) == (np.ndarray, shape, dtype)
            assert values.flags.writeable

    def test_depends_on_nothing_but_its_rng(self, function: Any) -> None:
        before = np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
        seeded = function((4, 3), rng=7)
        np.testing.assert_array_equal(seeded, function((4, 3), rng=np.random.default_rng(7)))
        after = np.random.get_state()[1]  # type: ignore[index]  # noqa: NPY002
        np.testing.assert_array_equal(before, after)

    def test_differs_between_precisions_by_rounding_only(self, function: Any) -> None:
        double = function((4, 3), rng=7)
        np.testing.assert_array_equal(
            function((4, 3), dtype=np.float32, rng=7), double.astype(np.float32)
        )

    def test_refuses_a_dtype_that_is_not_floating(self, function: Any) -> None:
        with pytest.raises(TypeError, match="floating dtype, got int64"):
            function((4, 3), dtype=np.int64, rng=0)

    @pytest.mark.parametrize("shape", [(4, -3), (4, 2.5), (4, None)], ids=str)
    def test_refuses_a_shape_that_is_none(self, function: Any, shape: Any) -> None:
        with pytest.raises(ValueError, match=r"a shape is .*, got \(4, "):
            function(shape, rng=0)


@EACH_RANDOM
def test_what_is_random_differs_from_draw_to_draw(function: Any) -> None:
    rng = np.random.default_rng(0)
    assert (function((4, 3), rng=rng) != function((4, 3), rng=rng)).all()
    assert (function((4, 3)) != function((4, 3))).any()


@pytest.mark.parametrize("function", [*UNIFORM, *NORMAL, init.orthogonal], ids=name)
class TestWhatHasFans:
    @pytest.mark.parametrize("shape", [(), (3,), (3, 0), (0, 3), (2, 3, 0, 1)], ids=str)
    def test_refuses_a_shape_without(self, function: Any, shape: tuple[int, ...]) -> None:
        with pytest.raises(ValueError, match="fans are those of a weight"):
            function(shape, rng=0)

    @pytest.mark.parametrize("gain", [0.0, -1.0, np.nan, np.inf])
    def test_refuses_a_gain_that_is_not_positive(self, function: Any, gain: float) -> None:
        with pytest.raises(ValueError, match="gain is a finite number above 0, got"):
            function((3, 3), gain=gain, rng=0)


class TestConstants:
    def test_have_their_value_everywhere(self) -> None:
        np.testing.assert_array_equal(init.zeros(3), [0.0, 0.0, 0.0])
        np.testing.assert_array_equal(init.constant((1, 2), 0.5), [[0.5, 0.5]])
        assert init.zeros(()).shape == ()
        assert init.zeros((0, 2)).shape == (0, 2)


@pytest.mark.parametrize(("low", "high"), [(1.0, 0.0), (0.0, np.inf), (np.nan, 1.0)])
def test_uniform_refuses_bounds_out_of_order(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="uniform: low and high are finite and in order"):
        init.uniform(3, low=low, high=high)


@pytest.mark.parametrize(("mean", "std"), [(0.0, -1.0), (np.nan, 1.0), (0.0, np.inf)])
def test_normal_refuses_moments_that_are_none(mean: float, std: float) -> None:
    with pytest.raises(ValueError, match="normal: mean is finite and std finite and at least 0"):
        init.normal(3, mean=mean, std=std)
