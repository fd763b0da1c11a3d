"""Initialisers: first values for the weights of a layer.

All take the shape of the array and, by name, ``dtype`` and ``rng``. Shapes are those of nnlite's
layers: (in, out) for `Linear`, the transpose of PyTorch's, and (out, in, kh, kw) for `Conv2d`.
Values are drawn in double precision and rounded to the dtype, so that those in single precision
are the same but for rounding.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nnlite.core.arguments import FLOATING, POSITIVE
from nnlite.core.public import public

Shape = int | tuple[int, ...]
Rng = np.random.Generator | int | None


def fan_in_and_fan_out(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many inputs a unit has, and how many units an input feeds.

    Parameters
    ----------
    shape : tuple of int
        (in, out), or (out, in, \\*kernel), where both fans are times the size of the kernel.

    Examples
    --------
    >>> fan_in_and_fan_out((30, 10))
    (30, 10)
    >>> fan_in_and_fan_out((16, 3, 5, 5))
    (75, 400)
    """
    shape = _checked_shape(shape)
    if len(shape) < 2 or 0 in shape:
        raise ValueError(
            "fans are those of a weight of shape (in, out) or (out, in, kernel height, kernel "
            f"width), all at least 1, got {shape}; for a bias use zeros or uniform"
        )
    if len(shape) == 2:
        return shape[0], shape[1]
    kernel = math.prod(shape[2:])
    return shape[1] * kernel, shape[0] * kernel


def uniform(
    shape: Shape,
    *,
    low: float = 0.0,
    high: float = 1.0,
    dtype: DTypeLike = np.float64,
    rng: Rng = None,
) -> NDArray[Any]:
    """Uniform in [low, high).

    Parameters
    ----------
    shape : int or tuple of int
    low, high : float
    dtype : dtype
        A floating dtype.
    rng : numpy.random.Generator or int, optional
        Where the values come from; an int is a seed.

    Examples
    --------
    >>> uniform((2, 2), low=-0.1, high=0.1, rng=0).shape
    (2, 2)
    """
    if not (math.isfinite(high - low) and low <= high):
        raise ValueError(f"uniform: low and high are finite and in order, got {low!r}, {high!r}")
    values = np.random.default_rng(rng).uniform(low, high, _checked_shape(shape))
    return _as_float(values, dtype)


def normal(
    shape: Shape,
    *,
    mean: float = 0.0,
    std: float = 1.0,
    dtype: DTypeLike = np.float64,
    rng: Rng = None,
) -> NDArray[Any]:
    """Normal with the given mean and standard deviation; other parameters as in `uniform`."""
    if not (math.isfinite(mean) and math.isfinite(std) and std >= 0):
        raise ValueError(
            f"normal: mean is finite and std finite and at least 0, got {mean!r} and {std!r}"
        )
    values = np.random.default_rng(rng).normal(mean, std, _checked_shape(shape))
    return _as_float(values, dtype)


def glorot_uniform(
    shape: tuple[int, ...], *, gain: float = 1.0, dtype: DTypeLike = np.float64, rng: Rng = None
) -> NDArray[Any]:
    """Uniform in ± gain·√(6/(fan_in + fan_out)); the variance is gain²·2/(fan_in + fan_out).

    Glorot and Bengio (2010), *Understanding the difficulty of training deep feedforward neural
    networks*, equation 16; PyTorch's ``xavier_uniform_``.

    Parameters
    ----------
    shape : tuple of int
        See `fan_in_and_fan_out`.
    gain : float
        Makes up for the activation: 1 for linear units and sigmoids, √2 for rectifiers, 5/3 for
        tanh (the table of PyTorch's ``calculate_gain``).
    dtype : dtype
        A floating dtype.
    rng : numpy.random.Generator or int, optional
        Where the values come from; an int is a seed.

    Examples
    --------
    >>> bool((abs(glorot_uniform((4, 2), rng=0)) <= 1).all())
    True
    """
    bound = POSITIVE.of("init", "gain", gain) * math.sqrt(6 / sum(fan_in_and_fan_out(shape)))
    return uniform(shape, low=-bound, high=bound, dtype=dtype, rng=rng)


def glorot_normal(
    shape: tuple[int, ...], *, gain: float = 1.0, dtype: DTypeLike = np.float64, rng: Rng = None
) -> NDArray[Any]:
    """Normal with the variance of `glorot_uniform`, whose parameters it has.

    Glorot and Bengio (2010), equation 12; PyTorch's ``xavier_normal_``. Not truncated, unlike
    Keras's.
    """
    std = POSITIVE.of("init", "gain", gain) * math.sqrt(2 / sum(fan_in_and_fan_out(shape)))
    return normal(shape, std=std, dtype=dtype, rng=rng)


