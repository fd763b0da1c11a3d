"""The chain rule, vertex by vertex, as one does it by hand (seminar 3, *Back Propagation*)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np

from nnlite.core.backpropagation import contributions
from nnlite.core.node import Constant, Node
from nnlite.core.restoring import each, restoring
from nnlite.core.text import Line, Table, entries, number


class Term(NamedTuple):
    """What one child adds to a vertex's gradient.

    Attributes
    ----------
    child : str
        v, the child's name.
    contribution : ndarray or scalar
        ∂f/∂v · ∂v/∂u, of u's shape, from the child's own ``backward``.
    child_grad : ndarray or scalar
        ∂f/∂v.
    factor : ndarray, scalar or None
        ∂v/∂u where both have one element, else None.
    """

    child: str
    contribution: Any
    child_grad: Any
    factor: Any


class ChainRule(NamedTuple):
    """The chain rule at one vertex u.

    Attributes
    ----------
    name : str
    value : ndarray or scalar
        u.
    grad : ndarray or scalar
        ∂f/∂u of the last backward pass alone; a parameter's own adds up over passes.
    seed : ndarray, scalar or None
        What back propagation started with, at an output.
    terms : tuple of Term
        One for each child.
    """

    name: str
    value: Any
    grad: Any
    seed: Any
    terms: tuple[Term, ...]


class Explanation(Table, list[ChainRule]):
    """The rows, from the output to the inputs; ``print`` and a notebook show them as a table."""

    def __init__(self, rows: Sequence[ChainRule], without: Sequence[str]) -> None:
        super().__init__(rows)
        self.without = tuple(without)

    def __getitem__(self, which: Any) -> Any:
        """The row of a name, or at a position."""
        if not isinstance(which, str):
            return super().__getitem__(which)
        for row in self:
            if row.name == which:
                return row
        raise KeyError(f"no row {which!r}; there are {', '.join(row.name for row in self)}")

    def __str__(self) -> str:
        return f"{super().__str__()}\n{self._remark()}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"{super()._repr_html_()}<p>{escape(self._remark())}</p>"

    def _cells(self) -> tuple[Line, list[Line]]:
        return HEAD, list(map(_cells, self))

    def _remark(self) -> str:
        f = " + ".join(
            row.name
            if np.size(row.seed) == 1 and row.seed == 1
            else f"⟨{entries(row.seed)}, {row.name}⟩"
            for row in reversed(self)
            if row.seed is not None
        )
        names = ", ".join(self.without)
        return f"f = {f}." + (f" No gradient was asked for: {names}." if names else "")


HEAD = ("vertex u", "value", "∂f/∂u = Σ ∂f/∂child · ∂child/∂u", "in numbers")


def explanation(names: Mapping[Node, str], outputs: Sequence[Node]) -> Explanation:
    """What the graph of these vertices, parents before children, did in its backward pass."""
    terms: dict[Node, list[Term]] = defaultdict(list)
    rows, without, ends = [], [], set(outputs)
    for node in reversed(list(names)):
        if node.grad is None:
            if not isinstance(node, Constant):
                without.append(names[node])
            continue
        rows.append(_row(names[node], node, node in ends, terms.pop(node, [])))
        if node.module is not None:
            for parent, contribution in _contributions(node, node.grad).items():
                factor = None
                if np.size(node.value) == np.size(contribution) == 1:
                    with np.errstate(all="ignore"):  # there may be no ∂v/∂u where ∂f/∂v is 0
                        factor = _contributions(node, np.ones_like(node.grad))[parent]
                terms[parent].append(Term(names[node], contribution, node.grad, factor))
    return Explanation(rows, without[::-1])


def _row(name: str, node: Node, is_output: bool, terms: list[Term]) -> ChainRule:
    total = sum([term.contribution for term in terms[1:]], terms[0].contribution) if terms else None
    if not is_output:
        return ChainRule(name, node.value, total, None, tuple(terms))
    seed = node.grad if total is None else node.grad - total
    return ChainRule(name, node.value, node.grad, seed, tuple(terms))


def _contributions(vertex: Node, grad: Any) -> dict[Node, Any]:
    """What the backward pass of one vertex hands to each vertex that feeds it."""
    found: dict[Node, Any] = {}
    with restoring(each((vertex, *vertex.parameters), "grad")):
        for parameter in vertex.parameters:
            parameter.grad = None
        vertex.grad = grad
        handed = contributions(vertex)
        owned = [(parameter, parameter.grad) for parameter in vertex.parameters]
    for fed, contribution in (*handed, *owned):
        if contribution is not None:
            found[fed] = contribution if fed not in found else found[fed] + contribution
    return found


def _cells(row: ChainRule) -> tuple[str, str, str, str]:
    shape = f" {np.shape(row.value)}".replace(",)", ")") if np.size(row.value) > 1 else ""
    formulas = [f"∂f/∂{term.child} · ∂{term.child}/∂{row.name}" for term in row.terms]
    numbers = [_product(term) for term in row.terms]
    if row.seed is not None:
        formulas.insert(0, entries(row.seed))
        numbers.insert(0, entries(row.seed))
    is_worked_out = bool(row.terms) and (len(numbers) > 1 or row.terms[0].factor is not None)
    if is_worked_out:
        numbers.append(entries(row.grad))
    joined = "\n+ ".join(numbers[: len(formulas)])
    if is_worked_out:
        joined += f"\n= {numbers[-1]}" if len(formulas) > 1 else f" = {numbers[-1]}"
    return row.name, entries(row.value) + shape, "\n+ ".join(formulas), joined


def _product(term: Term) -> str:
    if term.factor is None:
        return entries(term.contribution)
    factors = [number(term.child_grad), number(term.factor)]
    return " · ".join(f"({factor})" if factor[0] == "−" else factor for factor in factors)
