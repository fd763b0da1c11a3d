"""Is ``backward`` the derivative of ``forward``? Exact, and it tells what is wrong."""

from nnlite.checking.check import gradcheck
from nnlite.checking.examination import GradcheckError, GradcheckReport

__all__ = ["GradcheckError", "GradcheckReport", "gradcheck"]
