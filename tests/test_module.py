"""Modules as users write them: with a backward, with state, as composites, and as containers."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from helpers import FLOATS, assert_equal_to_rounding, data, gradient_of
from numpy.typing import DTypeLike

import nnlite as nn

A, B = np.array([1.0, 2.0]), np.array([5.0, 7.0])


class Scale(nn.Module):
    """y = gain * x, as in design.md."""

    def __init__(self, features: int, dtype: DTypeLike = np.float64) -> None:
        super().__init__()
        self.gain = nn.Parameter(np.full(features, 3, dtype))

    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return x * self.gain.value

    def backward(self, grad: Any) -> Any:
        (x,) = self.saved
        self.gain.accumulate_grad((grad * x).sum(axis=0))
        return grad * self.gain.value


class ScaleWithoutSuper(Scale):
    def __init__(self, features: int, dtype: DTypeLike = np.float64) -> None:
        self.gain = nn.Parameter(np.full(features, 3, dtype))


class Square(nn.Module):
    def forward(self, x: Any) -> Any:
        self.save_for_backward(x)
        return x * x

    def backward(self, grad: Any) -> Any:
        return 2 * grad * self.saved[0]


class TestALayerOfTheUser:
    @FLOATS
    @pytest.mark.parametrize("layer", [Scale, ScaleWithoutSuper])
    def test_has_the_gradients_that_its_backward_says(
        self, layer: type[Scale], dtype: DTypeLike
    ) -> None:
        scale = layer(2, dtype)
        X = np.array([[1, 2], [3, 4], [5, 6]], dtype)
        assert_equal_to_rounding(gradient_of(scale, X), np.full((3, 2), 3.0), dtype)
        assert_equal_to_rounding(scale.gain.grad, np.array([9.0, 12.0]), dtype)

    def test_can_be_propagated_back_by_hand(self) -> None:
        scale = Scale(2)
        scale(A[None])
        np.testing.assert_array_equal(scale.backward(B[None]), 3 * B[None])
        np.testing.assert_array_equal(scale.gain.grad, A * B)

    def test_is_told_which_gradients_nobody_wants(self) -> None:
        told = []

        class Times(nn.Module):
            def forward(self, a: Any, b: Any) -> Any:
                self.save_for_backward(a, b)
                return a * b

            def backward(self, grad: Any) -> Any:
                told.append(self.needs_input_grad)
                return grad * self.saved[1], None

        a, b = nn.Input("a", requires_grad=True), nn.Input("b")
        graph = nn.Graph([a, b], Times()(a, b).sum())
        graph(A, B)
        graph.backward()
        assert told == [(True, False)]

    @pytest.mark.parametrize("wanted", [False, True])
    def test_linear_computes_the_gradient_of_x_only_where_it_is_wanted(self, wanted: bool) -> None:
        returned = []

        class Spied(nn.Linear):
            def forward(self, x: Any) -> Any:
                return super().forward(x)

            def backward(self, grad: Any) -> Any:
                returned.append(super().backward(grad))
                return returned[-1]

        x = nn.Input("x", requires_grad=wanted)
        graph = nn.Graph([x], Spied(2, 1, rng=0)(x).sum())
        graph(A[None])
        graph.backward()
        assert [gradient is not None for gradient in returned] == [wanted]

    @pytest.mark.parametrize(
        ("result", "message"),
        [
            (None, "returned None .*'a'"),
            ((A,), "returned 1 gradients for 2 inputs"),
            ((A, A, A), "returned 3 gradients for 2 inputs"),
            ([A, A], "returned a list; return a tuple"),
            ((A, None), "returned None .*'b'"),
            ((A, A[None]), r"shape \(1, 2\) reached .*'b'.* \(2,\)"),
            ((A, 1.0), r"shape \(\) reached .*'b'.* \(2,\)"),
        ],
    )
    def test_with_a_wrong_result_of_backward_is_refused(self, result: Any, message: str) -> None:
        class Wrong(nn.Module):
            def forward(self, a: Any, b: Any) -> Any:
                return a + b

            def backward(self, grad: Any) -> Any:
                return result if result is not None else (None, grad)

        a, b = nn.Input("a", requires_grad=True), nn.Input("b", requires_grad=True)
        graph = nn.Graph([a, b], Wrong()(a, b).sum())
        graph(A, B)
        with pytest.raises((TypeError, ValueError), match=message):
            graph.backward()

    def test_without_forward_says_so(self) -> None:
        with pytest.raises(NotImplementedError, match="Empty has no forward"):
            type("Empty", (nn.Module,), {})()(A)

    def test_called_by_its_forward_never_changes_what_a_vertex_saved(self) -> None:
        square = Square()
        x = nn.Input("x", requires_grad=True)
        graph = nn.Graph([x], square(x).sum())
        graph(A)
        assert_right_or_refused(lambda: (square.forward(B), graph.backward())[1], 2 * A)

    def test_may_inherit_forward_and_backward_from_a_mixin(self) -> None:
        class Formula:
            def forward(self: Any, x: Any) -> Any:
                self.save_for_backward(x)
                return x * x

            def backward(self: Any, grad: Any) -> Any:
                return 2 * grad * self.saved[0]

        class Mixed(Formula, nn.Module):
            pass

        np.testing.assert_array_equal(gradient_of(Mixed(), A), 2 * A)


def assert_right_or_refused(compute: Callable[[], Any], exact: Any) -> None:
    try:
        got = compute()
    except (RuntimeError, TypeError):
        return
    np.testing.assert_array_equal(got, exact)


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


def at_two_vertices(module: nn.Module) -> nn.Graph:
    x, y = nn.Input("x", requires_grad=True), nn.Input("y", requires_grad=True)
    return nn.Graph([x, y], (module(x) + module(y)).sum())


def at_one_vertex(module: nn.Module) -> nn.Graph:
    x = nn.Input("x", requires_grad=True)
    return nn.Graph([x], module(x).sum())


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


class Affine(nn.Module):
    """gain * x + shift: a composite, reading one parameter by its value and one as it is."""

    def __init__(self) -> None:
        self.gain = nn.Parameter(np.array([2.0, 3.0]))
        self.shift = nn.Parameter(np.array([0.5, -0.5]))

    def forward(self, x: Any) -> Any:
        return self.gain.value * x + self.shift


class Net(nn.Module):
    """Two composites deep, with a regulariser on a submodule's parameter."""

    def __init__(self) -> None:
        self.linear = nn.Linear(2, 1, rng=0)
        self.affine = Affine()

    def forward(self, x: Any, t: Any) -> Any:
        y = nn.Sigmoid()(self.linear(self.affine(x)))
        return nn.MSE()(y, t) / 2 + 0.1 * nn.L2()(self.linear.weight)


