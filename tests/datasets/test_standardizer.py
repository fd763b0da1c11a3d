"""Features to mean 0 and standard deviation 1."""

import numpy as np
import pytest
from numpy.typing import DTypeLike

from nnlite import datasets
from nnlite.datasets import DataError, Standardizer


class TestStandardizer:
    def test_gives_each_training_column_mean_zero_and_deviation_one(self) -> None:
        train, _ = datasets.load_breast_cancer().split(rng=0)
        X = train.X[:]
        Z = Standardizer.fit(X)(X)
        # A mean of m numbers is off by at most m ulps of the largest (Higham 2002, eq. 4.4).
        largest = (np.abs(X) / X.std(axis=0)).max()
        rounding = len(train) * np.finfo(np.float64).eps * largest
        assert np.abs(Z.mean(axis=0)).max() < rounding
        assert np.abs(Z.std(axis=0) - 1).max() < rounding

    def test_knows_nothing_of_the_test_part(self) -> None:
        train, test = datasets.load_breast_cancer().split(rng=0)
        X = train.X[:]
        standardize = Standardizer.fit(train.X)
        assert np.array_equal(standardize(test.X), (test.X - X.mean(0)) / X.std(0))

    @pytest.mark.parametrize("value", [0.0, 0.1, 1e17, -1e-300])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_makes_a_constant_column_exactly_zero(self, value: float, dtype: DTypeLike) -> None:
        X = np.full((7, 1), value, dtype)
        standardize = Standardizer.fit(X)
        assert standardize.scale == 1
        assert np.array_equal(standardize(X), np.zeros_like(X))

    def test_keeps_float32_and_writes_into_nothing(self) -> None:
        X = np.random.default_rng(0).normal(5, 3, (20, 4)).astype(np.float32)
        before = X.copy()
        standardize = Standardizer.fit(X.astype(np.float64))
        assert standardize(X).dtype == np.float32
        assert np.array_equal(X, before)

    @pytest.mark.parametrize(
        "X",
        [
            np.ones(3),
            np.ones((0, 3)),
            np.ones((3, 2), int),
            np.ones((3, 2), object),
        ],
        ids=["one axis", "no sample", "integers", "objects"],
    )
    def test_is_fitted_to_finite_floats_alone(self, X: np.ndarray) -> None:
        with pytest.raises(DataError) as error:
            Standardizer.fit(X)
        assert str(error.value) == (
            "a Standardizer is fitted to finite floats of shape (samples, features) with at least "
            f"one sample, not to this array of shape {X.shape} and dtype {X.dtype}"
        )

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_names_the_first_number_that_is_not_finite(self, bad: float) -> None:
        X = np.ones((50_000, 30))
        X[[40_000, 40_001], 7] = bad
        with pytest.raises(DataError) as error:
            Standardizer.fit(X)
        assert str(error.value) == (
            "a Standardizer is fitted to finite floats, but row 40000, column 7 (both from 0) is "
            f"{bad}; correct the number or leave the row out"
        )

    @pytest.mark.parametrize("m", [1, 2, 8738, 8739, 20_000])
    def test_measures_in_pieces_what_it_would_measure_at_once(self, m: int) -> None:
        # 30 columns of float64: pieces of 2 MiB, 8738 rows. The columns' spreads differ by 1e12,
        # and their means are up to 1e6 times as large as their spreads.
        rng = np.random.default_rng(0)
        spread, mean = np.logspace(-6, 6, 30), np.logspace(0, 9, 30)
        X = mean + spread * rng.standard_normal((m, 30))
        standardize = Standardizer.fit(X)
        exact = X.astype(np.longdouble)
        off = np.abs(standardize.mean - exact.mean(axis=0))
        # Summing the rows one by one rounds each time: m/2 ulps at most (Higham 2002, eq. 4.4).
        assert (off <= m * np.finfo(np.float64).eps * np.abs(exact).max(axis=0)).all()
        if m > 1:
            scale = exact.std(axis=0)
            off = np.abs(standardize.scale - scale)
            # Each deviation inherits the rounding of the mean and of the subtraction.
            eps = np.finfo(np.float64).eps
            assert (off <= m * eps * (scale + eps * np.abs(exact).max(axis=0))).all()

    @pytest.mark.parametrize("X", [np.ones((3, 1)), np.ones(2), np.ones((3, 2), int)])
    def test_refuses_what_it_was_not_fitted_to(self, X: np.ndarray) -> None:
        standardize = Standardizer.fit(np.ones((3, 2)))
        with pytest.raises(DataError) as error:
            standardize(X)
        assert str(error.value) == (
            "this Standardizer wants floats of shape (samples, 2) but got "
            f"shape {X.shape} and dtype {X.dtype}"
        )

    def test_refuses_values_whose_spread_is_no_float(self) -> None:
        X = np.array([[1.0, 1e300], [2.0, -1e300]])
        with pytest.raises(DataError, match="column 2 are too large"):
            Standardizer.fit(X)
