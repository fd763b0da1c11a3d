"""Numbers and arrays as a person writes them: three digits, and no more entries than help."""

from __future__ import annotations

from typing import Any

import numpy as np

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: Any) -> str:
    """Three digits, with a real minus and a real power of ten.

    Examples
    --------
    >>> number(-1.5e-5), number(1234.5), number(0.25)
    ('−1.5·10⁻⁵', '1234', '0.25')
    """
    item = np.asarray(value).item()
    text = f"{item:.0f}" if 1e3 <= abs(item) < 1e5 else f"{item:.3g}"
    mantissa, _, exponent = text.partition("e")
    power = "·10" + str(int(exponent)).translate(RAISED) if exponent else ""
    return mantissa.replace("-", "−") + power


def entries(value: Any, few: int = 3) -> str:
    """A number, or the first entries of an array, in the order of its rows.

    Parameters
    ----------
    value : array_like
    few : int
        How many entries to write before the dots.

    Examples
    --------
    >>> entries(2.0), entries([[1.0], [2.0]]), entries(np.arange(9.0), few=2)
    ('2', '[1, 2]ᵀ', '[0, 1, …]')
    """
    array = np.asarray(value)
    if array.size == 1:
        return number(array)
    written = [number(item) for item in array.flat[:few]]
    if array.size > few:
        return f"[{', '.join([*written, '…'])}]"
    is_column = array.ndim == 2 and array.shape[1] == 1
    return f"[{', '.join(written)}]" + "ᵀ" * is_column