def gradients_of_net(net: Net, X: np.ndarray, t: np.ndarray) -> dict[str, np.ndarray]:
    W, b = net.linear.weight.value, net.linear.bias.value
    H = net.affine.gain.value * X + net.affine.shift.value
    y = 1 / (1 + np.exp(-(H @ W + b)))
    z_bar = (y - t) / t.size * y * (1 - y)
    H_bar = z_bar @ W.T
    return {
        "linear.weight": H.T @ z_bar + 0.1 * W,
        "linear.bias": z_bar.sum(0),
        "affine.gain": (H_bar * X).sum(0),
        "affine.shift": H_bar.sum(0),
    }


class TestAComposite:
    def test_fills_the_gradient_of_every_parameter(self) -> None:
        net = Net()
        X, t = data(8, features=2)
        loss = net(X, t)
        assert isinstance(loss, np.float64)
        net.backward()
        for name, exact in gradients_of_net(net, X, t).items():
            assert_equal_to_rounding(dict(net.named_parameters())[name].grad, exact)

    def test_stands_at_two_vertices_of_a_graph(self) -> None:
        affine = Affine()
        gain = affine.gain.value
        x = nn.Input("x", requires_grad=True)
        graph = nn.Graph([x], affine(affine(x)).sum())
        graph(A[None])
        np.testing.assert_array_equal(graph.backward(), (gain * gain)[None])
        np.testing.assert_array_equal(affine.gain.grad, gain * A + affine.shift.value + gain * A)
        np.testing.assert_array_equal(affine.shift.grad, 1 + gain)

    def test_shares_a_submodule_and_finds_modules_in_lists_and_dicts(self) -> None:
        class Holder(nn.Module):
            def __init__(self) -> None:
                shared = Scale(2)
                self.layers = [shared, shared]
                self.by_name = {"other": Scale(2)}

            def forward(self, x: Any) -> Any:
                for layer in self.layers:
                    x = layer(x)
                return self.by_name["other"](x).sum()

        holder = Holder()
        assert [name for name, _ in holder.named_parameters()] == [
            "layers.0.gain",
            "by_name.other.gain",
        ]
        holder(A[None])
        np.testing.assert_array_equal(holder.backward(), np.full((1, 2), 27.0))
        shared, other = holder.parameters()
        np.testing.assert_array_equal(shared.grad, 18 * A)
        np.testing.assert_array_equal(other.grad, 9 * A)

    @pytest.mark.parametrize("steps", [1, 4])
    def test_may_run_as_python_decides(self, steps: int) -> None:
        class Repeat(nn.Module):
            def __init__(self) -> None:
                self.scale = Scale(2)

            def forward(self, x: Any) -> Any:
                for _ in range(int(x.value.sum())):
                    x = self.scale(x)
                return x

        repeat = Repeat()
        X = np.array([[steps, 0.0]])
        repeat(X)
        np.testing.assert_array_equal(repeat.backward(np.ones((1, 2))), np.full((1, 2), 3.0**steps))
        gain_bar = steps * 3.0 ** (steps - 1) * steps
        np.testing.assert_array_equal(repeat.scale.gain.grad, [gain_bar, 0.0])

    def test_replaces_the_backward_of_the_module_whose_forward_it_overrides(self) -> None:
        class Doubled(Square):
            def forward(self, x: Any) -> Any:
                return 2 * super().forward(x) + x

        module = Doubled()
        np.testing.assert_array_equal(gradient_of(module, A), 4 * A + 1)

    def test_gives_zeros_for_an_input_without_influence(self) -> None:
        class First(nn.Module):
            def forward(self, a: Any, b: Any) -> Any:
                return a * 2

        first = First()
        first(A, B)
        a_bar, b_bar = first.backward(np.ones(2))
        np.testing.assert_array_equal(a_bar, [2.0, 2.0])
        np.testing.assert_array_equal(b_bar, [0.0, 0.0])

    @pytest.mark.parametrize(
        "result",
        [lambda x: (2 * x, 3 * x), lambda x: [x], lambda x: None],
        ids=["tuple", "list", "None"],
    )
    def test_that_returns_no_single_value_is_never_given_a_zero_gradient(
        self, result: Callable[[Any], Any]
    ) -> None:
        class Returning(nn.Module):
            def forward(self, x: Any) -> Any:
                return result(x)

        module = Returning()
        with pytest.raises(TypeError):
            _ = module(A), module.backward(np.ones(2))

    def test_refuses_back_propagation_after_a_parameter_changed(self) -> None:
        affine = Affine()
        affine(A)
        affine.gain.value = affine.gain.value * 2
        with pytest.raises(RuntimeError, match="new value after the forward pass"):
            affine.backward(np.ones(2))


