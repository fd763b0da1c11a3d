"""nnlite: neural-network layers on NumPy; every vertex of the graph is a Module.

Write ``forward`` and ``backward`` once, in plain NumPy; chain modules into a `Graph`; train it.
"""

from typing import TYPE_CHECKING, Any

from nnlite import primitives as primitives
from nnlite._version import __version__
from nnlite.autodiff import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from nnlite.dispatch import Value, rule
from nnlite.dual import Dual
from nnlite.graph import Graph, Sequential
from nnlite.layers.activation import Sigmoid
from nnlite.layers.linear import Linear
from nnlite.losses import MSE
from nnlite.module import Module
from nnlite.node import Constant, Input, Node, Parameter, backpropagate, toposort
from nnlite.objective import Objective
from nnlite.optim import SGD
from nnlite.regularizers import L2

if TYPE_CHECKING:
    from nnlite import datasets, models, plot

__all__ = [
    "L2",
    "MSE",
    "SGD",
    "Constant",
    "Dual",
    "Graph",
    "Input",
    "Linear",
    "Module",
    "Node",
    "Objective",
    "Parameter",
    "Sequential",
    "Sigmoid",
    "Value",
    "__version__",
    "backpropagate",
    "datasets",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "models",
    "plot",
    "rule",
    "toposort",
    "value_and_grad",
    "vjp",
]


def __getattr__(name: str) -> Any:
    """Import what only some programs use when it is first used: matplotlib, the data sets."""
    if name in ("datasets", "models", "plot"):
        from importlib import import_module

        return import_module(f"nnlite.{name}")
    raise AttributeError(f"module 'nnlite' has no attribute {name!r}")
