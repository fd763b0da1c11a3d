"""A vertex of a computational graph, and the kinds of values that flow through it."""

from nnlite.core import primitives as primitives  # which fills the table of rules
from nnlite.core.dual import Dual as Dual
from nnlite.core.module import Module as Module
from nnlite.core.node import (
    Constant as Constant,
    Input as Input,
    Node as Node,
    Parameter as Parameter,
    backpropagate as backpropagate,
    toposort as toposort,
)
from nnlite.core.public import public
from nnlite.core.value import Value as Value, rule as rule

public(globals())