class TestSequential:
    def test_gives_the_same_alone_and_in_a_graph(self) -> None:
        def build() -> nn.Sequential:
            return nn.Sequential(nn.Linear(2, 3, rng=0), nn.Sigmoid(), nn.Linear(3, 1, rng=1))

        X, _ = data(4, features=2)
        alone, inside = build(), build()
        value = alone(X)
        alone.backward(np.ones_like(value))
        x = nn.Input("x")
        graph = nn.Graph([x], inside(x))
        np.testing.assert_array_equal(graph(X), value)
        graph.backward(np.ones_like(value))
        for one, other in zip(alone.parameters(), inside.parameters(), strict=True):
            np.testing.assert_array_equal(one.grad, other.grad)

    def test_is_a_sequence_of_its_layers(self) -> None:
        layers = nn.Linear(2, 1), nn.Sigmoid()
        sequential = nn.Sequential(*layers)
        assert (tuple(sequential), len(sequential), sequential[1]) == (layers, 2, layers[1])

    def test_says_where_parentheses_were_forgotten(self) -> None:
        with pytest.raises(TypeError, match=r"argument 1 is .*Sigmoid.*add parentheses"):
            nn.Sequential(nn.Linear(2, 1), nn.Sigmoid)  # type: ignore[arg-type]


