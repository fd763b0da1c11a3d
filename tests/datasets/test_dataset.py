"""A data set, and how it is split."""

import numpy as np
import pytest

from nnlite import datasets
from nnlite.datasets import DataError, Dataset


def numbered(m: int) -> Dataset:
    """Return m samples that carry their number in both features and in the target."""
    number = np.arange(float(m))[:, None]
    return Dataset(np.hstack([number, -number]), number.copy(), ("a", "b"), target_name="number")


class TestDataset:
    def test_unpacks_into_features_and_target(self) -> None:
        data = numbered(3)
        X, t = data
        assert X is data.X
        assert t is data.t
        assert len(data) == 3

    def test_shows_its_size_and_its_target(self) -> None:
        assert repr(numbered(3)) == "<Dataset: 3 samples, 2 features, target 'number'>"
        assert repr(datasets.load_breast_cancer()) == (
            "<Dataset: 569 samples, 30 features, target 'diagnosis' (benign, malignant)>"
        )

    @pytest.mark.parametrize(
        ("X", "t"), [((3, 2), (4, 1)), ((3, 1), (3, 1)), ((3,), (3, 1)), ((3, 2, 1), (3, 1))]
    )
    def test_refuses_sizes_that_do_not_fit(self, X: tuple[int, ...], t: tuple[int, ...]) -> None:
        with pytest.raises(DataError) as error:
            Dataset(np.ones(X), np.ones(t), ("a", "b"))
        assert str(error.value) == (
            f"X must have the shape (samples, features), here ({t[0]}, 2) as t and feature_names "
            f"say, but it has {X}"
        )


class TestSplit:
    @pytest.mark.parametrize(
        ("m", "test", "sizes"), [(569, 0.2, (455, 114)), (2, 0.5, (1, 1)), (10, 0.9, (1, 9))]
    )
    def test_gives_the_test_part_its_share(
        self, m: int, test: float, sizes: tuple[int, int]
    ) -> None:
        parts = numbered(m).split(test=test, rng=0)
        assert tuple(map(len, parts)) == sizes

    def test_puts_every_sample_into_one_part_beside_its_own_target(self) -> None:
        data = numbered(50)
        train, test = data.split(test=0.3, rng=0)
        for part in (train, test):
            X, t = part
            assert np.array_equal(X, np.hstack([t, -t]))
            assert part.feature_names == data.feature_names
            assert part.target_name == data.target_name
        assert sorted([*train.t[:, 0], *test.t[:, 0]]) == list(range(50))

    def test_shuffles_and_leaves_the_whole_as_it_was(self) -> None:
        data = numbered(50)
        train, _ = data.split(rng=0)
        assert train.t[:, 0].tolist() != sorted(train.t[:, 0])
        assert np.array_equal(data.X, numbered(50).X)
        X, _ = train
        X[:] = -1
        assert np.array_equal(data.X, numbered(50).X)

    def test_of_the_same_seed_is_the_same(self) -> None:
        first, second, other = (numbered(50).split(rng=seed)[1].t[:].tolist() for seed in (1, 1, 2))
        generator = np.random.default_rng(1)
        assert first == second == numbered(50).split(rng=generator)[1].t[:].tolist()
        assert first != other
        assert first != numbered(50).split(rng=generator)[1].t[:].tolist()

    @pytest.mark.parametrize("test", [0.0, 1.0, -0.5, 1.5, 0.04, 0.96, float("nan")])
    def test_refuses_an_empty_part(self, test: float) -> None:
        with pytest.raises(DataError) as error:
            numbered(10).split(test=test, rng=0)
        assert str(error.value) == (
            f"test={test} of 10 samples leaves the training or the test part empty; "
            "give a share between 0 and 1 that is at least one sample"
        )
