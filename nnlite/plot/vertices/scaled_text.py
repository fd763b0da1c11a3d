"""Text that keeps to its box, whatever the size of the axes and the dots of the screen.

This file imports matplotlib as it is imported itself, which only a drawing function does.
"""

from __future__ import annotations

from matplotlib.backend_bases import RendererBase
from matplotlib.text import Text
from matplotlib.transforms import Bbox


class ScaledText(Text):
    """A line of text whose size, and the room that it has, are lengths in data units."""

    def __init__(self, x: float, y: float, text: str, *, size: float, room: float) -> None:
        super().__init__(x, y, text, usetex=False, parse_math=False, zorder=3)
        self._length, self._room = size, room

    def _fit(self) -> None:
        figure = self.get_figure(root=True)
        if self.axes is None or figure is None:
            return
        (start, _), (end, _) = self.axes.transData.transform([(0, 0), (1, 0)])
        pixels = end - start
        self._set_size(pixels * self._length * 72 / figure.dpi)
        excess = super().get_window_extent().width / (pixels * self._room)
        if excess > 1:  # on few dots letters are wider, as they stand on whole ones
            self._set_size(self.get_fontsize() / excess)

    def _set_size(self, size: float) -> None:
        if size != self.get_fontsize():  # setting it asks for another drawing
            self.set_fontsize(size)

    def draw(self, renderer: RendererBase) -> None:
        self._fit()
        super().draw(renderer)

    def get_window_extent(
        self, renderer: RendererBase | None = None, dpi: float | None = None
    ) -> Bbox:
        self._fit()
        return super().get_window_extent(renderer, dpi)