class TestServices:
    def test_parameters_are_listed_in_order_and_once(self) -> None:
        net = Net()
        net.again = net.linear  # type: ignore[attr-defined]
        names = ["linear.weight", "linear.bias", "affine.gain", "affine.shift"]
        assert [name for name, _ in net.named_parameters()] == names
        assert net.parameters() == [parameter for _, parameter in net.named_parameters()]

    def test_modules_start_with_the_module_itself_and_come_once(self) -> None:
        net = Net()
        assert net.modules() == [net, net.linear, net.affine]
        linear = nn.Linear(1, 1)
        assert len(nn.Sequential(linear, nn.Sigmoid(), linear).modules()) == 3

    def test_train_and_eval_reach_every_module(self) -> None:
        net = Net()
        assert net.eval() is net
        assert not any(module.training for module in net.modules())
        assert net.train() is net
        assert all(module.training for module in net.modules())

    def test_zero_grad_forgets_all_gradients(self) -> None:
        net = Net()
        net(*data(4, features=2))
        net.backward()
        net.zero_grad()
        assert all(parameter.grad is None for parameter in net.parameters())

    def test_state_goes_out_as_a_copy_and_comes_back(self) -> None:
        net, other = Net(), Net()
        state = net.state_dict()
        before = {name: value.copy() for name, value in state.items()}
        for parameter in net.parameters():
            parameter.value = parameter.value + 1
        for name, value in before.items():
            np.testing.assert_array_equal(state[name], value)
        other.load_state_dict(net.state_dict())
        X, t = data(4, features=2)
        assert other(X, t) == net(X, t)
        state["linear.bias"][:] = np.nan
        assert np.isfinite(other.linear.bias.value).all()

    def test_a_state_that_does_not_fit_changes_nothing_and_names_every_problem(self) -> None:
        net = Net()
        state = net.state_dict()
        before = net.state_dict()
        del state["affine.gain"]
        state["surplus"] = A
        state["linear.bias"] = np.zeros(3)
        state["affine.shift"] = np.zeros(2, np.float32)
        state["linear.weight"] = np.zeros((2, 1))
        with pytest.raises(ValueError, match="does not fit Net") as caught:
            net.load_state_dict(state)
        for problem in (
            "missing: affine.gain",
            "unexpected: surplus",
            "linear.bias: expected float64[1], got float64[3]",
            "affine.shift: expected float64[2], got float32[2]",
        ):
            assert problem in str(caught.value)
        for name, value in net.state_dict().items():
            np.testing.assert_array_equal(value, before[name])

    def test_repr_shows_sizes_and_what_differs_from_the_defaults(self) -> None:
        assert repr(nn.Linear(30, 1)) == "Linear(30, 1)"
        assert repr(nn.Linear(30, 1, bias=False)) == "Linear(30, 1, bias=False)"
        assert (
            repr(nn.Sequential(nn.Linear(2, 1), nn.Sigmoid()))
            == "Sequential(Linear(2, 1), Sigmoid())"
        )


