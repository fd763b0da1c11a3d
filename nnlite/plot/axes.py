"""What the pictures of training share: axes to draw on, and lines that differ in grey, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Axes
else:
    Axes = Any  # matplotlib is imported when something is drawn

CURVES = (("#1f4e79", "-"), ("#c2571a", "--"), ("#5a5a5a", "-."), ("#2e7d57", ":"))
FORWARD, REVERSE = CURVES[0], CURVES[1]


def axes(ax: Axes | None, width: float = 5.0, height: float = 3.2) -> Axes:
    """The axes that were given, or those of a new figure of so many inches."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.figure(figsize=(width, height), layout="constrained").add_subplot()


def open_corner(ax: Axes) -> None:
    """No frame where there is no scale."""
    ax.spines[["top", "right"]].set_visible(False)
