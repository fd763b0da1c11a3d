"""The seminar's model, f(x, ω, b) = (σ(ωᵀx + b) − t)²/2 + λ·½‖ω‖², against its closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import FLOATS, Seminar, assert_equal_to_rounding, data, seminar
from numpy.typing import DTypeLike

import nnlite as nn

LAM = 0.125

BATCHES = pytest.mark.parametrize("batch", [None, 1, 2, 32], ids=lambda m: f"batch={m}")
SEEDS = pytest.mark.parametrize("seed", range(3))


def closed_forms(
    model: Seminar, X: np.ndarray, t: np.ndarray
) -> tuple[dict[str, Any], dict[str, Any]]:
    """u and ū of every vertex, as requirements.md gives them, in float64."""
    X, t = X.astype(np.float64), t.astype(np.float64)
    w, b = np.float64(model.linear.weight.value), np.float64(model.linear.bias.value)
    m = t.size
    z = X @ w + b
    y = 1 / (1 + np.exp(-z))
    mse = ((y - t) ** 2).sum() / m
    l2 = (w * w).sum() / 2
    values = {
        "z": z, "y": y, "mse": mse, "halved": mse / 2, "l2": l2, "penalty": LAM * l2,
        "output": mse / 2 + LAM * l2,
    }  # fmt: skip
    dy = (y - t) / m
    dz = dy * y * (1 - y)
    grads = {
        "output": 1.0, "halved": 1.0, "mse": 0.5, "penalty": 1.0, "l2": LAM, "y": dy, "z": dz,
        "b": dz.reshape(-1, 1).sum(axis=0),
        "w": np.atleast_2d(X).T @ np.atleast_2d(dz) + LAM * w,
        "x": dz @ w.T,
    }  # fmt: skip
    return values, grads


def vertices(model: Seminar) -> dict[str, nn.Node]:
    return {
        "z": model.z, "y": model.y, "mse": model.mse, "halved": model.halved, "l2": model.l2,
        "penalty": model.penalty, "output": model.graph.output,
        "w": model.linear.weight, "b": model.linear.bias, "x": model.x,
    }  # fmt: skip


@FLOATS
@BATCHES
@SEEDS
class TestTheClosedForms:
    def test_the_value_at_every_vertex(
        self, dtype: DTypeLike, batch: int | None, seed: int
    ) -> None:
        model = seminar(lam=LAM, dtype=dtype)
        X, t = data(batch, dtype=dtype, seed=seed)
        value = model.graph(X, t)
        exact, _ = closed_forms(model, X, t)
        for name, u in exact.items():
            assert_equal_to_rounding(vertices(model)[name].value, u, dtype)
        assert_equal_to_rounding(value, exact["output"], dtype)

    def test_the_gradient_at_every_vertex(
        self, dtype: DTypeLike, batch: int | None, seed: int
    ) -> None:
        model = seminar(lam=LAM, dtype=dtype)
        X, t = data(batch, dtype=dtype, seed=seed)
        model.graph(X, t)
        model.graph.backward()
        _, exact = closed_forms(model, X, t)
        for name, gradient in exact.items():
            assert_equal_to_rounding(vertices(model)[name].grad, gradient, dtype)


class TestTheGraph:
    def test_has_inputs_parameters_constants_and_operations_as_its_vertices(self) -> None:
        model = seminar()
        kinds = [type(node.module or node).__name__ for node in model.graph.nodes]
        assert sorted(kinds) == sorted(
            ["Input"] * 2
            + ["Parameter"] * 2
            + ["Constant"] * 2
            + ["Elementwise"] * 3
            + ["Linear", "Sigmoid", "MSE", "L2"]
        )

    def test_numbers_parents_before_children(self) -> None:
        place = {node: number for number, node in enumerate(seminar().graph.nodes)}
        for node in place:
            for parent in (*node.parents, *node.parameters):
                assert place[parent] < place[node]

    def test_holds_a_value_at_every_vertex_after_the_forward_pass(self) -> None:
        model = seminar()
        model.graph(*data(4))
        assert all(node.value is not None for node in model.graph.nodes)

    def test_holds_a_gradient_at_every_vertex_that_depends_on_what_is_differentiated(self) -> None:
        model = seminar()
        model.graph(*data(4))
        model.graph.backward()
        for node in model.graph.nodes:
            if node is model.t or isinstance(node, nn.Constant):
                assert node.grad is None
            else:
                assert (node.grad.shape, node.grad.dtype) == (node.shape, node.dtype)

    def test_computes_no_gradient_of_x_unless_it_is_asked_for(self) -> None:
        model = seminar(wants_x=False)
        model.graph(*data(4))
        assert model.graph.backward() == (None, None)
        assert model.x.grad is None

    def test_feeds_omega_to_linear_and_l2_and_sums_its_gradients(self) -> None:
        X, t = data(8)
        parts = []
        for build in ("data", "penalty"):
            model = seminar(lam=LAM)
            output = model.halved if build == "data" else model.penalty
            graph = nn.Graph([model.x, model.t] if build == "data" else [], output)
            graph(*([X, t] if build == "data" else []))
            graph.backward()
            parts.append(model.linear.weight.grad)
        whole = seminar(lam=LAM)
        whole.graph(X, t)
        whole.graph.backward()
        assert_equal_to_rounding(whole.linear.weight.grad, parts[0] + parts[1])

    def test_accumulates_parameter_gradients_until_zero_grad(self) -> None:
        model = seminar()
        weight = model.linear.weight
        first, second = data(8, seed=1), data(8, seed=2)
        separate = []
        for batch in (first, second):
            model.graph(*batch)
            model.graph.backward()
            separate.append(weight.grad)
            model.graph.zero_grad()
            assert weight.grad is None
        for batch in (first, second):
            model.graph(*batch)
            model.graph.backward()
        assert_equal_to_rounding(weight.grad, separate[0] + separate[1])

    def test_replaces_the_gradients_of_all_other_vertices_in_each_backward_pass(self) -> None:
        model = seminar()
        model.graph(*data(8))
        model.graph.backward()
        once = model.y.grad.copy()
        model.graph.backward()
        np.testing.assert_array_equal(model.y.grad, once)

    def test_writes_into_no_array_that_it_was_given(self) -> None:
        model = seminar()
        X, t = data(8)
        seed = np.ones(())
        for array in (X, t, seed, *(p.value for p in model.graph.parameters())):
            array.flags.writeable = False
        for _ in range(2):
            model.graph(X, t)
            model.graph.backward(seed)
            for node in model.graph.nodes:
                if isinstance(node.grad, np.ndarray):
                    node.grad.flags.writeable = False

    def test_starts_back_propagation_from_the_gradient_it_is_given(self) -> None:
        model = seminar()
        model.graph(*data(8))
        x_bar, _ = model.graph.backward()
        threefold, _ = model.graph.backward(3.0)
        assert_equal_to_rounding(threefold, 3 * x_bar)


class TestTraining:
    @FLOATS
    @pytest.mark.parametrize("momentum", [0.0, 0.9])
    def test_with_sgd_lowers_the_loss_to_that_of_the_minimum(
        self, dtype: DTypeLike, momentum: float
    ) -> None:
        model = seminar(features=5, lam=LAM, dtype=dtype, wants_x=False)
        X, t = data(64, features=5, dtype=dtype)
        optimiser = nn.SGD(model.graph.parameters(), lr=0.5, momentum=momentum)
        losses = []
        for _ in range(300):
            losses.append(model.graph(X, t))
            model.graph.zero_grad()
            model.graph.backward()
            optimiser.step()
        assert losses[-1] < losses[0]
        assert np.abs(model.linear.weight.grad).max() < 1e-5

    @pytest.mark.parametrize("scalar", [float, np.float64], ids=["float", "np.float64"])
    def test_keeps_float32_in_gradients_and_updates_whatever_the_scalars_are(
        self, scalar: type
    ) -> None:
        model = seminar(lam=scalar(LAM), dtype=np.float32)
        optimiser = nn.SGD(
            model.graph.parameters(),
            lr=scalar(0.1),
            momentum=scalar(0.9),
            weight_decay=scalar(0.01),
        )
        X, t = data(8, dtype=np.float32)
        for _ in range(3):
            optimiser.lr = scalar(0.05)
            model.graph.zero_grad()
            model.graph(X, t)
            model.graph.backward()
            optimiser.step()
            for parameter in model.graph.parameters():
                assert parameter.value.dtype == parameter.grad.dtype == np.float32
            for node in (model.x, model.z, model.y, model.mse, model.halved, model.l2):
                assert node.value.dtype == node.grad.dtype == np.float32