class TestDerivativesOfModulesThatCallOthers:
    """Second derivatives, where other modules run inside a forward."""

    def test_of_a_composite_that_calls_a_layer_on_a_constant(self) -> None:
        class Offset(nn.Module):
            def __init__(self) -> None:
                self.linear = nn.Linear(2, 2, rng=0)

            def forward(self, x: Any) -> Any:
                return x * self.linear(A[None])

        offset = Offset()
        X = np.array([[3.0, 5.0]])
        offset(X)
        offset.backward(np.ones((1, 2)))
        np.testing.assert_array_equal(offset.linear.weight.grad, A[:, None] * X)
        np.testing.assert_array_equal(offset.linear.bias.grad, X[0])

    @pytest.mark.parametrize("ran_before", [False, True])
    def test_of_a_module_that_runs_another_by_hand(self, ran_before: bool) -> None:
        class Cube(nn.Module):
            def __init__(self) -> None:
                self.square = Square()

            def forward(self, x: Any) -> Any:
                self.save_for_backward(x)
                return x * self.square(x)

            def backward(self, grad: Any) -> Any:
                (x,) = self.saved
                return grad * x * x + self.square.backward(grad * x)

        cube = Cube()
        if ran_before:
            cube(B)
        f = lambda x: np.sum(cube(x))
        np.testing.assert_allclose(nn.grad(f)(A), 3 * A**2, rtol=1e-15)
        np.testing.assert_allclose(nn.hvp(f, A, np.ones(2)), 6 * A, rtol=1e-15)
        np.testing.assert_allclose(nn.grad(lambda x: np.sum(nn.grad(f)(x)))(A), 6 * A, rtol=1e-15)


class TestWhatAStudentForgets:
    def test_a_gradient_of_a_parameter(self) -> None:
        class Shift(nn.Module):
            def __init__(self) -> None:
                self.b = nn.Parameter(np.zeros(2))

            def forward(self, x: Any) -> Any:
                return x + self.b.value

            def backward(self, grad: Any) -> Any:
                return grad

        graph = at_one_vertex(Shift())
        graph(A)
        with pytest.raises(RuntimeError, match=r"self\.b no gradient.*accumulate_grad"):
            graph.backward()

    def test_that_a_gradient_accumulates(self) -> None:
        class Overwriting(nn.Module):
            def __init__(self) -> None:
                self.w = nn.Parameter(np.ones(2))

            def forward(self, x: Any) -> Any:
                self.save_for_backward(x)
                return x * self.w.value

            def backward(self, grad: Any) -> Any:
                self.w.grad = grad * self.saved[0]
                return grad * self.w.value

        graph = at_two_vertices(module := Overwriting())
        graph(A, B)
        graph.backward()
        np.testing.assert_array_equal(module.w.grad, A + B)

    def test_return(self) -> None:
        class Silent(nn.Module):
            def forward(self, x: Any) -> None:
                self.save_for_backward(x)

            def backward(self, grad: Any) -> Any:
                return grad

        with pytest.raises(TypeError, match="forgotten"):
            Silent()(A)

    def test_value_in_the_middle_of_a_graph(self) -> None:
        class Raw(nn.Module):
            def __init__(self) -> None:
                self.w = nn.Parameter(np.ones(2))

            def forward(self, x: Any) -> Any:
                return x * self.w

            def backward(self, grad: Any) -> Any:
                return grad

        x = nn.Input("x")
        with pytest.raises(TypeError, match=r"self\.weight\.value"):
            nn.Graph([x], nn.L2()(Raw()(x)))(A)

    def test_that_arrays_are_not_its_own(self) -> None:
        class Relu(nn.Module):
            def forward(self, x: Any) -> Any:
                x[x < 0] = 0
                self.save_for_backward(x)
                return x

            def backward(self, grad: Any) -> Any:
                grad[self.saved[0] == 0] = 0
                return grad

        X = np.array([1.0, -1.0])
        with pytest.raises(ValueError, match="read-only") as caught:
            Relu()(X)
        assert "np.where" in caught.value.__notes__[0]
        np.testing.assert_array_equal(X, [1, -1])

    def test_that_what_is_saved_must_stay_as_it_is(self) -> None:
        class ExpPlusOne(nn.Module):
            def forward(self, x: Any) -> Any:
                y = np.exp(x)
                self.save_for_backward(y)
                y += 1
                return y

            def backward(self, grad: Any) -> Any:
                return grad * self.saved[0]

        graph = at_one_vertex(ExpPlusOne())
        graph(A)
        with pytest.raises(RuntimeError, match="kept with save_for_backward was changed"):
            graph.backward()

    def test_to_make_a_parameter_an_attribute(self) -> None:
        w = nn.Parameter(np.ones(2))

        class Hidden(nn.Module):
            def forward(self, x: Any) -> Any:
                return x * w

        with pytest.raises(RuntimeError, match=r"not among self\.parameters\(\)"):
            Hidden()(A)

    def test_that_a_nested_graph_has_parameters_of_its_own(self) -> None:
        i, w = nn.Input("i"), nn.Parameter(np.ones(2), name="w")
        inner = nn.Sequential(nn.Graph([i], i * w))
        assert inner.parameters() == [w]
        j = nn.Input("j")
        graph = nn.Graph([j], inner(j).sum())
        graph(A)
        graph.backward()
        np.testing.assert_array_equal(w.grad, A)


