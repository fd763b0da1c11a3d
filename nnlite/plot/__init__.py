"""Pictures of graphs and of training.

Every function draws on `ax`, or on a figure of its own where that is None, and returns the axes;
showing them is left to the caller. Nothing relies on colour alone.
"""

from nnlite.core.public import public
from nnlite.plot.boundary import decision_boundary as decision_boundary
from nnlite.plot.confusion import confusion_matrix as confusion_matrix
from nnlite.plot.cost import modes as modes
from nnlite.plot.curves import history as history
from nnlite.plot.spread import gradient_spread as gradient_spread
from nnlite.plot.vertices.canvas import graph as graph

public(globals(), "nnlite.plot")
