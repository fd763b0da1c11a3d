"""Functions and modes of differentiation for the tests of functions of functions."""

import nnlite as nn

MODES = ("forward", "reverse")


def derivative(f, mode):
    """f′ of a function of one number, in either mode."""
    if mode == "forward":
        return lambda x: nn.jvp(f, (x,), (1.0,))[1]
    return nn.grad(f)
