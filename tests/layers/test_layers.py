"""What single modules promise beyond the properties that all share: kinks, tails, state, chance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special
from derivatives import check_derivatives
from helpers import FLOATS, gradient_of
from numpy.typing import DTypeLike

import nnlite as nn
from nnlite.core.primitives.erf import erf, erfc
from nnlite.layers.activation import ELU, GELU, LeakyReLU, ReLU, SiLU
from nnlite.layers.batch_normalization import BatchNorm1d, BatchNorm2d
from nnlite.layers.cross_entropy import BCE, BCEWithLogits, CrossEntropy
from nnlite.layers.dropout import Dropout
from nnlite.layers.embedding import Embedding
from nnlite.layers.losses import MAE, Huber
from nnlite.layers.normalization import LayerNorm
from nnlite.layers.regularizers import L1
from nnlite.layers.softmax import LogSoftmax

EPS = np.finfo(np.float64).eps
ZERO, ONE = np.zeros(1), np.ones(1)


@pytest.mark.parametrize(
    ("function", "x", "derivative"),
    [
        (ReLU(), 0.0, 0.0),
        (LeakyReLU(0.25), 0.0, 0.25),
        (ELU(0.25), 0.0, 0.25),
        (L1(), 0.0, 0.0),
        (lambda y: MAE()(y, ZERO), 0.0, 0.0),
        (lambda y: Huber(2.0)(y, ZERO), 2.0, 2.0),
        (lambda y: Huber(2.0)(y, ZERO), -2.0, -2.0),
        (lambda y: BCE()(y, ONE), 0.0, 0.0),
        (lambda y: BCE()(y, ZERO), 1.0, 0.0),
        (lambda y: BCE()(y, ZERO), 0.0, 1.0),
        (lambda y: BCE()(y, ONE), 1.0, -1.0),
    ],
)
def test_at_a_kink_the_derivative_is_the_documented_one_in_both_modes(
    function: Callable[..., Any], x: float, derivative: float
) -> None:
    point = np.array([x])
    _, tangent = nn.jvp(function, (point,), (ONE,))
    _, pullback = nn.vjp(function, point)
    assert np.sum(tangent) == derivative
    assert pullback(np.ones_like(tangent))[0] == derivative


class TestErrorFunctions:
    x = np.concatenate([np.linspace(-26, 26, 2001), np.linspace(-1, 1, 2001), [0.46875, 4.0]])

    @FLOATS
    def test_are_scipy_s_to_rounding(self, dtype: DTypeLike) -> None:
        x = self.x.astype(dtype)
        assert (erf(x).dtype, erfc(x).dtype) == (dtype, dtype)
        eps = np.finfo(dtype).eps
        assert np.max(np.abs(np.float64(erf(x)) - scipy.special.erf(np.float64(x)))) <= 4 * eps
        assert np.max(np.abs(np.float64(erfc(x)) - scipy.special.erfc(np.float64(x)))) <= 4 * eps

    def test_erfc_keeps_its_digits_far_out(self) -> None:
        x = np.linspace(0, 26, 1001)
        exact = np.exp(-(x.astype(np.longdouble) ** 2)) * scipy.special.erfcx(x)
        np.testing.assert_allclose(erfc(x), exact.astype(np.float64), rtol=1e-14)

    def test_take_numbers_and_saturate(self) -> None:
        assert erf(np.float64(0.0)) == 0.0
        np.testing.assert_array_equal(erf(np.array([-1e3, 1e3])), [-1, 1])
        np.testing.assert_array_equal(erfc(np.array([-1e3, 1e3])), [2, 0])
        assert np.isnan(erf(np.array([np.nan]))).all()

    @pytest.mark.parametrize("function", [erf, erfc])
    def test_have_first_and_second_derivatives(self, function: Callable[..., Any]) -> None:
        check_derivatives(function, np.array([-3.0, -0.4, 0.0, 0.3, 2.0]))


class TestFarFromZero:
    def test_gelu_keeps_its_digits(self) -> None:
        z = np.linspace(-30, -1, 30)
        np.testing.assert_allclose(GELU()(z), z * scipy.special.ndtr(z), rtol=1e-12)

    def test_silu_keeps_its_digits(self) -> None:
        z = np.linspace(-700, -1, 30)
        np.testing.assert_allclose(SiLU()(z), z * scipy.special.expit(z), rtol=1e-14)

    @pytest.mark.parametrize("sign", [1.0, -1.0])
    def test_binary_cross_entropy_of_a_sure_and_right_answer_is_its_error(
        self, sign: float
    ) -> None:
        z, t = np.array([50.0 * sign]), np.array([float(sign > 0)])
        loss = BCEWithLogits()
        np.testing.assert_allclose(loss(z, t), np.exp(-50), rtol=4 * EPS)
        grad, _ = loss.backward(1.0)
        np.testing.assert_allclose(grad, -sign * np.exp([-50.0]), rtol=4 * EPS)

    def test_log_softmax_of_minus_infinity_is_minus_infinity(self) -> None:
        z = np.array([[0.0, -np.inf, 0.0]])
        np.testing.assert_array_equal(LogSoftmax()(z), [[-np.log(2), -np.inf, -np.log(2)]])

    def test_cross_entropy_ignores_a_class_that_is_masked_out(self) -> None:
        z = np.array([[0.0, -np.inf, 0.0]])
        loss = CrossEntropy()
        assert loss(z, np.array([2])) == np.log(2)
        np.testing.assert_array_equal(loss.backward(1.0)[0], [[0.5, 0, -0.5]])


class TestBatchNorm:
    def test_has_running_statistics_with_the_unbiased_variance(self) -> None:
        x = np.random.default_rng(0).normal(3, 2, (5, 2, 3, 4))
        norm = BatchNorm2d(2, momentum=0.25)
        first, second = x, 2 * x
        norm(first)
        norm(second)
        axes = (0, 2, 3)
        mean = 0.75 * (0.25 * first.mean(axes)) + 0.25 * second.mean(axes)
        var = 0.75 * (0.75 + 0.25 * first.var(axes, ddof=1)) + 0.25 * second.var(axes, ddof=1)
        np.testing.assert_allclose(norm.running_mean, mean, rtol=1e-14)
        np.testing.assert_allclose(norm.running_var, var, rtol=1e-14)

    @FLOATS
    def test_keeps_them_in_its_dtype_and_in_its_state(self, dtype: DTypeLike) -> None:
        norm, other = BatchNorm1d(2, dtype=dtype), BatchNorm1d(2, dtype=dtype)
        norm(np.arange(6, dtype=dtype).reshape(3, 2))
        state = norm.state_dict()
        assert list(state) == ["weight", "bias", "running_mean", "running_var"]
        assert {array.dtype for array in state.values()} == {np.dtype(dtype)}
        other.load_state_dict(state)
        np.testing.assert_array_equal(other.running_var, norm.running_var)

    def test_does_not_update_them_in_eval(self) -> None:
        norm = BatchNorm1d(2).eval()
        norm(np.arange(6.0).reshape(3, 2))
        np.testing.assert_array_equal(norm.running_mean, [0, 0])

    def test_propagates_back_in_the_mode_of_its_forward_pass(self) -> None:
        x = np.arange(6.0).reshape(3, 2) ** 2
        norm = BatchNorm1d(2)
        norm(x)
        expected = norm.backward(x)
        norm(x)
        norm.eval()
        np.testing.assert_array_equal(norm.backward(x), expected)

    def test_of_a_constant_channel_is_its_bias(self) -> None:
        norm = BatchNorm1d(1)
        norm.bias.value = np.array([7.0])
        np.testing.assert_array_equal(norm(np.full((3, 1), 1000.0)), np.full((3, 1), 7.0))

    def test_layer_norm_of_a_constant_row_has_a_finite_gradient(self) -> None:
        grad = gradient_of(LayerNorm(4, elementwise_affine=False), np.full((2, 4), 5.0))
        np.testing.assert_array_equal(grad, np.zeros((2, 4)))


class TestDropout:
    def test_drops_the_share_p_and_keeps_the_mean(self) -> None:
        n, p = 100_000, 0.3
        y = Dropout(p, rng=0)(np.ones(n))
        five_sigma = 5 * np.sqrt(p * (1 - p) / n)
        assert abs(np.mean(y == 0) - p) < five_sigma
        np.testing.assert_allclose(y[y != 0], 1 / (1 - p), rtol=2 * EPS)

    def test_draws_anew_in_every_pass_and_propagates_back_with_the_same_mask(self) -> None:
        dropout = Dropout(rng=0)
        x = np.ones(64)
        first, second = dropout(x), dropout(x)
        assert (first != second).any()
        np.testing.assert_array_equal(dropout.backward(x), second)

    def test_depends_on_its_own_generator_alone(self) -> None:
        x = np.ones(64)
        np.testing.assert_array_equal(Dropout(rng=3)(x), Dropout(rng=np.random.default_rng(3))(x))

    @pytest.mark.parametrize("dropout", [Dropout(0), Dropout().eval()])
    def test_without_noise_gives_what_it_was_given(self, dropout: Dropout) -> None:
        x = np.ones(3)
        assert dropout(x) is x
        assert dropout.backward(x) is x


class TestEmbedding:
    def test_adds_up_the_gradients_of_an_index_that_repeats(self) -> None:
        embedding = Embedding(3, 1, rng=0)
        embedding(np.array([2, 0, 2]))
        embedding.backward(np.array([[1.0], [10.0], [100.0]]))
        np.testing.assert_array_equal(embedding.weight.grad, [[10.0], [0.0], [101.0]])

    def test_takes_indices_of_any_integer_dtype_and_shape(self) -> None:
        embedding = Embedding(300, 2, rng=0)
        for indices in (np.uint8(200), np.array([[7]], np.int16), np.zeros((0, 2), int)):
            assert embedding(indices).shape == (*np.shape(indices), 2)


class TestCrossEntropy:
    def test_is_bce_with_logits_for_two_classes(self) -> None:
        z, t = np.array([0.3, -2.0, 5.0]), np.array([1, 0, 0])
        two = np.stack([np.zeros(3), z], axis=1)
        np.testing.assert_allclose(CrossEntropy()(two, t), BCEWithLogits()(z, t), rtol=4 * EPS)

    def test_is_cut_at_a_hundred_for_probabilities(self) -> None:
        y, t = np.array([0.0, 1.0, 5e-324]), np.array([1.0, 0.0, 1.0])
        assert BCE()(y, t) == 100

    def test_weights_are_copied(self) -> None:
        w = np.array([1.0, 2.0])
        loss = CrossEntropy(w)
        w[:] = 0
        np.testing.assert_array_equal(loss.weight, [1.0, 2.0])
