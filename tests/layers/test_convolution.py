"""Convolution."""

from __future__ import annotations

from typing import Any

import convolution as benchmark
import numpy as np
import pytest
import scipy.signal
from derivatives import central_difference, check_derivatives
from helpers import FLOATS, assert_equal_to_rounding, gradient_of
from numpy.typing import DTypeLike
from pixels import both, samples

import nnlite as nn
from nnlite.layers.convolution import Conv2d
from nnlite.layers.pooling import AvgPool2d, MaxPool2d


def convolved(
    x: Any, W: Any, b: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """The definition: one loop over outputs, one product for each."""
    (top, left), (sy, sx), (dy, dx) = map(both, (padding, stride, dilation))
    x = np.pad(x, ((0, 0), (0, 0), (top, top), (left, left)))
    m, channels, height, width = x.shape
    out, _, kh, kw = W.shape
    rows = (height - dy * (kh - 1) - 1) // sy + 1
    columns = (width - dx * (kw - 1) - 1) // sx + 1
    y = np.zeros((m, out, rows, columns))
    for n, o, i, j in np.ndindex(*y.shape):
        first = o // (out // groups) * (channels // groups)
        seen = x[n, first : first + channels // groups]
        seen = seen[:, i * sy :: dy, j * sx :: dx][:, :kh, :kw]
        y[n, o, i, j] = (seen * W[o]).sum() + b[o]
    return y


GEOMETRIES = {
    "plain": ((2, 3, 3), {}, (2, 2, 5, 6)),
    "a long kernel": ((2, 3, (3, 2)), {}, (2, 2, 5, 4)),
    "a stride that leaves pixels over": ((2, 3, 2), {"stride": 3}, (2, 2, 7, 6)),
    "two strides": ((1, 2, (2, 3)), {"stride": (3, 2)}, (2, 1, 6, 8)),
    "strides beyond the kernel": ((1, 2, 1), {"stride": (2, 3)}, (2, 1, 5, 5)),
    "padding": ((2, 3, 3), {"padding": 1}, (2, 2, 4, 3)),
    "two paddings, beyond the kernel": ((1, 2, 2), {"padding": (0, 3)}, (1, 1, 3, 2)),
    "dilation": ((2, 2, 3), {"dilation": 2}, (2, 2, 6, 5)),
    "two groups": ((4, 6, 2), {"groups": 2}, (2, 4, 3, 4)),
    "a group for each channel": ((3, 6, 3), {"groups": 3, "padding": 1}, (2, 3, 3, 4)),
    "everything": (
        (4, 2, (3, 2)),
        {"stride": (2, 1), "padding": (2, 1), "dilation": (1, 3), "groups": 2},
        (2, 4, 4, 5),
    ),
    "1 × 1": ((3, 2, 1), {}, (2, 3, 4, 3)),
    "as large as the picture": ((2, 3, (4, 3)), {}, (2, 2, 4, 3)),
    "one pixel, padded": ((1, 1, 3), {"padding": 1}, (1, 1, 1, 1)),
    "no samples": ((2, 3, 3), {"padding": 1, "stride": 2}, (0, 2, 5, 5)),
    "no samples, groups": ((2, 4, 1), {"groups": 2}, (0, 2, 2, 2)),
}

EVERY_GEOMETRY = pytest.mark.parametrize(
    ("sizes", "options", "shape"), GEOMETRIES.values(), ids=GEOMETRIES
)


class TestConv2d:
    @EVERY_GEOMETRY
    def test_is_the_sum_over_what_lies_under_the_kernel(
        self, sizes: Any, options: Any, shape: Any
    ) -> None:
        conv, x = Conv2d(*sizes, **options, rng=0), samples(*shape)
        exact = convolved(x, conv.weight.value, conv.bias.value, **options)
        assert_equal_to_rounding(conv(x), exact)

    @EVERY_GEOMETRY
    def test_has_the_right_first_and_second_derivatives_in_every_mixture_of_modes(
        self, sizes: Any, options: Any, shape: Any
    ) -> None:
        conv = Conv2d(*sizes, **options, rng=0)
        check_derivatives(lambda x: conv(x) ** 3, samples(*shape))

    @EVERY_GEOMETRY
    def test_has_the_right_derivatives_with_respect_to_weight_and_bias(
        self, sizes: Any, options: Any, shape: Any
    ) -> None:
        x = nn.Input("x")
        graph = nn.Graph([x], (Conv2d(*sizes, **options, rng=0)(x) ** 3).sum())
        objective = nn.Objective(graph, samples(*shape))
        theta = objective.theta
        v = samples(*theta.shape, seed=1)
        slope = central_difference(objective.fun, theta, v)
        np.testing.assert_allclose(objective.jac(theta) @ v, slope, rtol=1e-9, atol=1e-9)
        change = central_difference(objective.jac, theta, v)
        scale = np.abs(change).max()
        np.testing.assert_allclose(objective.hessp(theta, v), change, rtol=1e-9, atol=1e-9 * scale)

    @pytest.mark.parametrize("options", [{}, {"bias": False, "stride": 2, "padding": 1}])
    def test_accumulates_the_gradients_that_the_loop_over_pixels_has(self, options: Any) -> None:
        conv, x = Conv2d(2, 3, 2, **options, rng=0), samples(3, 2, 4, 5)
        conv(x)
        grad = samples(*conv(x).shape, seed=1)
        x_bar = conv.backward(grad)
        geometry = {name: item for name, item in options.items() if name != "bias"}

        def f(x: Any, W: Any, b: Any) -> Any:
            return np.vdot(convolved(x, W, b, **geometry), grad)

        W, b = conv.weight.value, np.zeros(3) if conv.bias is None else conv.bias.value
        zeros = np.zeros_like(x), np.zeros_like(W), np.zeros(3)
        base = f(x, W, b)
        for position, found in enumerate(
            (x_bar, conv.weight.grad, getattr(conv.bias, "grad", None))
        ):
            if found is None:
                continue
            exact = np.zeros_like(zeros[position])
            for index in np.ndindex(exact.shape):  # f is affine in each, so one difference is exact
                moved = [item.copy() for item in (x, W, b)]
                moved[position][index] += 1
                exact[index] = f(*moved) - base
            np.testing.assert_allclose(found, exact, rtol=1e-12, atol=1e-12)

    def test_agrees_with_scipy(self) -> None:
        conv, x = Conv2d(2, 3, (3, 4), bias=False, rng=0), samples(2, 2, 7, 6)
        W = conv.weight.value
        for mode, padding in (("valid", "valid"), ("same", "same")):
            layer = Conv2d(2, 3, (3, 4), padding=padding, bias=False, rng=0)
            exact = [
                [
                    sum(scipy.signal.correlate(x[n, c], W[o, c], "full") for c in range(2))
                    for o in range(3)
                ]
                for n in range(2)
            ]
            # of the full correlation, PyTorch's "same" starts one kernel less the zeros in front
            (i, j), (rows, columns) = ((2, 3), (5, 3)) if mode == "valid" else ((1, 2), (7, 6))
            window = np.array(exact)[:, :, i : i + rows, j : j + columns]
            assert_equal_to_rounding(layer(x), window)

    def test_same_keeps_the_size_with_the_odd_zero_below_and_on_the_right(self) -> None:
        conv = Conv2d(1, 1, 2, padding="same", bias=False)
        conv.weight.value = np.array([[[[0.0, 0.0], [0.0, 1.0]]]])
        x = samples(1, 1, 3, 3)
        np.testing.assert_array_equal(conv(x)[0, 0], np.pad(x[0, 0, 1:, 1:], ((0, 1), (0, 1))))
        assert Conv2d(1, 1, (3, 4), padding="same", dilation=(2, 3))(x).shape == x.shape

    @FLOATS
    def test_keeps_the_dtype(self, dtype: DTypeLike) -> None:
        conv, x = Conv2d(2, 3, 3, padding=1, dtype=dtype, rng=0), samples(2, 2, 4, 4).astype(dtype)
        X, W, b = map(np.float64, (x, conv.weight.value, conv.bias.value))
        exact = convolved(X, W, b, padding=1)
        assert_equal_to_rounding(conv(x), exact, dtype)
        assert gradient_of(conv, x).dtype == dtype
        assert conv.weight.grad.dtype == conv.bias.grad.dtype == dtype

    @pytest.mark.parametrize("layer", [Conv2d(2, 3, 3, rng=0), MaxPool2d(3, 2), AvgPool2d(3, 2, 1)])
    def test_does_not_care_how_its_input_lies_in_memory(self, layer: nn.Module) -> None:
        x = samples(4, 2, 6, 6)
        wide = samples(8, 2, 6, 12)
        wide[::2, :, ::-1, ::2] = x
        for same in (np.asfortranarray(x), wide[::2, :, ::-1, ::2], np.copy(x.T).T):
            np.testing.assert_array_equal(same, x)
            np.testing.assert_allclose(layer(same), layer(x), rtol=1e-13, atol=1e-14)
            layer(x)
            grad = samples(*layer(x).shape, seed=1)
            exact = layer.backward(grad)
            layer(same)
            found = layer.backward(np.asfortranarray(grad))
            np.testing.assert_allclose(found, exact, rtol=1e-13, atol=1e-14)

    def test_starts_as_pytorch_does(self) -> None:
        conv = Conv2d(8, 64, (3, 5), groups=2, rng=0)
        bound = 1 / np.sqrt(4 * 3 * 5)
        for parameter in (conv.weight, conv.bias):
            assert 0.8 * bound < np.abs(parameter.value).max() <= bound
        np.testing.assert_array_equal(
            conv.weight.value, Conv2d(8, 64, (3, 5), groups=2, rng=0).weight.value
        )

    def test_does_not_work_for_a_gradient_that_nobody_wants(self) -> None:
        x = nn.Input("x")
        conv = Conv2d(1, 2, 3, rng=0)
        graph = nn.Graph([x], conv(x).sum())
        graph(samples(2, 1, 4, 4))
        graph.backward()
        node = graph.outputs[0].parents[0]
        assert node.module is conv
        assert node._needs_input_grad == (False,)
        np.testing.assert_allclose(conv.bias.grad, [8.0, 8.0])

    def test_may_stand_at_two_vertices(self) -> None:
        conv, x = Conv2d(2, 2, 3, padding=1, rng=0), samples(2, 2, 4, 4)
        shared = gradient_of(lambda a: conv(np.tanh(conv(a))), x)
        first, second = Conv2d(2, 2, 3, padding=1, rng=0), Conv2d(2, 2, 3, padding=1, rng=0)
        apart = gradient_of(lambda a: second(np.tanh(first(a))), x)
        np.testing.assert_array_equal(shared, apart)
        np.testing.assert_allclose(
            conv.weight.grad, first.weight.grad + second.weight.grad, rtol=1e-13
        )

    def test_stands_in_a_derivative_graph(self) -> None:
        x = nn.Input("x", requires_grad=True)
        conv = Conv2d(1, 2, 2, stride=2, rng=0)
        net = nn.Sequential(conv, MaxPool2d(2, 1), AvgPool2d(2, padding=1))
        graph = nn.Graph([x], (net(x) ** 2).sum())
        X = samples(2, 1, 7, 7)
        graph(X)
        graph.backward()
        _, *gradients = graph.gradient(X)(X)
        found = {np.shape(gradient): gradient for gradient in gradients}
        for exact in (graph["x"].grad, conv.weight.grad, conv.bias.grad):
            np.testing.assert_allclose(found[exact.shape], exact, rtol=1e-13)


@FLOATS
def test_the_benchmark_compares_equal_values(dtype: DTypeLike) -> None:
    seconds, ratios = benchmark.ratios((4, 2, 6, 3, 3), repeat=1, dtype=dtype)
    assert seconds > 0
    assert ratios["by hand"] > 0
