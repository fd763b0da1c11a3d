"""gradcheck examines copies, and finds what a layer does to what it was given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.linalg
from wrong_layers import X

import nnlite as nn
from nnlite.checking import GradcheckError, gradcheck


class WritesItsWeight(nn.Module):
    """x · w/‖w‖, with w made a unit vector where it stands; doing so twice changes nothing more."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(np.full(3, 2.0))

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        w = self.w.value
        w /= max(1.0, np.sqrt((w * w).sum()))
        return x * w

    def backward(self, grad: Any) -> Any:
        self.w.accumulate_grad((grad * self.saved[0]).sum(axis=0))
        return grad * self.w.value


def test_a_parameter_written_in_place_is_found_and_left_as_it_was() -> None:
    layer = WritesItsWeight()
    with pytest.raises(GradcheckError, match="forward changes parameter w") as caught:
        gradcheck(layer, X)
    assert caught.value.looks_like == "the parameter is written in place"
    np.testing.assert_array_equal(layer.w.value, np.full(3, 2.0))


class WrittenByLapack(nn.Module):
    """A⁻¹ by code that writes into its argument, in whatever order that lies in memory."""

    def forward(self, a: Any) -> Any:
        inverse = scipy.linalg.inv(a, overwrite_a=True)
        self.save_for_backward(inverse)
        return inverse

    def backward(self, grad: Any) -> Any:
        (inverse,) = self.saved
        return -inverse.T @ grad @ inverse.T


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_users_arrays_are_left_as_they_are(order: Any) -> None:
    A = np.array(X[:3] + 2 * np.eye(3), order=order)
    before = A.copy()
    try:
        gradcheck(WrittenByLapack(), A)
    except GradcheckError as error:
        assert error.looks_like.startswith("an input is written in place")  # noqa: PT017
    np.testing.assert_array_equal(A, before)


class Root(nn.Module):
    """√p of probabilities, which refuses what is above 1; wrong at 1 itself."""

    def forward(self, p: Any) -> Any:
        if isinstance(p, np.ndarray) and (p > 1).any():
            raise ValueError("no probability")
        self.save_for_backward(p)
        return p**0.5

    def backward(self, grad: Any) -> Any:
        (p,) = self.saved
        return grad * np.where(p == 1, 3.0, 0.5 * p**-0.5)


def test_a_wrong_gradient_at_the_edge_of_what_forward_takes_is_found() -> None:
    with pytest.raises(GradcheckError, match="the gradient of input p is wrong"):
        gradcheck(Root(), np.array([0.25, 1.0]))


class Float32Alone(nn.Module):
    def forward(self, x: Any) -> Any:
        if x.dtype != np.float32:
            raise TypeError("float32 only")
        self.save_for_backward(x)
        return x * x

    def backward(self, grad: Any) -> Any:
        return 2 * grad * self.saved[0]


def test_a_layer_may_take_float32_alone() -> None:
    report = gradcheck(Float32Alone(), X.astype(np.float32))
    assert report.notes == ["float64 is not accepted, so the dtype given was checked"]


def test_a_graph_without_inputs_is_checked() -> None:
    graph = nn.Graph([], nn.L2()(nn.Parameter(np.arange(3.0))))
    assert any("gradient of parameter" in check for check in gradcheck(graph).checks)


def test_state_kept_in_a_closure_is_found() -> None:
    kept: dict[str, Any] = {}

    class Closure(nn.Module):
        def forward(self, x: Any) -> Any:
            kept["x"] = x
            return x * x

        def backward(self, grad: Any) -> Any:
            return 2 * grad * kept["x"]

    with pytest.raises(GradcheckError, match="not the sum of both") as caught:
        gradcheck(Closure(), X)
    assert "state is kept on the module" in caught.value.looks_like
