"""Pictures, geometries of windows, and sums over windows by loops."""

from __future__ import annotations

from typing import Any

import numpy as np


def samples(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def both(given: Any) -> tuple[int, int]:
    return given if isinstance(given, tuple) else (given, given)


def geometry(pool: Any) -> tuple[Any, Any, Any]:
    return pool.kernel_size, pool.kernel_size if pool.stride is None else pool.stride, pool.padding
