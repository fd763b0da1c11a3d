"""Functions with odd results, modules inside of a backward pass, and slips in a ``jvp``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnlite as nn

Z = np.random.default_rng(7).normal(size=4)
NODE = nn.Input("x")
WEIGHT = nn.Parameter(np.array([1.0, 2.0]))


class Doubled(nn.Module):
    """2 x, with a ``jvp`` that is handed in."""

    def __init__(self, jvp: Callable[[Any], Any]) -> None:
        super().__init__()
        self.tangent = jvp

    def forward(self, x: Any) -> Any:
        return 2 * x

    def backward(self, grad: Any) -> Any:
        return 2 * grad

    def jvp(self, tangent: Any) -> Any:
        return self.tangent(tangent)


class LogCosh(nn.Module):
    """log cosh x, whose ``backward`` calls layers: tanh of what was saved, and one on ḡ."""

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return np.log(np.cosh(x))

    def backward(self, grad: Any) -> Any:
        return nn.Tanh()(self.saved[0]) * Doubled(lambda tangent: 2 * tangent)(grad) / 2


def log_cosh(x: Any) -> Any:
    return np.log(np.cosh(x))


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
class TestJacobian:
    def test_goes_through_a_backward_that_calls_layers(self, mode: str) -> None:
        layer = LogCosh()
        np.testing.assert_allclose(
            nn.jacobian(layer, Z, mode=mode), np.diag(np.tanh(Z)), rtol=0, atol=1e-15
        )
        gradient, exact = (nn.grad(lambda x, f=f: (f(x) ** 3).sum()) for f in (layer, log_cosh))
        np.testing.assert_allclose(
            nn.jacobian(gradient, Z, mode=mode), nn.hessian(lambda x: (log_cosh(x) ** 3).sum(), Z)
        )
        np.testing.assert_allclose(gradient(Z), exact(Z))

    def test_is_refused_of_a_function_with_several_results(self, mode: str) -> None:
        with pytest.raises(TypeError, match="one result; this one has several"):
            nn.jacobian(lambda x: (x, x), Z, mode=mode)


class TestAResult:
    def test_that_is_a_parameter_is_a_constant_in_every_mode(self) -> None:
        value, tangent = nn.jvp(lambda x: WEIGHT, (Z,), (Z,))
        np.testing.assert_array_equal(value, [1, 2])
        np.testing.assert_array_equal(tangent, [0, 0])
        value, pullback = nn.vjp(lambda x: WEIGHT, Z)
        np.testing.assert_array_equal(value, [1, 2])
        np.testing.assert_array_equal(pullback(np.ones(2))[0], np.zeros(4))
        assert WEIGHT.grad is None

    def test_of_an_inner_derivative_that_got_out_is_refused(self) -> None:
        kept = []

        def inner(y: Any) -> Any:
            kept.append(y)
            return y

        def outer(x: Any) -> Any:
            nn.jvp(inner, (x,), (1.0,))
            return kept[-1]

        with pytest.raises(RuntimeError, match=r"returned Dual.* of another derivative"):
            nn.jvp(outer, (2.0,), (1.0,))

    def test_of_a_declared_graph_is_refused(self) -> None:
        with pytest.raises(RuntimeError, match="returned <Input 'x'>, of another derivative"):
            nn.jvp(lambda x: NODE, (1.0,), (1.0,))
        for f in (lambda x: NODE, lambda x: nn.L2()(WEIGHT)):
            with pytest.raises(ValueError, match=r"only declared; apply modules to values"):
                nn.vjp(f, 1.0)

    def test_may_be_a_composites_own_parameter_and_that_is_trained(self) -> None:
        class Offset(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.b = nn.Parameter(np.array([3.0, 4.0]))

            def forward(self, x: Any) -> Any:
                return self.b

        offset, x = Offset(), nn.Input("x", requires_grad=True)
        graph = nn.Graph([x], (offset(x) * x).sum())
        at = np.array([5.0, 6.0])
        assert graph(at) == 3 * 5 + 4 * 6
        np.testing.assert_array_equal(graph.backward(), offset.b.value)
        np.testing.assert_array_equal(offset.b.grad, at)


@pytest.mark.parametrize(
    "differentiate",
    [
        lambda f: nn.jvp(f, (Z,), (Z,)),
        lambda f: nn.vjp(f, Z),
        lambda f: nn.jacobian(f, Z, mode="forward"),
    ],
    ids=["jvp", "vjp", "jacobian"],
)
def test_a_vertex_of_a_declared_graph_among_values_is_refused(
    differentiate: Callable[[Any], Any],
) -> None:
    with pytest.raises(ValueError, match="<Input 'x'> stands in a declared graph"):
        differentiate(lambda x: x * NODE)


def test_a_number_may_choose_a_branch_in_forward_mode() -> None:
    def f(x: Any) -> Any:
        return 5 * x if x else -x

    assert nn.jvp(f, (3.0,), (1.0,)) == (15, 5)
    assert nn.jvp(f, (0.0,), (1.0,)) == (0, -1)


def test_primals_and_tangents_that_are_no_tuples_are_answered_with_the_way_to_write_it() -> None:
    with pytest.raises(TypeError, match=re.escape("nn.jvp(f, (x,), (v,))")):
        nn.jvp(np.sin, Z, Z)  # type: ignore[arg-type]


class TestAJvp:
    def test_that_returns_nothing_or_another_shape_is_refused_with_the_layers_name(self) -> None:
        with pytest.raises(TypeError, match=r"Doubled\(.*jvp returned None.*return` forgotten"):
            nn.jvp(Doubled(lambda tangent: None), (Z,), (Z,))
        with pytest.raises(ValueError, match=r"a tangent of shape \(\) for a value of shape \(4,"):
            nn.jvp(Doubled(np.sum), (Z,), (Z,))

    def test_of_another_dtype_is_converted(self) -> None:
        value, tangent = nn.jvp(Doubled(lambda v: np.float32(2) * v), (Z,), (Z,))
        assert value.dtype == tangent.dtype == np.float64
        _, tangent = nn.jvp(Doubled(lambda v: (2 * v).astype(np.float32)), (Z,), (Z,))
        assert tangent.dtype == np.float64
        np.testing.assert_array_equal(tangent, (2 * Z).astype(np.float32))


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_derivatives_of_a_determinant_of_every_order_are_those_of_the_polynomial_that_it_is(
    mode: str, order: int
) -> None:
    A, B = np.random.default_rng(3).normal(size=(2, 4, 4))

    def derivative(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
        if mode == "reverse":
            return nn.grad(f)
        return lambda t: nn.jvp(f, (t,), (1.0,))[1]

    def det(t: Any) -> Any:
        return np.linalg.det(A + t * B)

    at = np.linspace(-1, 1, 9)
    polynomial = np.polynomial.Polynomial.fit(at, [det(t) for t in at], 4)
    f: Callable[[Any], Any] = det
    for _ in range(order):
        f = derivative(f)
    for t in (-0.7, 0.3):
        assert f(t) == pytest.approx(polynomial.deriv(order)(t), rel=1e-10)
