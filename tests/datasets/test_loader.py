"""Batches, and going on in the middle of a pass."""

import itertools
import json
from typing import Any

import numpy as np
import pytest

from nnlite.datasets.lazy import LazyArray
from nnlite.datasets.loader import DataLoader


def numbered(m, **arguments):
    """A loader of m samples that are their own number, and 100 less as targets."""
    X = np.arange(m)[:, None]
    return DataLoader(X, X[:, 0] - 100, **arguments)


def batches(loader, count=None):
    return [X[:, 0].tolist() for X, t in itertools.islice(loader, count)]


class TestAPass:
    @pytest.mark.parametrize("m", [1, 6, 7])
    @pytest.mark.parametrize("drop_last", [False, True])
    @pytest.mark.parametrize("shuffle", [False, True])
    @pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
    def test_hands_out_each_sample_once_beside_its_own_target(
        self, m, drop_last, shuffle, batch_size
    ):
        if drop_last and batch_size > m:
            with pytest.raises(ValueError, match="makes no batch of"):
                numbered(m, batch_size=batch_size, drop_last=True)
            return
        loader = numbered(m, batch_size=batch_size, drop_last=drop_last, shuffle=shuffle, rng=0)
        seen = []
        for X, t in loader:
            assert np.array_equal(X[:, 0] - 100, t)
            seen.append(X[:, 0].tolist())
        sizes = [min(batch_size, m - start) for start in range(0, m, batch_size)]
        if drop_last and sizes[-1] < batch_size:
            sizes.pop()
        assert [len(batch) for batch in seen] == sizes
        assert len(loader) == len(sizes)
        samples = [number for batch in seen for number in batch]
        assert len(set(samples)) == sum(sizes)
        if not shuffle:
            assert samples == list(range(sum(sizes)))

    def test_shuffled_has_an_order_of_its_own_and_the_same_seed_the_same_orders(self):
        first, again = (numbered(50, batch_size=8, shuffle=True, rng=3) for _ in range(2))
        passes = [batches(first), batches(first)]
        assert passes == [batches(again), batches(again)]
        assert passes[0] != passes[1]

    def test_in_order_copies_nothing(self):
        X = np.arange(10.0)
        for batch, _ in DataLoader(X, X, batch_size=3):
            assert np.shares_memory(batch, X)

    def test_of_a_lazy_array_is_the_same_as_of_the_array(self):
        X = np.arange(20.0).reshape(10, 2)
        for shuffle in (False, True):
            lazy = DataLoader(LazyArray(X), LazyArray(X[:, :1]), 3, shuffle=shuffle, rng=0)
            for (a, t), (b, u) in zip(lazy, DataLoader(X, X[:, :1], 3, shuffle=shuffle, rng=0)):
                assert np.array_equal(a, b)
                assert np.array_equal(t, u)

    def test_that_was_left_is_followed_by_a_new_one(self):
        loader = numbered(10, batch_size=3)
        assert batches(loader, 2) == [[0, 1, 2], [3, 4, 5]]
        assert batches(loader, 1) == [[0, 1, 2]]

    def test_of_no_or_of_unequal_samples_is_refused(self):
        for m, k in ((3, 4), (0, 0)):
            with pytest.raises(ValueError, match=f"X has {m} rows and t {k}; give as many of each"):
                DataLoader(np.zeros(m), np.zeros(k), 2)

    @pytest.mark.parametrize("batch_size", [0, -1])
    def test_of_batches_without_rows_is_refused(self, batch_size):
        with pytest.raises(ValueError, match="DataLoader: batch_size is a whole number of at"):
            numbered(5, batch_size=batch_size)

    @pytest.mark.parametrize("batch_size", [2.0, True, "2"])
    def test_of_batches_of_no_whole_number_is_refused(self, batch_size):
        with pytest.raises(TypeError, match="DataLoader: batch_size is a whole number of at"):
            numbered(5, batch_size=batch_size)


