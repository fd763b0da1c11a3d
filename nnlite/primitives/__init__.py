"""NumPy's functions as Modules, by family; importing this package fills the table of rules."""

from nnlite.primitives import elementwise, linalg, reductions

__all__ = ["elementwise", "linalg", "reductions"]