def test_buffers_hold_no_duals_or_nodes_and_a_derivative_graph_leaves_them_alone() -> None:
    class Centred(nn.Module):
        buffers = ("mean",)

        def __init__(self) -> None:
            self.mean = np.zeros(2)

        def forward(self, x: Any) -> Any:
            self.mean = 0.5 * self.mean + 0.5 * x.mean(axis=0)
            return x - x.mean(axis=0)

        def backward(self, grad: Any) -> Any:
            return grad - grad.mean(axis=0)

    centred = Centred()
    centred(np.array([[2.0, 4.0]]))
    np.testing.assert_array_equal(centred.state_dict()["mean"], [1.0, 2.0])
    X = np.array([[1.0, 2.0], [3.0, 5.0]])
    nn.jvp(centred, (X,), (X,))
    nn.hvp(lambda x: np.sum(centred(x) ** 3), X, X)
    assert isinstance(centred.mean, np.ndarray)
    centred.mean = np.array([1.0, 2.0])
    x = nn.Input("x", requires_grad=True)
    nn.Graph([x], (centred(x) ** 2).sum()).gradient(X)
    np.testing.assert_array_equal(centred.mean, [1.0, 2.0])


class TestWhatReadersTried:
    def test_an_input_of_a_composite_changed_in_place_is_noticed(self) -> None:
        net, X = nn.Sequential(nn.Linear(2, 1, rng=0), nn.Sigmoid()), np.ones((3, 2))
        net(X)
        X *= 10
        with pytest.raises(RuntimeError, match="run forward again"):
            net.backward(np.ones((3, 1)))

    @pytest.mark.parametrize("kind", [np.ma.MaskedArray])
    def test_arrays_whose_arithmetic_is_another_are_refused(self, kind: Any) -> None:
        with pytest.raises(TypeError, match="pass a plain array"):
            nn.MSE()(kind([[1.0, 2.0]]), kind([[1.0, 2.0]]))

    @pytest.mark.parametrize("item", [None, "abc", {}])
    def test_what_is_no_array_is_refused(self, item: Any) -> None:
        with pytest.raises(TypeError, match=r"Linear\(2, 1\): expected an array, got"):
            nn.Linear(2, 1, rng=0)(item)

    def test_a_summary_changes_nothing(self) -> None:
        net = nn.Sequential(nn.Linear(2, 2, rng=0), nn.BatchNorm1d(2), nn.Dropout(0.5, rng=0))
        before = net.state_dict()
        net.summary(np.arange(8.0).reshape(4, 2))
        for name, array in net.state_dict().items():
            np.testing.assert_array_equal(array, before[name])
        assert net.layers[2].rng.random() == np.random.default_rng(0).random()

    def test_a_composite_is_pickled_with_its_parameters_and_without_its_last_pass(self) -> None:
        net = Net()
        X, t = data(8, features=2)
        loss = net(X, t)
        again = copy.deepcopy(net)
        assert again(X, t) == loss
        assert "_vertex" not in net.__getstate__()

    def test_a_state_that_is_no_mapping_is_answered(self) -> None:
        linear = nn.Linear(2, 1, rng=0)
        for slip in ("weights.npz", linear):
            with pytest.raises(TypeError, match=r"np\.load\(file\)"):
                linear.load_state_dict(slip)  # type: ignore[arg-type]

    def test_saving_leaves_the_arrays_of_others_as_they_are(self) -> None:
        class Gain(Scale):
            def forward(self, x: Any) -> Any:
                self.save_for_backward(x, self.gain.value)
                return x * self.gain.value

            def backward(self, grad: Any) -> Any:
                x, gain = self.saved
                self.gain.accumulate_grad((grad * x).sum(axis=0))
                return grad * gain

        gain, X = Gain(2), np.ones((3, 2))
        y = gain(X)
        y += 1
        gain.gain.value -= 0.1
        X *= 2

    def test_a_backward_pass_that_fails_leaves_accumulated_gradients_alone(self) -> None:
        class Failing(nn.Module):
            fails = False

            def forward(self, x: Any) -> Any:
                return 1 * x

            def backward(self, grad: Any) -> Any:
                if self.fails:
                    raise KeyboardInterrupt
                return grad

        first, failing, last = Scale(2), Failing(), Scale(2)
        x = nn.Input("x")
        graph = nn.Graph([x], last(failing(first(x))).sum())
        graph(A[None])
        graph.backward()
        before = [parameter.grad.copy() for parameter in graph.parameters()]
        graph(A[None])
        Failing.fails = True
        with pytest.raises(KeyboardInterrupt):
            graph.backward()
        for parameter, grad in zip(graph.parameters(), before, strict=True):
            np.testing.assert_array_equal(parameter.grad, grad)

    def test_a_composites_buffer_holds_arrays(self) -> None:
        class Running(nn.Module):
            buffers = ("mean",)

            def __init__(self) -> None:
                self.mean = np.zeros(2)
                self.scale = Scale(2)

            def forward(self, x: Any) -> Any:
                self.mean = 0.5 * self.mean + 0.5 * np.mean(x, axis=0)
                return np.sum(self.scale(x))

        running = Running()
        for _ in range(3):
            running(A[None])
        np.testing.assert_array_equal(running.state_dict()["mean"], A * 0.875)

    def test_names_in_a_graph_do_not_depend_on_other_graphs(self) -> None:
        def parts() -> tuple[nn.Linear, nn.Linear]:
            return nn.Linear(2, 3, rng=0), nn.Linear(3, 1, rng=1)

        def graph(first: nn.Linear, second: nn.Linear) -> nn.Graph:
            x = nn.Input("x")
            return nn.Graph([x], second(first(x)))

        first, second = parts()
        x = nn.Input("x")
        nn.Graph([x], second(x))
        assert list(graph(first, second).state_dict()) == list(graph(*parts()).state_dict())

    def test_a_constant_changed_in_place_is_noticed(self) -> None:
        x, c = nn.Input("x", requires_grad=True), np.ones(2)
        graph = nn.Graph([x], (x * c).sum())
        graph(A)
        c *= 0
        with pytest.raises(RuntimeError, match="run forward again"):
            graph.backward()

    def test_forward_and_reverse_agree_on_a_branch_that_is_not_taken(self) -> None:
        f = lambda x: np.sum(np.sqrt(np.where(x > 0, x, 0)))
        X = np.array([-1.0, 4.0])
        with np.errstate(divide="ignore"):
            for mode in ("forward", "reverse"):
                np.testing.assert_array_equal(nn.jacobian(f, X, mode=mode), [0, 0.25])

    def test_a_vertex_that_was_kept_from_a_function_is_of_no_more_use(self) -> None:
        side: list[Any] = []
        nn.grad(lambda x: (side.append(x * 2), np.sum(x))[1])(A)
        with pytest.raises(RuntimeError, match="function that has returned"):
            nn.grad(lambda x: np.sum(x * side[0]))(A)

    def test_a_composite_has_one_output(self) -> None:
        class Two(nn.Module):
            def forward(self, x: Any) -> Any:
                return x, 2 * x

        with pytest.raises(TypeError, match="one output"):
            Two()(A)
