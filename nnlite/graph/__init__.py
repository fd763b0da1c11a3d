"""A function as a graph of modules."""

from nnlite.core.public import public
from nnlite.graph.graph import Graph as Graph
from nnlite.graph.objective import Objective as Objective
from nnlite.graph.sequential import Sequential as Sequential

public(globals())
