"""Gradients that are clipped."""

from __future__ import annotations

import math

import numpy as np
import pytest
from helpers import FLOATS
from numpy.typing import DTypeLike

import nnlite as nn
from nnlite.optim import clip_grad_norm


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
