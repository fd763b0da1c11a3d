"""Functions of matrices."""

import numpy as np
import pytest
from derivatives import check_derivatives
from matrices import normal

from nnlite.autodiff import vjp
from nnlite.core.recording import Recording

ONE_ARRAY = {
    "matrix_power 0": (lambda x: np.linalg.matrix_power(x, 0) + x, (3, 3)),
    "matrix_power 1": (lambda x: np.linalg.matrix_power(x, 1), (3, 3)),
    "matrix_power 2": (lambda x: np.linalg.matrix_power(x, 2), (2, 3, 3)),
    "matrix_power 3": (lambda x: np.linalg.matrix_power(x, 3), (3, 3)),
    "matrix_power 5": (lambda x: np.linalg.matrix_power(x, 5), (3, 3)),
    "matrix_power -2": (lambda x: np.linalg.matrix_power(x + 4 * np.eye(3), -2), (3, 3)),
    "x @ x": (lambda x: x @ x, (3, 3)),
    "x.T @ x": (lambda x: x.T @ x, (2, 3)),
    "linalg.matrix_transpose": (lambda x: np.linalg.matrix_transpose(x) ** 2, (2, 3, 2)),
    "linalg.diagonal": (lambda x: np.linalg.diagonal(x, offset=1) ** 2, (2, 3, 3)),
    "linalg.trace": (lambda x: np.linalg.trace(x, offset=-1) ** 2, (2, 3, 3)),
    "linalg.matrix_norm": (lambda x: np.linalg.matrix_norm(x), (2, 3, 3)),
    "linalg.matrix_norm keepdims": (lambda x: np.linalg.matrix_norm(x, keepdims=True), (2, 3)),
    "linalg.vector_norm": (lambda x: np.linalg.vector_norm(x), (2, 3)),
    "linalg.vector_norm keepdims": (
        lambda x: np.linalg.vector_norm(x, keepdims=True),  # type: ignore[call-overload]
        (2, 3),
    ),
    "linalg.vector_norm axis": (lambda x: np.linalg.vector_norm(x, axis=0), (2, 3)),
    "linalg.vector_norm axes": (
        lambda x: np.linalg.vector_norm(x, axis=(-1, 0), ord=1, keepdims=True),
        (2, 3, 2),
    ),
}


@pytest.mark.parametrize(("f", "shape"), ONE_ARRAY.values(), ids=ONE_ARRAY)
def test_functions_of_one_matrix_have_the_right_derivatives(f, shape):
    check_derivatives(f, normal(*shape))


@pytest.mark.parametrize(
    "shapes",
    [
        [(2, 3), (3, 4)],
        [(10, 2), (2, 30), (30, 3)],
        [(2, 30), (30, 3), (3, 10)],
        [(3, 2), (2, 5), (5, 1), (1, 4)],
        [(3,), (3, 2), (2, 4), (4,)],
        [(3,), (3, 2)],
        [(2, 3), (3,)],
        [(3,), (3,)],
    ],
    ids=str,
)
def test_multi_dot_has_the_right_derivatives(shapes):
    xs = [normal(*shape, seed=i) for i, shape in enumerate(shapes)]
    check_derivatives(lambda *xs: np.linalg.multi_dot(xs), *xs)


def test_multi_dot_takes_the_cheapest_order():
    """(1×50)(50×1)(1×50) from the left makes a number; from the right it makes a 50×50 matrix."""
    row, column = normal(1, 50), normal(50, 1)
    for factors, middle in (([row, column, row], (1, 1)), ([column, row, column], (1, 1))):
        run = Recording(lambda *xs: np.linalg.multi_dot(xs), factors, [True] * 3)
        assert [node.shape for node in run.order] == [middle, run.value.shape]


def test_multi_dot_of_a_single_array_is_refused():
    with pytest.raises(ValueError, match="at least two arrays"):
        vjp(lambda x: np.linalg.multi_dot([x]), np.eye(2))
