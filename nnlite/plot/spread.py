"""How large gradients are, layer by layer: where they vanish or explode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlite.core.module import Module
from nnlite.core.node import Parameter
from nnlite.plot.axes import CURVES, Axes, axes, open_corner


def gradient_spread(model: Module | Mapping[str, Any], ax: Axes | None = None) -> Axes:
    """Draw the spread of |∂f/∂parameter| over the entries of each parameter, layer by layer.

    A box holds the middle half of a parameter's entries and a line at their median; its whiskers
    reach from the 5th to the 95th percentile. Entries that are 0 have no place on the scale: the
    share of them stands above the box.

    Parameters
    ----------
    model : Module, Graph, or mapping of str to array_like
        After a backward pass; or gradients by name.
    ax : Axes, optional
        Where to draw.

    Raises
    ------
    ValueError
        If no parameter has a gradient, or one has a NaN or an infinity in it.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = gradient_spread({"first": [1e-3, 2e-3], "last": [0.1, 0.2]}, ax=Figure().subplots())
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['first', 'last']
    """
    spreads = {name: _sizes(name, grad) for name, grad in _gradients(model).items()}
    ax = axes(ax, 5.0, 1.0 + 0.3 * len(spreads))
    whole = ax.get_yaxis_transform()
    ends: list[float] = []
    for k, sizes in enumerate(spreads.values()):
        present = sizes[sizes > 0]
        if present.size:
            ends += _draw_box(ax, present, k)
        if present.size < sizes.size:
            share = f"{1 - present.size / sizes.size:.0%} zero"
            ax.text(1.01, k, share, transform=whole, va="center", size="small")
    ax.set_xscale("log")
    if ends:
        ax.set_xlim(min(ends) / 2, max(ends) * 2)
    ax.set_yticks(range(len(spreads)), list(spreads))
    ax.set(xlabel="|∂f/∂parameter|", ylabel="parameter", ylim=(len(spreads) - 0.4, -0.6))
    ax.grid(axis="x", lw=0.4, color="#cccccc")
    ax.set_axisbelow(True)
    open_corner(ax)
    return ax


def _gradients(model: Module | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(model, Mapping):
        found = dict(model)
    else:
        names = {parameter: name for name, parameter in model.named_parameters()}
        found = {names[p]: p.grad for p in _from_the_first_layer(model) if p.grad is not None}
    if not found:
        raise ValueError(
            "no parameter has a gradient: call backward() first, and draw before zero_grad()"
        )
    return found


def _from_the_first_layer(model: Module) -> list[Parameter]:
    """The parameters; of a graph in the order in which its forward pass meets them."""
    nodes = getattr(model, "nodes", None)
    if nodes is None:
        return model.parameters()
    met = [p for node in nodes for p in (*node.parameters, *node.parents)]
    return [node for node in dict.fromkeys(met) if isinstance(node, Parameter)]


def _sizes(name: str, grad: Any) -> NDArray[np.float64]:
    sizes: NDArray[np.float64] = np.abs(np.asarray(grad, dtype=np.float64)).ravel()
    if not np.isfinite(sizes).all():
        raise ValueError(f"the gradient of {name!r} is not finite: it has a NaN or an infinity")
    return sizes


def _draw_box(ax: Axes, sizes: NDArray[np.float64], place: int) -> tuple[float, float]:
    """Box and whiskers; returns where the whiskers end."""
    low, left, middle, right, high = np.percentile(sizes, [5, 25, 50, 75, 95])
    colour = CURVES[0][0]
    ax.plot([low, high], [place, place], color=colour, lw=1)
    ax.barh(place, right - left, left=left, height=0.5, color="#d6e4f0", ec=colour, lw=1)
    ax.plot([middle, middle], [place - 0.25, place + 0.25], color=colour, lw=2.2)
    if low == high:
        ax.plot(middle, place, "o", color=colour, ms=4)
    return float(low), float(high)
