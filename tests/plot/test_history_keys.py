"""Which columns of a history are drawn."""

from __future__ import annotations

import pytest

from nnlite import plot

pytestmark = pytest.mark.usefixtures("headless", "no_figures_left")


def test_one_key_may_be_given_by_itself() -> None:
    record = {"epoch": [1, 2, 3], "train_loss": [3.0, 2.0, 1.0], "lr": [0.1, 0.2, 0.3]}
    drawn = [plot.history(record, keys=keys) for keys in ("lr", ["lr"])]
    for ax in drawn:
        (line,) = ax.lines
        assert list(line.get_xydata().ravel()) == [1, 0.1, 2, 0.2, 3, 0.3]  # type: ignore[union-attr]
        assert ax.get_ylabel() == "lr"
    with pytest.raises(ValueError, match=r"cannot draw keys=\['rate'\]: the history has"):
        plot.history(record, keys="rate")
