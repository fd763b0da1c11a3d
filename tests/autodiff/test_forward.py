"""Forward mode: jvp."""

import gc
import tracemalloc

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import nnlite as nn


class TestJvp:
    def test_gives_the_value_and_jacobian_times_tangent(self):
        A, x, v = (
            np.arange(6.0).reshape(2, 3),
            np.array([1.0, -1.0, 2.0]),
            np.array([3.0, 5.0, 7.0]),
        )
        value, tangent = nn.jvp(lambda x: A @ x, (x,), (v,))
        np.testing.assert_array_equal(value, A @ x)
        np.testing.assert_array_equal(tangent, A @ v)

    def test_of_a_function_that_ignores_its_argument_is_zero(self):
        assert nn.jvp(lambda x: 3.0, (2.0,), (1.0,)) == (3.0, 0.0)

    def test_refuses_a_tangent_of_another_shape(self):
        with pytest.raises(ValueError, match=r"tangent 1 has shape \(2,\)"):
            nn.jvp(lambda x, y: x, (1.0, np.zeros(3)), (1.0, np.zeros(2)))

    def test_refuses_as_many_tangents_as_there_are_not_primals(self):
        with pytest.raises(TypeError, match="2 primals but 1 tangents"):
            nn.jvp(np.add, (1.0, 2.0), (1.0,))

    def test_memory_does_not_grow_with_depth(self):
        """S13: at depth 100 the peak is within 20 % of that at depth 10."""
        x = np.ones((100, 100))
        W = np.eye(100)

        def peak(depth):
            def f(x):
                for _ in range(depth):
                    x = np.tanh(x @ W)
                return x

            gc.collect()
            tracemalloc.start()
            nn.jvp(f, (x,), (x,))
            bytes_ = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return bytes_

        peak(1)
        assert peak(100) <= 1.2 * peak(10)

    def test_memory_does_not_grow_with_the_depth_of_modules_either(self):
        x = np.ones((200, 100))

        def peak(depth):
            net = nn.Sequential(*[nn.Linear(100, 100, rng=k) for k in range(depth)])
            gc.collect()
            tracemalloc.start()
            nn.jvp(net, (x,), (x,))
            bytes_ = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return bytes_

        peak(1)
        assert peak(100) <= 1.2 * peak(10)


FORWARD = {
    "tanh(AX)": lambda np, x: np.tanh(np.dot(np.ones((2, 3)), x)),
    "log-sum-exp": lambda np, x: np.log(np.sum(np.exp(x), axis=0)),
    "x·sin(x)/(1 + x²)": lambda np, x: x * np.sin(x) / (1 + x**2),
    "mean, reshape, transpose": lambda np, x: np.mean(np.reshape(np.transpose(x), (-1, 3)), axis=1),
    "concatenate, index": lambda np, x: np.concatenate([x[0], x[:, 0] * x[1, 0]]),
    "where, maximum": lambda np, x: np.where(x > 0, np.maximum(x, 0.5), x**3),
    "sqrt, arctan, expm1, log1p": lambda np, x: np.sqrt(np.expm1(x**2)) + np.log1p(x**2),
}


@pytest.mark.parametrize("name", FORWARD)
@given(seed=st.integers(0, 1000), columns=st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_forward_mode_agrees_with_that_of_hips_autograd(name, seed, columns):
    rng = np.random.default_rng(seed)
    x, v = rng.normal(size=(2, 3, columns))
    expected = autograd.make_jvp(lambda x: FORWARD[name](anp, x))(x)(v)
    found = nn.jvp(lambda x: FORWARD[name](np, x), (x,), (v,))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)
