"""The state of an optimiser, saved and loaded."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from helpers import FLOATS
from numpy.typing import DTypeLike
from recurrences import EACH

import nnlite as nn
from nnlite.optim import Adam


class TestTheState:
    @staticmethod
    def trained(kind: Any, variant: dict[str, Any], dtype: DTypeLike, steps: int) -> Any:
        """An optimiser of three parameters after some steps; the last had no gradient yet."""
        ws = [nn.Parameter(np.ones(shape, dtype)) for shape in [(2, 3), (), (2,)]]
        optimiser = kind(ws, lr=0.1, **variant)
        TestTheState.train(optimiser, steps)
        return optimiser

    @staticmethod
    def train(optimiser: Any, steps: int) -> None:
        rng = np.random.default_rng(0)
        for _ in range(steps):
            for w in optimiser.parameters[:2]:
                w.grad = rng.standard_normal(w.shape).astype(w.dtype)
            optimiser.step()

    @FLOATS
    @pytest.mark.parametrize("through_a_file", [False, True])
    @EACH
    def test_goes_on_in_another_optimiser_bit_for_bit(
        self, kind: Any, variant: dict[str, Any], dtype: DTypeLike, through_a_file: bool
    ) -> None:
        first = self.trained(kind, variant, dtype, steps=3)
        first.lr = np.float64(0.03)
        state = first.state_dict()
        if through_a_file:
            file = io.BytesIO()
            np.savez(file, **state)
            file.seek(0)
            state = dict(np.load(file, allow_pickle=False))
        second = kind([nn.Parameter(w.value) for w in first.parameters])
        second.load_state_dict(state)
        assert repr(second) == repr(first).replace("np.float64(0.03)", "0.03")
        self.train(first, steps=3)
        self.train(second, steps=3)
        for ours, theirs in zip(first.parameters, second.parameters):
            np.testing.assert_array_equal(ours.value, theirs.value)
            assert theirs.dtype == dtype

    @EACH
    def test_is_a_copy_on_both_sides(self, kind: Any, variant: dict[str, Any]) -> None:
        optimiser = self.trained(kind, variant, np.float64, steps=2)
        state = optimiser.state_dict()
        kept = {name: np.array(item) for name, item in state.items()}
        self.train(optimiser, steps=1)
        for name, item in state.items():
            np.testing.assert_array_equal(item, kept[name])
        optimiser.load_state_dict(state)
        for spoilt in (state, optimiser.state_dict()):
            for item in spoilt.values():
                if isinstance(item, np.ndarray):
                    item[...] = np.nan
            for name, item in optimiser.state_dict().items():
                np.testing.assert_array_equal(item, kept[name])

    def test_names_its_parts(self) -> None:
        state = self.trained(Adam, {}, np.float64, steps=2).state_dict()
        assert list(state) == [
            *("lr", "betas", "eps", "weight_decay"),
            *("steps.0", "mean.0", "square.0", "steps.1", "mean.1", "square.1"),
        ]
        assert state["steps.0"] == 2
        assert state["mean.0"].shape == (2, 3)

    def test_that_does_not_fit_is_refused_whole(self) -> None:
        optimiser = self.trained(Adam, {}, np.float64, steps=2)
        before = optimiser.state_dict()
        state = dict(before, lr=7.0, **{"mean.0": np.ones((3, 2)), "mean.3": np.ones(2)})
        state["momentum"] = 0.9
        state["square.1"] = np.float32(1)
        del state["eps"]
        with pytest.raises(ValueError, match="the state does not fit Adam") as caught:
            optimiser.load_state_dict(state)
        for problem in [
            "missing: eps",
            "mean.0: expected float64[2, 3], got float64[3, 2]",
            "unexpected: mean.3",
            "unexpected: momentum",
            "square.1: expected float64[], got float32[]",
        ]:
            assert problem in str(caught.value)
        after = optimiser.state_dict()
        assert list(after) == list(before)
        for name, item in before.items():
            np.testing.assert_array_equal(after[name], item)
