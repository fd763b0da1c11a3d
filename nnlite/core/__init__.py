"""A vertex of a computational graph, and the kinds of values that flow through it."""

from nnlite.core import primitives as primitives  # which fills the table of rules
from nnlite.core.backpropagation import backpropagate as backpropagate, toposort as toposort
from nnlite.core.dual import Dual as Dual
from nnlite.core.module import Module as Module
from nnlite.core.node import (
    Constant as Constant,
    Input as Input,
    Node as Node,
    Parameter as Parameter,
)
from nnlite.core.public import public
from nnlite.core.rules import rule as rule
from nnlite.core.value import Value as Value

public(globals())
