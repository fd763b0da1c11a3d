"""Values where others were meant: what the errors say, and which layers they name."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import nnlite as nn

Z = np.array([0.5, -1.0, 2.0])


@pytest.mark.parametrize("number", [10**400, -(10**400), Fraction(10**400)])
def test_a_number_that_no_float_can_be_is_refused_as_any_other(number: Any) -> None:
    with pytest.raises(ValueError, match=r"SGD: lr is a finite number of at least 0, got"):
        nn.SGD([nn.Parameter(Z)], lr=number)


def test_a_parameter_of_whole_numbers_is_refused_with_the_way_to_write_it() -> None:
    with pytest.raises(TypeError, match=r"array of floats, got dtype int64; give the dtype"):
        nn.Parameter([np.int64(1), np.int64(2)])


class Fresh(nn.Module):
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return x * x

    def backward(self, grad: Any) -> Any:
        return 2 * grad * Z if self.needs_input_grad[0] else None


@pytest.mark.parametrize(
    ("run", "name"),
    [
        (lambda: Fresh().forward(Z), "fresh"),
        (lambda: Fresh().backward(Z), "fresh"),
        (lambda: nn.Sigmoid().backward(Z), "sigmoid"),
    ],
    ids=["save_for_backward", "needs_input_grad", "saved"],
)
def test_a_pass_called_in_place_of_the_layer_is_answered_with_the_call(
    run: Callable[[], Any], name: str
) -> None:
    with pytest.raises(RuntimeError, match=rf"has not been called yet: .*y = {name}\(x\)"):
        run()


@pytest.mark.parametrize("x", [np.float64(1.0), Z], ids=["a number", "an array"])
def test_an_error_of_forward_is_not_taken_for_writing_in_place(x: Any) -> None:
    class Cold(Fresh):
        def forward(self, x: Any) -> Any:
            raise ValueError("too cold")

        def backward(self, grad: Any) -> Any:
            return grad

    with pytest.raises(ValueError, match=r"^too cold$") as caught:
        Cold()(x)
    assert getattr(caught.value, "__notes__", []) == []


@pytest.mark.parametrize(
    "memory",
    [bytearray(8), memoryview(bytearray(8)), array("B", bytes(8))],
    ids=lambda memory: type(memory).__name__,
)
def test_bytes_that_forward_writes_to_are_seen(memory: Any) -> None:
    class Remembering(nn.Module):
        """x times its own length, which is kept as a byte."""

        def __init__(self) -> None:
            super().__init__()
            self.memory = memory

        def forward(self, x: Any) -> Any:
            self.memory[0] = x.size
            return x * float(x.size)

        def backward(self, grad: Any) -> Any:
            return grad * float(self.memory[0])

    layer = Remembering()
    a, b = nn.Input("a", requires_grad=True), nn.Input("b", requires_grad=True)
    both = nn.Graph([a, b], layer(a).sum() + layer(b).sum())
    both(Z, Z)
    np.testing.assert_array_equal(both.backward(), [np.full(3, 3.0)] * 2)
    both(Z, Z[:2])
    with pytest.raises(RuntimeError, match=r"keeps self\.memory on itself, which has changed"):
        both.backward()


def test_a_weight_of_another_rank_is_refused() -> None:
    linear = nn.Linear(3, 2, rng=0)
    linear.weight.value = np.ones((3, 2, 1))
    with pytest.raises(ValueError, match=r"weight has been given the shape \(3, 2, 1\), not \(in"):
        linear(Z)


@pytest.mark.parametrize("f", [lambda x: x * None, lambda x: x + nn.Linear(3, 1, bias=False).bias])
def test_none_in_a_formula_is_told_where_it_stands(f: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match="meets None in a formula; was a part left out"):
        nn.grad(f)(Z)
    with pytest.raises(TypeError, match="<Input 'x'> meets None in a formula"):
        f(nn.Input("x"))


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda c: c.astype(float), "conversion from dtype complex128 to float64"),
        (np.abs, "conversion from dtype complex128 to float64"),
        (lambda c: c * 2.0, "derivatives are of real numbers, not of dtype complex128"),
    ],
    ids=["astype", "absolute", "multiply"],
)
def test_complex_numbers_are_refused(f: Callable[[Any], Any], message: str) -> None:
    x = nn.Input("x")
    graph = nn.Graph([x], (f(nn.Constant(Z + 1j)) * x).sum())
    with pytest.raises(TypeError, match=message):
        graph(Z)


def test_a_complex_number_of_pythons_is_refused_as_an_array_is() -> None:
    x = nn.Input("x")
    graph = nn.Graph([x], (np.abs(nn.Constant(1j)) * x).sum())
    with pytest.raises(TypeError, match="conversion from dtype complex128 to float64"):
        graph(Z)


@pytest.mark.parametrize("f", [lambda x: 3.0, lambda x: 3.0 * x, np.sin])
def test_the_derivative_of_a_function_of_a_number_is_a_number(f: Callable[[Any], Any]) -> None:
    for found in (nn.grad(f)(1.0), nn.jvp(f, (1.0,), (1.0,))[1], nn.vjp(f, 1.0)[1](1.0)[0]):
        assert type(found) is np.float64


def test_arrays_that_a_rule_needs_are_given_by_position() -> None:
    with pytest.raises(TypeError, match=r"np\.pad of a node .* by position"):
        nn.grad(lambda x: np.pad(array=x, pad_width=1).sum())(Z)
    np.testing.assert_array_equal(nn.grad(lambda x: np.pad(x, pad_width=1).sum())(Z), np.ones(3))


def test_a_list_may_stand_beside_a_value_whatever_the_dtype_asked_for() -> None:
    def f(x: Any) -> Any:
        return np.multiply(x, [1, 2, 4], dtype=np.float32)

    value, pullback = nn.vjp(f, Z)
    (gradient,) = pullback(np.ones(3, np.float32))
    assert (value.dtype, gradient.dtype) == (np.float32, np.float64)
    np.testing.assert_array_equal(value, f(Z))
    np.testing.assert_array_equal(gradient, [1, 2, 4])
