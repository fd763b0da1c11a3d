"""Cross entropies: losses of predicted probabilities, averaged over the batch."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from nnlite.core.arguments import FROM_0_TO_1, Checked, unexpected
from nnlite.core.module import Module
from nnlite.core.primitives.checked import checked
from nnlite.core.primitives.logistic import sigmoid
from nnlite.core.value import Value
from nnlite.layers.losses import as_targets
from nnlite.layers.softmax import log_softmax, shifted


class BCE(Module, of="nnlite"):
    """The mean of −t log y − (1 − t) log(1 − y): binary cross entropy of probabilities y.

    Notes
    -----
    Shapes, dtypes and errors are as in `MSE`, and y or t outside of [0, 1] is a ValueError. As in
    PyTorch the logarithms are at least −100, so that the loss is finite for y = 0 and y = 1. The
    derivative is the one of that formula: 0 in a term that is cut off there, where PyTorch has a
    gradient of up to 1e12. `BCEWithLogits` needs no such cut and is the better choice.

    Examples
    --------
    >>> float(BCE()(np.array([0.0, 0.0]), np.array([0.0, 1.0])))
    50.0
    """

    def forward(self, y: Any, t: Any) -> Any:
        t = checked(self._check_targets, as_targets(self, y, t))
        y = checked(self._check_probabilities, y)
        log_y, log_rest = _cut_log(y), _cut_log(1 - y)
        self.save_for_backward(y, t, log_y, log_rest)
        return -np.mean(t * log_y + (1 - t) * log_rest)

    def backward(self, grad: Any) -> Any:
        """∂f/∂y = ḡ ((1 − t)/(1 − y) − t/y)/m and ∂f/∂t = ḡ (log(1 − y) − log y)/m."""
        y, t, log_y, log_rest = self.saved
        needs_y, needs_t = self.needs_input_grad
        share = grad * (1 / y.size)
        dy = (1 - t) * _cut_inverse(1 - y, log_rest) - t * _cut_inverse(y, log_y)
        return share * dy if needs_y else None, share * (log_rest - log_y) if needs_t else None

    def _check_targets(self, t: Any) -> None:
        if not np.all((t >= 0) & (t <= 1)):
            raise ValueError(
                f"{self!r}: the targets t are from 0 to 1, got some from {np.min(t)} to "
                f"{np.max(t)}; are the classes −1 and 1? Pass (t + 1) / 2"
            )

    def _check_probabilities(self, y: Any) -> None:
        if not np.all((y >= 0) & (y <= 1)):
            raise ValueError(
                f"{self!r}: y are probabilities, from 0 to 1, got some from {np.min(y)} to "
                f"{np.max(y)}; are they logits? Then use BCEWithLogits"
            )


class BCEWithLogits(Module, of="nnlite"):
    """Binary cross entropy of σ(z) for logits z: the mean of (1 − t) s(z) + p t s(−z).

    s(z) = log(1 + exp(z)) is −log(1 − σ(z)), and no digits are lost at any z.

    Parameters
    ----------
    pos_weight : float or array, optional
        p, a weight of the positive class, broadcast against z; 1 if left out.

    Notes
    -----
    Shapes, dtypes and errors are as in `MSE`. ∂/∂z = ((1 − t) σ(z) − p t σ(−z))/m with m elements,
    ∂/∂t = (p s(−z) − s(z))/m. Unlike in PyTorch ``pos_weight`` is no part of ``state_dict()``.

    Examples
    --------
    >>> float(BCEWithLogits()(np.array([1000.0, 1000.0]), np.array([0.0, 1.0])))
    500.0
    """

    def __init__(self, pos_weight: Any = None, *arguments: Any) -> None:
        self.pos_weight = None if pos_weight is None else weights(self, "pos_weight", pos_weight)
        super().__init__(*arguments)

    def forward(self, z: Any, t: Any) -> Any:
        t = as_targets(self, z, t)
        positive = t if self.pos_weight is None else t * self._weight(z)
        self.save_for_backward(z, t, positive)
        return np.mean((1 - t) * np.logaddexp(0, z) + positive * np.logaddexp(0, -z))

    def backward(self, grad: Any) -> Any:
        """∂f/∂z = ḡ ((1 − t) σ(z) − p t σ(−z))/m and ∂f/∂t = ḡ (p s(−z) − s(z))/m."""
        z, t, positive = self.saved
        share = grad * (1 / z.size)
        dz = dt = None
        if self.needs_input_grad[0]:
            dz = share * ((1 - t) * sigmoid(z) - positive * sigmoid(-z))
        if self.needs_input_grad[1]:
            p = 1 if self.pos_weight is None else self._weight(z)
            dt = share * (p * np.logaddexp(0, -z) - np.logaddexp(0, z))
        return dz, dt

    def _weight(self, z: Any) -> Any:
        assert self.pos_weight is not None
        if isinstance(self.pos_weight, float):
            return self.pos_weight
        p = self.pos_weight.astype(z.dtype)
        if p.shape != z.shape[z.ndim - p.ndim :]:
            raise ValueError(
                f"{self!r}: pos_weight has shape {p.shape}, which does not fit z of shape {z.shape}"
            )
        return p


class CrossEntropy(Module, of="nnlite"):
    """The mean of −log softmax(z) at the true classes, for logits z.

    Parameters
    ----------
    weight : array of (classes,), optional
        w, a weight for each class; 1 if left out.
    label_smoothing : float
        ε, from 0 to 1: the share of the target that is spread evenly over all classes.

    Notes
    -----
    Shapes: z (batch, classes), t (batch,) of integers from 0 to classes − 1; the result is a
    scalar of z's dtype. With the target q_ic = w_c ((1 − ε) [c = t_i] + ε/classes) it is
    −Σ q log softmax(z) / W, where W = Σ w_t over the batch, and
    ∂/∂z_i = (softmax(z_i) Σ_c q_ic − q_i)/W. t has no gradient. As in PyTorch, but for
    ``ignore_index`` and targets that are probabilities, which are not there, and for ``weight``,
    which is no part of ``state_dict()``.

    Raises
    ------
    ValueError
        If the shapes do not fit, a label is no class, or the batch is empty.
    TypeError
        If z are not floats or t not integers.

    Examples
    --------
    >>> float(CrossEntropy()(np.array([[1000.0, 0.0], [0.0, 1000.0]]), np.array([0, 0])))
    500.0
    """

    label_smoothing = Checked(FROM_0_TO_1)

    def __init__(self, weight: Any = None, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.weight = None if weight is None else weights(self, "weight", weight)
        if isinstance(self.weight, float):
            raise ValueError("CrossEntropy: weight is one number a class, an array of (classes,)")
        self.label_smoothing = label_smoothing

    def forward(self, z: Any, t: Any) -> Any:
        self._check(z, t)
        batch, classes = z.shape
        column = checked(partial(self._check_labels, classes), t, below=classes)[:, None]
        log_y = log_softmax(shifted(self, z, 1), 1)
        if self.weight is None and not self.label_smoothing:
            self.save_for_backward(log_y, column == np.arange(classes), None)
            return -np.sum(np.take_along_axis(log_y, column, axis=1)) / batch
        q, total = self._targets(column, z)
        self.save_for_backward(log_y, q, total)
        return -np.sum(q * np.where(q > 0, log_y, 0)) / total

    def backward(self, grad: Any) -> Any:
        """∂f/∂z_i = ḡ (softmax(z_i) Σ_c q_ic − q_i)/W; the labels have none."""
        log_y, q, total = self.saved
        shares = np.exp(log_y)
        if total is None:
            return grad / q.shape[0] * (shares - q), None
        return grad / total * (shares * np.sum(q, axis=1, keepdims=True) - q), None

    def _targets(self, column: Any, z: Any) -> tuple[Any, Any]:
        """q and W."""
        batch, classes = z.shape
        q = (column == np.arange(classes)).astype(z.dtype)
        total: Any = batch
        even: Any = self.label_smoothing / classes
        if self.weight is not None:
            w = self.weight.astype(z.dtype)
            q, even = q * w, even * w
            total = np.sum(q)
        return (1 - self.label_smoothing) * q + even, total

    def _check(self, z: Any, t: Any) -> None:
        if z.dtype.kind != "f":
            raise TypeError(f"{self!r}: z are floats, got dtype {z.dtype}; are z and t exchanged?")
        if z.ndim != 2:
            message = f"{self!r}: expected logits z of shape (batch, classes), got {z.shape}"
            if z.ndim == 1:
                message += "; is the batch axis missing? For one sample pass z[None] and t[None]"
            raise ValueError(message)
        if z.shape[0] == 0:
            raise ValueError(f"{self!r}: the batch is empty, z has shape {z.shape}")
        if t.shape != z.shape[:1]:
            message = f"{self!r}: expected labels t of shape {z.shape[:1]}, got {t.shape}"
            if t.shape == z.shape:
                message += "; are they one-hot? Then pass t.argmax(axis=1)"
            elif t.shape == (z.shape[0], 1):
                message += "; pass t[:, 0]"
            elif t.shape == z.shape[1:]:
                message += "; is z transposed? Rows are samples: pass z.T"
            raise ValueError(message)
        if t.dtype.kind not in "iu":
            raise TypeError(
                f"{self!r}: labels t are integers, got dtype {t.dtype}; pass t.astype(int)"
            )
        if self.weight is not None and self.weight.shape != z.shape[1:]:
            raise ValueError(
                f"{self!r}: weight is for {self.weight.size} classes, and z of shape {z.shape} "
                f"has {z.shape[1]}"
            )

    def _check_labels(self, classes: int, t: Any) -> None:
        unsigned = t.view(f"u{t.itemsize}")  # in which what is below 0 is too large as well
        if np.maximum.reduce(unsigned) >= classes:
            wrong = t[(t < 0) | (t >= classes)]
            raise ValueError(
                f"{self!r}: a label is from 0 to {classes - 1}, got {wrong[0]}; z of shape "
                f"{(t.size, classes)} has {classes} classes"
            )


def weights(loss: Module, name: str, given: Any) -> Any:
    """Weights of classes: a float, or an array of them, finite and at least 0."""
    expected = "a finite number of at least 0, or an array of them"
    if isinstance(given, Value) or (isinstance(given, np.ndarray) and given.ndim > 1):
        raise TypeError(unexpected(loss, name, given, expected))
    array = np.array(given, dtype=np.float64)
    if not np.all(np.isfinite(array) & (array >= 0)):
        raise ValueError(f"{type(loss).__name__}: {name} is {expected}, got {given!r}")
    return array if array.ndim else float(array)


def _cut_log(y: Any) -> Any:
    """log y, and −100 where it is less or y = 0."""
    return np.where(y > 0, np.maximum(-100, np.log(np.where(y > 0, y, 1))), -100)


def _cut_inverse(y: Any, log_y: Any) -> Any:
    """The derivative of `_cut_log`."""
    inside = log_y > -100
    return np.where(inside, 1 / np.where(inside, y, 1), 0)
