"""What a student forgets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from modules import A, B, at_one_vertex, at_two_vertices

import nnlite as nn


class TestWhatAStudentForgets:
    def test_a_gradient_of_a_parameter(self) -> None:
        class Shift(nn.Module):
            def __init__(self) -> None:
                self.b = nn.Parameter(np.zeros(2))

            def forward(self, x: Any) -> Any:
                return x + self.b.value

            def backward(self, grad: Any) -> Any:
                return grad

        graph = at_one_vertex(Shift())
        graph(A)
        with pytest.raises(RuntimeError, match=r"self\.b no gradient.*accumulate_grad"):
            graph.backward()

    def test_that_a_gradient_accumulates(self) -> None:
        class Overwriting(nn.Module):
            def __init__(self) -> None:
                self.w = nn.Parameter(np.ones(2))

            def forward(self, x: Any) -> Any:
                self.save_for_backward(x)
                return x * self.w.value

            def backward(self, grad: Any) -> Any:
                self.w.grad = grad * self.saved[0]
                return grad * self.w.value

        graph = at_two_vertices(module := Overwriting())
        graph(A, B)
        graph.backward()
        np.testing.assert_array_equal(module.w.grad, A + B)

    def test_return(self) -> None:
        class Silent(nn.Module):
            def forward(self, x: Any) -> None:
                self.save_for_backward(x)

            def backward(self, grad: Any) -> Any:
                return grad

        with pytest.raises(TypeError, match="forgotten"):
            Silent()(A)

    def test_value_in_the_middle_of_a_graph(self) -> None:
        class Raw(nn.Module):
            def __init__(self) -> None:
                self.w = nn.Parameter(np.ones(2))

            def forward(self, x: Any) -> Any:
                return x * self.w

            def backward(self, grad: Any) -> Any:
                return grad

        x = nn.Input("x")
        with pytest.raises(TypeError, match=r"self\.weight\.value"):
            nn.Graph([x], nn.L2()(Raw()(x)))(A)

    def test_that_arrays_are_not_its_own(self) -> None:
        class Relu(nn.Module):
            def forward(self, x: Any) -> Any:
                x[x < 0] = 0
                self.save_for_backward(x)
                return x

            def backward(self, grad: Any) -> Any:
                grad[self.saved[0] == 0] = 0
                return grad

        X = np.array([1.0, -1.0])
        with pytest.raises(ValueError, match="read-only") as caught:
            Relu()(X)
        assert "np.where" in caught.value.__notes__[0]
        np.testing.assert_array_equal(X, [1, -1])

    def test_that_what_is_saved_must_stay_as_it_is(self) -> None:
        class ExpPlusOne(nn.Module):
            def forward(self, x: Any) -> Any:
                y = np.exp(x)
                self.save_for_backward(y)
                y += 1
                return y

            def backward(self, grad: Any) -> Any:
                return grad * self.saved[0]

        graph = at_one_vertex(ExpPlusOne())
        graph(A)
        with pytest.raises(RuntimeError, match="kept with save_for_backward was changed"):
            graph.backward()

    def test_to_make_a_parameter_an_attribute(self) -> None:
        w = nn.Parameter(np.ones(2))

        class Hidden(nn.Module):
            def forward(self, x: Any) -> Any:
                return x * w

        with pytest.raises(RuntimeError, match=r"not among self\.parameters\(\)"):
            Hidden()(A)

    def test_that_a_nested_graph_has_parameters_of_its_own(self) -> None:
        i, w = nn.Input("i"), nn.Parameter(np.ones(2), name="w")
        inner = nn.Sequential(nn.Graph([i], i * w))
        assert inner.parameters() == [w]
        j = nn.Input("j")
        graph = nn.Graph([j], inner(j).sum())
        graph(A)
        graph.backward()
        np.testing.assert_array_equal(w.grad, A)