def he_uniform(
    shape: tuple[int, ...],
    *,
    gain: float = math.sqrt(2),
    dtype: DTypeLike = np.float64,
    rng: Rng = None,
) -> NDArray[Any]:
    """Uniform in ± gain·√(3/fan_in), for rectifiers; the variance is gain²/fan_in.

    He, Zhang, Ren and Sun (2015), *Delving Deep into Rectifiers*, equation 10; PyTorch's
    ``kaiming_uniform_``. Other parameters as in `glorot_uniform`.
    """
    bound = POSITIVE.of("init", "gain", gain) * math.sqrt(3 / fan_in_and_fan_out(shape)[0])
    return uniform(shape, low=-bound, high=bound, dtype=dtype, rng=rng)


def he_normal(
    shape: tuple[int, ...],
    *,
    gain: float = math.sqrt(2),
    dtype: DTypeLike = np.float64,
    rng: Rng = None,
) -> NDArray[Any]:
    """Normal with the variance of `he_uniform`; PyTorch's ``kaiming_normal_``, not truncated."""
    std = POSITIVE.of("init", "gain", gain) / math.sqrt(fan_in_and_fan_out(shape)[0])
    return normal(shape, std=std, dtype=dtype, rng=rng)


def lecun_uniform(
    shape: tuple[int, ...], *, gain: float = 1.0, dtype: DTypeLike = np.float64, rng: Rng = None
) -> NDArray[Any]:
    """Uniform in ± gain·√(3/fan_in); the variance is gain²/fan_in.

    LeCun, Bottou, Orr and Müller (1998), *Efficient BackProp*, equation 16. Other parameters as in
    `glorot_uniform`.
    """
    return he_uniform(shape, gain=gain, dtype=dtype, rng=rng)


def lecun_normal(
    shape: tuple[int, ...], *, gain: float = 1.0, dtype: DTypeLike = np.float64, rng: Rng = None
) -> NDArray[Any]:
    """Normal with the variance of `lecun_uniform`, not truncated."""
    return he_normal(shape, gain=gain, dtype=dtype, rng=rng)


def orthogonal(
    shape: tuple[int, ...], *, gain: float = 1.0, dtype: DTypeLike = np.float64, rng: Rng = None
) -> NDArray[Any]:
    """gain times a matrix with orthonormal rows or columns, whichever are fewer.

    All such matrices are equally likely: the QR decomposition of a normal matrix, where the signs
    of R's diagonal are moved into Q (Mezzadri 2007, *How to generate random matrices from the
    classical compact groups*). Saxe, McClelland and Ganguli (2014), *Exact solutions to the
    nonlinear dynamics of learning in deep linear neural networks*; PyTorch's ``orthogonal_``.

    Parameters
    ----------
    shape : tuple of int
        At least two axes; all but the first count as one, so that a kernel of shape
        (out, in, kh, kw) is a matrix (out, in·kh·kw).
    gain, dtype, rng
        As in `glorot_uniform`.

    Examples
    --------
    >>> W = orthogonal((3, 2), rng=0)
    >>> (abs(W.T @ W - np.eye(2)) < 1e-15).all()
    np.True_
    """
    fan_in_and_fan_out(shape)
    rows, columns = shape[0], math.prod(shape[1:])
    normals = normal((max(rows, columns), min(rows, columns)), rng=rng)
    Q, R = np.linalg.qr(normals)
    Q = Q * np.where(np.diag(R) < 0, -1.0, 1.0)
    W = Q if rows >= columns else Q.T
    return _as_float(POSITIVE.of("init", "gain", gain) * W.reshape(shape), dtype)


def zeros(shape: Shape, *, dtype: DTypeLike = np.float64, rng: Rng = None) -> NDArray[Any]:
    """Zeros; `rng` is not used, and is there so that initialisers can stand for each other."""
    return constant(shape, 0.0, dtype=dtype)


def constant(
    shape: Shape, value: float, *, dtype: DTypeLike = np.float64, rng: Rng = None
) -> NDArray[Any]:
    """`value` everywhere; `rng` is not used."""
    return _as_float(np.full(_checked_shape(shape), value), dtype)


def _checked_shape(shape: Shape) -> tuple[int, ...]:
    sizes = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
    if not all(isinstance(size, int | np.integer) and size >= 0 for size in sizes):
        raise ValueError(f"a shape is a whole number or a tuple of them, got {shape!r}")
    return tuple(map(int, sizes))


def _as_float(values: NDArray[Any], dtype: DTypeLike) -> NDArray[Any]:
    return values.astype(FLOATING.of("init", "dtype", dtype))


public(globals(), "nnlite.init", own=True)
