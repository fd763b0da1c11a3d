"""Functions of functions: derivatives of any Python function of NumPy code, Module or Graph.

Names, argument order and return values are JAX's. ``f`` returns one array; its arguments are
floats or arrays of floats.
"""

from nnlite.autodiff.forward import jvp as jvp
from nnlite.autodiff.jacobians import jacobian as jacobian
from nnlite.autodiff.reverse import grad as grad, value_and_grad as value_and_grad, vjp as vjp
from nnlite.autodiff.second_order import hessian as hessian, hvp as hvp
from nnlite.core.public import public

public(globals())
