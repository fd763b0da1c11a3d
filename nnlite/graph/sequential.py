"""Sequential: modules in a row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nnlite.core.module import Module


class Sequential(Module, of="nnlite"):
    """Modules one after the other: ``Sequential(f, g)(x)`` is ``g(f(x))``.

    Parameters
    ----------
    *layers : Module
        Each with one input.
    """

    def __init__(self, *layers: Module) -> None:
        for position, layer in enumerate(layers):
            if not isinstance(layer, Module):
                raise TypeError(
                    f"Sequential takes modules; argument {position} is {layer!r}"
                    + (" (a class: add parentheses)" if isinstance(layer, type) else "")
                )
        self.layers = layers

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def children(self) -> Iterator[tuple[str, Any]]:
        return ((str(position), layer) for position, layer in enumerate(self.layers))

    def __iter__(self) -> Iterator[Module]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, position: int) -> Module:
        return self.layers[position]

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"
