"""Modules that keep on themselves what belongs to the vertex."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from modules import A, B, Square, assert_right_or_refused, at_one_vertex, at_two_vertices

import nnlite as nn


class Keeping(nn.Module):
    """x², whose backward reads x from `self.kept` in one of the ways that students find."""

    ways: ClassVar[dict[str, tuple[Callable[[], Any], Callable[..., None], Callable[..., Any]]]] = {
        "an attribute": (
            lambda: None,
            lambda self, x: setattr(self, "kept", x),
            lambda self: self.kept,
        ),
        "a dict": (
            dict,
            lambda self, x: self.kept.update(x=x),
            lambda self: self.kept["x"],
        ),
        "a list": (list, lambda self, x: self.kept.append(x), lambda self: self.kept[-1]),
        "a deque": (
            lambda: deque(maxlen=1),
            lambda self, x: self.kept.append(x),
            lambda self: self.kept[-1],
        ),
        "a buffer": (
            lambda: np.zeros(2),
            lambda self, x: np.copyto(self.kept, x),
            lambda self: self.kept,
        ),
        "an object": (
            SimpleNamespace,
            lambda self, x: setattr(self.kept, "x", x),
            lambda self: self.kept.x,
        ),
        "a callable object": (
            type("Cache", (), {"__call__": lambda self: self.x}),
            lambda self, x: setattr(self.kept, "x", x),
            lambda self: self.kept(),
        ),
        "a closure": (
            lambda: None,
            lambda self, x: setattr(self, "kept", lambda: x),
            lambda self: self.kept(),
        ),
        "a parameter": (
            lambda: nn.Parameter(np.zeros(2)),
            lambda self, x: setattr(self.kept, "value", x),
            lambda self: self.kept.accumulate_grad(np.zeros(2)) or self.kept.value,
        ),
        "an inner module": (
            Square,
            lambda self, x: self.kept(x),
            lambda self: self.kept.backward(np.ones(2)) / 2,
        ),
        "an inner composite": (
            lambda: nn.Sequential(Square()),
            lambda self, x: self.kept(x),
            lambda self: self.kept.backward(np.ones(2)) / 2,
        ),
        "an inner graph": (
            lambda: square_graph(),
            lambda self, x: self.kept(x),
            lambda self: self.kept.backward(np.ones(2)) / 2,
        ),
    }

    def __init__(self, way: str) -> None:
        make, self.put, self.get = self.ways[way]
        self.kept = make()

    def forward(self, x: Any) -> Any:
        self.put(self, x)
        return x * x

    def backward(self, grad: Any) -> Any:
        return 2 * grad * self.get(self)


def square_graph() -> nn.Graph:
    x = nn.Input("x", requires_grad=True)
    return nn.Graph([x], x * x)


REFUSED = r"kept.*(save_for_backward|run forward again)"
WAYS = pytest.mark.parametrize("way", Keeping.ways)


@WAYS
class TestAModuleThatKeepsStateOnItself:
    def test_is_right_where_it_stands_at_one_vertex(self, way: str) -> None:
        graph = at_one_vertex(Keeping(way))
        for x in (A, B, A):
            graph(x)
            np.testing.assert_array_equal(graph.backward(), 2 * x)

    def test_is_refused_where_it_stands_at_two(self, way: str) -> None:
        graph = at_two_vertices(Keeping(way))
        graph(A, B)
        with pytest.raises(RuntimeError, match=REFUSED):
            graph.backward()

    def test_is_refused_where_the_second_vertex_is_in_another_graph(self, way: str) -> None:
        module = Keeping(way)
        first, second = at_one_vertex(module), at_one_vertex(module)
        first(A)
        second(B)
        np.testing.assert_array_equal(second.backward(), 2 * B)
        with pytest.raises(RuntimeError, match=REFUSED):
            first.backward()

    def test_is_refused_after_it_was_called_on_arrays(self, way: str) -> None:
        module = Keeping(way)
        graph = at_one_vertex(module)
        graph(A)
        module(B)
        with pytest.raises(RuntimeError, match=REFUSED):
            graph.backward()

    def test_is_refused_when_the_vertex_between_kept_equal_values(self, way: str) -> None:
        module = Keeping(way)
        graph = at_one_vertex(module)
        graph(A)
        module(A.copy())
        module(B)
        with pytest.raises(RuntimeError, match=REFUSED):
            graph.backward()

    def test_is_never_wrong_after_a_vertex_with_equal_values_ran_again(self, way: str) -> None:
        module = Keeping(way)
        first, second = at_one_vertex(module), at_one_vertex(module)
        first(A)
        second(A.copy())
        assert_right_or_refused(first.backward, 2 * A)
        first(B)
        assert_right_or_refused(second.backward, 2 * A)

    def test_is_usable_again_after_another_forward_pass(self, way: str) -> None:
        module = Keeping(way)
        graph = at_one_vertex(module)
        graph(A)
        module(B)
        graph(A)
        np.testing.assert_array_equal(graph.backward(), 2 * A)


class TestAModuleIsNeverSilentlyWrong:
    def test_after_a_forward_that_failed_half_way(self) -> None:
        class Picky(Keeping):
            def forward(self, x: Any) -> Any:
                y = super().forward(x)
                if (x < 0).any():
                    raise ValueError("negative")
                return y

            def backward(self, grad: Any) -> Any:
                return super().backward(grad)

        module = Picky("an attribute")
        graph = at_one_vertex(module)
        graph(A)
        with pytest.raises(ValueError, match="negative"):
            module(-B)
        assert_right_or_refused(graph.backward, 2 * A)

    def test_where_two_modules_share_an_inner_one(self) -> None:
        inner = Square()
        first, second = Keeping("an inner module"), Keeping("an inner module")
        first.kept = second.kept = inner
        x, y = nn.Input("x", requires_grad=True), nn.Input("y", requires_grad=True)
        graph = nn.Graph([x, y], (first(x) + second(y)).sum())
        graph(A, B)
        assert_right_or_refused(graph.backward, (2 * A, 2 * B))

    def test_where_an_inner_module_stands_at_a_vertex_too(self) -> None:
        outer = Keeping("an inner module")
        x, y = nn.Input("x", requires_grad=True), nn.Input("y", requires_grad=True)
        graph = nn.Graph([x, y], (outer(x) + outer.kept(y)).sum())
        graph(A, B)
        assert_right_or_refused(graph.backward, (2 * A, 2 * B))

    @pytest.mark.parametrize("inner", [Square, lambda: Keeping("an attribute"), square_graph])
    def test_where_an_inner_module_runs_twice_in_one_forward(
        self, inner: Callable[[], nn.Module]
    ) -> None:
        class Twice(nn.Module):
            def __init__(self) -> None:
                self.inner = inner()

            def forward(self, x: Any) -> Any:
                return self.inner(self.inner(x))

            def backward(self, grad: Any) -> Any:
                return self.inner.backward(self.inner.backward(grad))

        graph = at_one_vertex(Twice())
        graph(A)
        assert_right_or_refused(graph.backward, 4 * A**3)

    def test_where_backward_returns_a_buffer_that_it_uses_again(self) -> None:
        class Buffered(Square):
            def __init__(self) -> None:
                self.buffer = np.empty(2)

            def forward(self, x: Any) -> Any:
                self.save_for_backward(x)
                return x * x

            def backward(self, grad: Any) -> Any:
                return np.multiply(grad, 2 * self.saved[0], out=self.buffer)

        graph = at_two_vertices(Buffered())
        graph(A, B)
        assert_right_or_refused(graph.backward, (2 * A, 2 * B))

    def test_where_a_cache_belongs_to_the_class(self) -> None:
        class Cached(nn.Module):
            cache: ClassVar[dict[str, Any]] = {}

            def forward(self, x: Any) -> Any:
                self.cache["x"] = x
                return x * x

            def backward(self, grad: Any) -> Any:
                return 2 * grad * self.cache["x"]

        graph = at_two_vertices(Cached())
        graph(A, B)
        assert_right_or_refused(graph.backward, (2 * A, 2 * B))
