"""The likely slip behind an error, which gradcheck names."""

from __future__ import annotations

from typing import TypeVar

E = TypeVar("E", bound=Exception)

IN_PLACE = "an input is written in place; make a new array: x = x * ..., or np.where(mask, new, x)"
NO_ARRAY = "not one array of floats; was `return` forgotten, or are there several outputs?"
PYTHON_FLOAT = (
    "the value is returned as a Python float, by float(...) or .item(), which has no derivative; "
    "return what NumPy gives"
)
KEPT_ON_MODULE = "state is kept on the module; use self.save_for_backward(...) and self.saved"


def with_slip(error: E, slip: str) -> E:
    """The error, with what probably caused it; the message is for whoever reads it as it is."""
    error.slip = slip  # type: ignore[attr-defined]
    return error


def slip_of(error: BaseException) -> str | None:
    """What `with_slip` said of the error, or of one that it came from."""
    while error is not None:
        slip: str | None = getattr(error, "slip", None)
        if slip is not None:
            return slip
        error = error.__cause__  # type: ignore[assignment]
    return None
