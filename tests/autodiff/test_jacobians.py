"""Whole Jacobians."""

import numpy as np
import pytest
from functions import MODES

import nnlite as nn
from nnlite.autodiff import jacobians


class TestJacobian:
    @pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
    def test_of_sin_ax_has_the_closed_form(self, mode):
        """S15: ∂ sin(AX)_ij / ∂X_kl = cos(AX)_ij A_ik δ_jl."""
        rng = np.random.default_rng(0)
        A, X = rng.normal(size=(4, 3)), rng.normal(size=(3, 2))
        expected = np.einsum("ij,ik,jl->ijkl", np.cos(A @ X), A, np.eye(2))
        found = nn.jacobian(lambda X: np.sin(A @ X), X, mode=mode)
        assert found.shape == (4, 2, 3, 2)
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)

    @pytest.mark.parametrize(("n", "m", "passes"), [(5, 2, "reverse"), (2, 5, "forward")])
    def test_goes_in_reverse_where_inputs_outnumber_outputs(self, n, m, passes, monkeypatch):
        """S16."""
        used: list[str] = []
        for name, mode in (("_from_rows", "reverse"), ("_from_columns", "forward")):
            function = getattr(jacobians, name)

            def noted(*args, function=function, mode=mode):
                used.append(mode)
                return function(*args)

            monkeypatch.setattr(jacobians, name, noted)
        A = np.random.default_rng(0).normal(size=(m, n))
        np.testing.assert_array_equal(nn.jacobian(lambda x: A @ x, np.zeros(n)), A)
        assert used == [passes]

    def test_takes_more_directions_than_fit_into_one_bundle(self):
        x = np.linspace(0.1, 1, 150)
        for mode in MODES:
            np.testing.assert_array_equal(nn.jacobian(np.exp, x, mode=mode), np.diag(np.exp(x)))

    def test_of_several_arguments_is_a_tuple(self):
        dx, dy = nn.jacobian(lambda x, y: x * y, np.ones(2), np.array([3.0, 5.0]), argnums=(0, 1))
        np.testing.assert_array_equal(dx, np.diag([3.0, 5.0]))
        np.testing.assert_array_equal(dy, np.eye(2))

    def test_of_a_function_of_a_number_has_the_shape_of_the_result(self):
        np.testing.assert_array_equal(nn.jacobian(lambda x: x * np.arange(3), 2.0), [0, 1, 2])

    def test_can_itself_be_differentiated(self):
        f = lambda x: np.stack([x[0] ** 2 * x[1], x[1] ** 3])
        x = np.array([2.0, 3.0])
        expected = [[[6, 4], [4, 0]], [[0, 0], [0, 18]]]
        for outer in MODES:
            for inner in MODES:
                J = lambda x, inner=inner: nn.jacobian(f, x, mode=inner)
                np.testing.assert_array_equal(nn.jacobian(J, x, mode=outer), expected)

    def test_refuses_an_unknown_mode(self):
        with pytest.raises(ValueError, match="'auto', 'forward' or 'reverse'"):
            nn.jacobian(np.sin, 1.0, mode="backward")
