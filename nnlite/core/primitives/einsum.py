"""``einsum``: sums of products over labelled axes.

It is linear in each operand, so the product rule gives its tangent from the function itself. The
gradient of an operand is an einsum again, of ḡ and the other operands; its result is labelled as
the operand.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnlite.core.primitives.base import Primitive, refuse_given, total
from nnlite.core.primitives.linalg import refuse_complex
from nnlite.core.rules import rule
from nnlite.core.value import as_array

LETTERS = string.ascii_uppercase + string.ascii_lowercase


class Einsum(Primitive):
    """Σ over the labels that the result does not have.

    Parameters
    ----------
    subscripts : str
        As in ``np.einsum``; the result's labels and ellipses may be left out as there.
    optimize
        Passed through. A path given for the function does not fit its gradients, which then find
        their own.
    """

    def __init__(self, subscripts: str, optimize: Any = False) -> None:
        self.subscripts = subscripts
        self.optimize = optimize

    def forward(self, *operands: Any) -> Any:
        operands = tuple([as_array(operand) for operand in operands])
        self.save_for_backward(*operands)
        y = np.einsum(self.subscripts, *operands, optimize=self.optimize)
        refuse_complex(self, y)
        return y

    def jvp(self, *tangents: Any) -> Any:
        operands = self.saved

        def with_tangent(k: int) -> Any:
            replaced = (*operands[:k], tangents[k], *operands[k + 1 :])
            return np.einsum(self.subscripts, *replaced, optimize=self.optimize)

        return total([with_tangent(k) for k, t in enumerate(tangents) if t is not None])

    def backward(self, grad: Any) -> Any:
        operands = self.saved
        *labels, output = spelled_out(self.subscripts, [x.ndim for x in operands])
        return tuple(
            [
                self._gradient(
                    labels[k],
                    operands[k].shape,
                    [output, *labels[:k], *labels[k + 1 :]],
                    [grad, *operands[:k], *operands[k + 1 :]],
                )
                if needed
                else None
                for k, needed in enumerate(self.needs_input_grad)
            ]
        )

    def _gradient(
        self, labels: str, shape: tuple[int, ...], other_labels: list[str], others: list[Any]
    ) -> Any:
        """The gradient of an operand, from that of the result and the other operands.

        Where the operand alone has a label, or others have it with length 1 only, the gradient
        is the same along that axis; where the operand has length 1 and others do not, it is a sum.
        """
        sizes = dict(zip(labels, shape))
        known = {
            label: n
            for operand, names in zip(others, other_labels)
            for label, n in zip(names, operand.shape)
            if n != 1
        }
        common = "".join([label for label in sizes if sizes[label] == known.get(label)])
        formula = f"{','.join(other_labels)}->{common}"
        grad = np.einsum(formula, *others, optimize=bool(self.optimize))
        if len(common) < len(sizes):
            grad = np.reshape(grad, [n if label in common else 1 for label, n in sizes.items()])
            grad = np.broadcast_to(grad, tuple(sizes.values()))
        return grad if len(sizes) == len(labels) else _on_diagonal(grad, "".join(sizes), labels)


def _on_diagonal(grad: Any, unique: str, labels: str) -> Any:
    """The array of axes `labels` that is `grad` where axes of equal labels agree, else 0."""
    unused = [letter for letter in LETTERS if letter not in unique]
    distinct, identities, names = "", [], []
    for position, label in enumerate(labels):
        if label in labels[:position]:
            n = grad.shape[unique.index(label)]
            identities.append(np.eye(n, dtype=grad.dtype))
            names.append(label + unused[0])
            label = unused.pop(0)
        distinct += label
    return np.einsum(f"{','.join([unique, *names])}->{distinct}", grad, *identities)


def spelled_out(subscripts: str, ndims: Sequence[int]) -> list[str]:
    """The labels of each operand and of the result, with letters in place of ellipses.

    Examples
    --------
    >>> spelled_out("...ij,jk", [3, 2])
    ['Aij', 'jk', 'Aik']
    """
    left, arrow, output = subscripts.replace(" ", "").partition("->")
    operands = left.split(",")
    if not arrow:
        once = sorted(label for label in set(left) if label.isalpha() and left.count(label) == 1)
        output = ("..." if "." in left else "") + "".join(once)
    widths = [ndim - len(labels.replace("...", "")) for labels, ndim in zip(operands, ndims)]
    unused = [letter for letter in LETTERS if letter not in left]
    dots = "".join(unused[: max(widths)])
    spelled = [
        labels.replace("...", dots[len(dots) - width :]) for labels, width in zip(operands, widths)
    ]
    return [*spelled, output.replace("...", dots)]


@rule(np.einsum)
def einsum(*operands: Any, optimize: Any = False, out: Any = None, **unsupported: Any) -> Any:
    """`Einsum`, in either of NumPy's two forms of writing the labels."""
    refuse_given("np.einsum", unsupported, out=out)
    subscripts, *arrays = operands
    if not isinstance(subscripts, str):
        labels = [_letters(names) for names in operands[1::2]]
        output = f"->{_letters(operands[-1])}" if len(operands) % 2 else ""
        subscripts, arrays = ",".join(labels) + output, list(operands[: 2 * len(labels) : 2])
    return Einsum(subscripts, optimize)(*arrays)


def _letters(names: Sequence[Any]) -> str:
    """Letters for a list of numbers and Ellipsis; their order is that of the numbers."""
    return "".join(["..." if name is Ellipsis else LETTERS[name] for name in names])
