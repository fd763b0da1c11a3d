"""Is ``backward`` the derivative of ``forward``? Exact, and it tells what is wrong."""

from nnlite.checking.check import gradcheck as gradcheck
from nnlite.checking.report import (
    GradcheckError as GradcheckError,
    GradcheckReport as GradcheckReport,
)
from nnlite.core.public import public

public(globals())