class TestAState:
    @pytest.mark.parametrize("bits", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
    @pytest.mark.parametrize("shuffle", [False, True])
    @pytest.mark.parametrize("stop", [0, 1, 3, 4, 5, 8, 9])
    def test_kept_at_any_batch_gives_the_rest_of_that_pass_and_all_later_ones(
        self, bits, shuffle, stop
    ):
        def loader(seed):
            rng = np.random.Generator(getattr(np.random, bits)(seed))
            return numbered(10, batch_size=3, shuffle=shuffle, rng=rng), rng

        whole, whole_rng = loader(1)
        passes: list[list[Any]] = []
        kept = None
        for _ in range(3):
            passes.append([])
            for X, _ in whole:
                passes[-1].append((X[:, 0].tolist(), whole_rng.random()))
                if sum(map(len, passes)) == stop:
                    kept = json.dumps(whole.state_dict())
        resumed, rng = loader(2)
        if kept is not None:
            resumed.load_state_dict(json.loads(kept))
        else:
            resumed.load_state_dict(loader(1)[0].state_dict())
        left = [[(X[:, 0].tolist(), rng.random()) for X, _ in resumed] for _ in range(3)]
        done = max(stop - 1, 0) // 4
        passes[done] = passes[done][stop - 4 * done :]
        assert left[: 3 - done] == passes[done:]

    def test_counts_a_batch_when_it_is_handed_out_and_nothing_between_passes(self):
        loader = numbered(10, batch_size=3, shuffle=True, rng=0)
        assert loader.state_dict()["position"] == 0
        assert loader.state_dict()["order"] is None
        before = loader.state_dict()["rng"]
        positions = []
        for _ in loader:
            state = loader.state_dict()
            positions.append(state["position"])
            assert state["order"] == before
        assert positions == [1, 2, 3, 4]
        assert loader.state_dict()["position"] == 0
        assert loader.state_dict()["order"] is None

    def test_after_the_last_batch_has_nothing_left_of_its_pass(self):
        loader = numbered(4, batch_size=2, shuffle=True, rng=0)
        for _ in loader:
            state = loader.state_dict()
        other = numbered(4, batch_size=2, shuffle=True, rng=1)
        other.load_state_dict(state)
        assert batches(other) == []
        assert batches(other) == batches(loader)

    def test_goes_into_the_generator_that_is_there(self):
        rng = np.random.default_rng(0)
        loader = numbered(10, batch_size=3, shuffle=True, rng=rng)
        state = loader.state_dict()
        drawn = rng.random(5)
        loader.load_state_dict(state)
        assert loader.rng is rng
        assert np.array_equal(rng.random(5), drawn)

    def test_is_not_changed_by_later_batches(self):
        loader = numbered(10, batch_size=3, shuffle=True, rng=0)
        next(iter(loader))
        state = loader.state_dict()
        copy = json.dumps(state)
        batches(loader)
        assert json.dumps(state) == copy

    @pytest.mark.parametrize(
        ("other", "name"),
        [
            ({"m": 11}, "samples is 11 there and 10 here"),
            ({"batch_size": 2}, "batch_size is 2 there and 3 here"),
            ({"shuffle": False}, "shuffle is False there and True here"),
            ({"drop_last": True}, "drop_last is True there and False here"),
        ],
    )
    def test_of_another_loader_is_refused(self, other, name):
        own = {"m": 10, "batch_size": 3, "shuffle": True, "drop_last": False, "rng": 0}
        state = numbered(**{**own, **other}).state_dict()
        with pytest.raises(ValueError, match=name):
            numbered(**own).load_state_dict(state)

    def test_of_another_kind_of_generator_is_refused(self):
        rng = np.random.Generator(np.random.Philox(0))
        state = numbered(10, batch_size=3, shuffle=True, rng=rng).state_dict()
        loader = numbered(10, batch_size=3, shuffle=True, rng=0)
        before = loader.state_dict()
        with pytest.raises(ValueError, match="does not fit its generator, a PCG64"):
            loader.load_state_dict(state)
        assert loader.state_dict() == before

    @pytest.mark.parametrize(
        "damage",
        [
            {"position": 5},
            {"position": -1},
            {"position": 0},
            {"position": None},
            {"order": None},
            {"order": 3},
            {"rng": {}},
            {"rng": None},
        ],
    )
    def test_that_is_damaged_is_refused_and_changes_nothing(self, damage):
        loader = numbered(10, batch_size=3, shuffle=True, rng=0)
        next(iter(loader))
        state = loader.state_dict()
        with pytest.raises(ValueError, match="state of this DataLoader"):
            loader.load_state_dict({**state, **damage})
        assert loader.state_dict() == state
