"""Graphs of many shapes, without any framework behind them, and what their pictures look like."""

from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.path import Path


class Vertex:
    def __init__(self, name, *parents, operation=None, parameters=(), value=None, grad=None):
        self.name, self.parents, self.parameters = name, parents, tuple(parameters)
        self.module: Any = type(operation, (), {})() if operation else None
        self.value, self.grad = value, grad


class Input(Vertex):
    pass


class Parameter(Vertex):
    pass


class Constant(Vertex):
    pass


def seminar_model():
    """(σ(ωᵀx + b) − t)²/2 + λ·½‖ω‖² for one feature, with its values and gradients."""
    x, t = Input("x", value=np.array([[2.0]])), Input("t", value=np.array([[1.0]]))
    weight = Parameter("linear.weight", value=np.array([[0.5]]), grad=np.array([[-0.101]]))
    bias = Parameter("linear.bias", value=np.array([0.0]), grad=np.array([-0.0529]))
    owned = (weight, bias)
    linear = Vertex("linear", x, operation="Linear", parameters=owned, value=1.0, grad=-0.0529)
    sigmoid = Vertex("sigmoid", linear, operation="Sigmoid", value=0.731059, grad=-0.268941)
    mse = Vertex("mse", sigmoid, t, operation="MSE", value=0.0723, grad=0.5)
    two, lam = Constant("constant", value=2), Constant("λ", value=0.01)
    divide = Vertex("divide", mse, two, operation="Divide", value=0.0362, grad=1.0)
    l2 = Vertex("l2", weight, operation="L2", value=0.125, grad=0.01)
    multiply = Vertex("multiply", lam, l2, operation="Multiply", value=0.00125, grad=1.0)
    add = Vertex("add", divide, multiply, operation="Add", value=0.0374, grad=1.0)
    return [x, weight, bias, linear, sigmoid, t, mse, two, divide, lam, l2, multiply, add]


def chain(count):
    nodes: list[Vertex] = [Input("x")]
    for k in range(1, count):
        nodes.append(Vertex(f"tanh_{k}", nodes[-1], operation="Tanh"))
    return nodes


def diamonds(count):
    nodes: list[Vertex] = [Input("x")]
    while len(nodes) < count:
        top, k = nodes[-1], len(nodes)
        sin = Vertex(f"sin_{k}", top, operation="Sin")
        exp = Vertex(f"exp_{k}", top, operation="Exp")
        nodes += [sin, exp, Vertex(f"multiply_{k}", sin, exp, operation="Multiply")]
    return nodes


def random_graph(count, seed):
    """Of one output, where a vertex feeds a few of the next dozen."""
    rng = np.random.default_rng(seed)
    nodes: list[Any] = [Input("x", value=rng.normal(size=(32, 30)))]
    unused = list(nodes)
    for k in range(1, count):
        array = rng.normal(size=rng.integers(1, 6)) * 10.0 ** rng.integers(-9, 9)
        if k < count - 1 and len(unused) < 5 and rng.random() < 0.4:
            leaf = (Input, Parameter, Constant)[rng.integers(3)]
            node: Vertex = leaf(f"leaf_{k}", value=array, grad=array)
        else:
            operation = ("Add", "Multiply", "LogSumExp")[rng.integers(3)]
            parents = unused if k == count - 1 else [rng.choice(unused)]
            parents = [*parents, *rng.choice(nodes[-12:], size=rng.integers(3))]
            node = Vertex(f"node_{k}", *parents, operation=operation, value=array, grad=-array)
        unused = [*(vertex for vertex in unused if vertex not in node.parents), node]
        nodes.append(node)
    return nodes


GRAPHS = {
    "three": chain(3),
    "one": chain(1),
    "seminar": seminar_model(),
    "chain": chain(10),
    "diamonds": diamonds(25),
    **{
        f"random-{n}-{seed}": random_graph(n, seed) for n in (3, 8, 20, 40, 60) for seed in range(3)
    },
}


class Picture:
    """What a graph looks like, in pixels."""

    def __init__(self, ax):
        figure = ax.figure
        FigureCanvasAgg(figure).draw()
        self.ax = ax
        self.box_artists, self.boxes, self.texts, self.edges = {}, {}, [], []
        for artist in ax.get_children():
            match (artist.get_gid() or "").split(":"):
                case "vertex", name:
                    self.box_artists[name] = artist
                    self.boxes[name] = artist.get_window_extent()
                case "label", name:
                    self.texts.append((name, artist.get_text(), artist.get_window_extent()))
                case "edge", parent, child:
                    self.edges.append((parent, child, self.flattened(artist)))

    @staticmethod
    def flattened(edge):
        path = edge.get_transform().transform_path(edge.get_path()).cleaned(curves=False)
        return path.vertices[path.codes != Path.STOP]

    def lines_of(self, vertex):
        return [text for name, text, _ in self.texts if name == vertex]


def overlap(a, b):
    return min(a.x1, b.x1) > max(a.x0, b.x0) and min(a.y1, b.y1) > max(a.y0, b.y0)


def contains(outer, inner, slack=0.0):
    return (
        outer.x0 - slack <= inner.x0
        and inner.x1 <= outer.x1 + slack
        and outer.y0 - slack <= inner.y0
        and inner.y1 <= outer.y1 + slack
    )
