"""Module: parameters, and the rules for a vertex's own forward and backward pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnlite.core.guard import guarded_backward, guarded_forward, protected, saved_arrays
from nnlite.core.node import Node
from nnlite.core.recording import Recording
from nnlite.core.signature import Signature, called
from nnlite.core.slips import NO_ARRAY, with_slip
from nnlite.core.summary import Summary, of_modules, of_run
from nnlite.core.tree import Tree
from nnlite.core.value import Value, highest, is_float


class Module(Tree):
    """A vertex that can do its own forward and backward pass.

    A subclass defines ``forward(*inputs)``, from arrays to an array, and ``backward(grad)``, from
    ∂f/∂output to ∂f/∂input for each input of ``forward`` in the same order: a single array where
    there is one input, None where an input has no derivative. ``backward`` adds to the gradients
    of the module's own parameters with `Parameter.accumulate_grad`. What it needs from
    ``forward`` is kept with `save_for_backward`.

    A subclass may also define ``forward`` alone (a composite), of other modules and NumPy
    functions; its gradient then follows from the graph that ``forward`` records. A subclass that
    replaces ``forward`` but not the ``backward`` it inherits is a composite too: the inherited
    one belongs to another formula.

    Called on arrays, a module gives an array; called on nodes, it gives a node, and the graph has
    grown by one vertex. A module, and a graph of it, belong to one thread at a time.

    Attributes
    ----------
    training : bool
        Set by `train` and `eval`.
    buffers : tuple of str
        Names of attributes, arrays, that belong to the module's state without being trained, such
        as running means. ``backward`` must not read them.

    Examples
    --------
    >>> class Double(Module):
    ...     def forward(self, x):
    ...         return 2 * x
    ...     def backward(self, grad):
    ...         return 2 * grad
    >>> double = Double()
    >>> double(np.array([1.0, 2.0]))
    array([2., 4.])
    >>> double.backward(np.array([1.0, 1.0]))
    array([2., 2.])
    """

    jvp: Callable[..., Any] | None = None
    __signature__ = Signature()

    _forward_at: Callable[..., Any]
    _recorded_at: Callable[..., Any]
    _backward_at: Callable[..., Any]
    _is_ours = True  # nnlite's own, which the tests hold to keeping nothing on itself
    _is_composite = True
    _is_differentiable = True
    _is_modal = False  # what it does may depend on `training`
    _is_rule = False  # of a NumPy function, by nn.rule
    _is_watched = True  # by whoever runs a record of its passes again
    _vertex: Node | None = None
    _calls = 0  # on arrays
    _by_hand = False  # within the forward of a module that will also call this one's backward

    def __init__(self, *arguments: Any) -> None:
        if arguments:
            name = type(self).__name__
            raise TypeError(
                f"{name}() got {len(arguments)} argument(s) too many; was a second set of "
                f"parentheses forgotten, as in {name}()(x)?"
            )

    def __init_subclass__(cls, *, of: str = "", **kwargs: Any) -> None:
        """Choose how the passes of this class run.

        Parameters
        ----------
        of : str
            For nnlite's own: where users import the class from.
        """
        super().__init_subclass__(**kwargs)
        forward, backward, jvp = (_depth(cls, name) for name in ("forward", "backward", "jvp"))
        cls._is_composite = forward < backward or cls.backward is Module.backward
        if cls._is_composite:
            cls.backward = Module.backward
        if forward < jvp:
            cls.jvp = None
        cls._is_ours = bool(of)
        cls.__module__ = of or cls.__module__
        cls._is_modal |= not cls._is_ours
        is_plain = cls._is_ours and not cls.buffers
        is_guarded = not (cls._is_ours or cls._is_composite)
        cls._forward_at = Module._plain_forward if is_plain else Module._buffered_forward
        cls._backward_at = guarded_backward if is_guarded else Module._plain_backward
        cls._recorded_at = cls._composed_forward if cls._is_composite else cls._forward_at

    def _no_forward(self, *inputs: Any) -> Any:
        """The value of the module, in NumPy code: of arrays, and so of duals and vertices, too."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(self, ...); define it")

    def _backward_of_composite(self, grad: Any = None) -> Any:
        """Back propagation through what ``forward`` of this composite recorded.

        Parameters
        ----------
        grad : array_like, optional
            ∂f/∂output, of the output's shape; may be left out where that has one element.

        Returns
        -------
        array, None, or a tuple of them
            ∂f/∂input for each input of ``forward``; the parameters accumulate theirs.
        """
        (recording,) = self.saved
        grads = recording.pull_back(grad)
        return grads[0] if len(grads) == 1 else grads

    forward: Callable[..., Any] = _no_forward
    backward: Callable[..., Any] = _backward_of_composite

    def __call__(self, *inputs: Any) -> Any:
        top, inputs = highest(inputs, self.parameters())
        if top is not None and not self._by_hand:
            return top._apply(self, inputs)
        inputs = tuple([np.asarray(x)[()] if isinstance(x, int | float) else x for x in inputs])
        for item in inputs:
            if not hasattr(item, "dtype"):
                raise TypeError(f"{self!r}: expected an array, got {type(item).__name__}")
        vertex = Node._alone(tuple([is_float(item) for item in inputs]))
        self._calls += 1
        output = self._recorded_at(vertex, inputs)
        self._vertex = vertex
        return output

    def at(self, vertex: Node) -> _At:
        """Let `saved`, `save_for_backward` and `needs_input_grad` be those of a vertex."""
        return _At(self, vertex)

    def _plain_forward(self, vertex: Node, values: Sequence[Any]) -> Any:
        """``forward`` on `values`; what it saves belongs to `vertex`."""
        outer, self._vertex = self._vertex, vertex  # `at`, without its costs
        try:
            return self.forward(*values)
        finally:
            self._vertex = outer

    def _buffered_forward(self, vertex: Node, values: Sequence[Any]) -> Any:
        """The same of a module with buffers, which a derivative leaves as they are."""
        buffers = [(name, getattr(self, name)) for name in self.buffers]
        is_guarded = not (self._is_ours or self._is_composite)
        try:
            return (guarded_forward if is_guarded else Module._plain_forward)(self, vertex, values)
        finally:
            for name, before in buffers:
                after = getattr(self, name)
                if isinstance(after, Value) and after is not before:
                    setattr(self, name, before)
                    if isinstance(after, Node) and after._recording is not None:
                        after._recording.updates.append((self, name, after))

    def _composed_forward(self, vertex: Node, values: Sequence[Any]) -> Any:
        """``forward`` of a composite, recorded at `vertex`, so that there is a way back."""
        try:
            with self.at(Node._alone()):
                parameters = self.parameters()
                recording = Recording(self.forward, values, vertex._needs_input_grad, parameters)
        finally:
            for name in self.buffers:
                if isinstance(getattr(self, name), Node):
                    setattr(self, name, getattr(self, name).value)
        if isinstance(recording.value, tuple):
            raise with_slip(
                TypeError(
                    f"{type(self).__name__}.forward returned {len(recording.value)} results; a "
                    "module has one output: return an array, or make a module for each"
                ),
                NO_ARRAY,
            )
        own = set(parameters)
        foreign = [parameter for parameter in recording.foreign if parameter not in own]
        if foreign:
            raise RuntimeError(
                f"{type(self).__name__}.forward uses {foreign[0]!r}, which is not among "
                "self.parameters(), so it would not be trained: make it, or the module it belongs "
                "to, an attribute of this module, or use its .value outside of any module"
            )
        vertex._saved = (recording,)
        return recording.value

    def _plain_backward(self, vertex: Node) -> Any:
        """``backward`` at a vertex, of the gradient that is there."""
        outer, self._vertex = self._vertex, vertex  # `at`, without its costs
        try:
            return self.backward(vertex.grad)
        finally:
            self._vertex = outer

    def save_for_backward(self, *values: Any) -> None:
        """Keep values for ``backward``; they belong to the vertex, not to the module."""
        vertex = self._vertex
        if vertex is None:
            raise self._never_ran()
        vertex._saved = values
        if not self._is_ours:
            vertex._saved = tuple(map(protected, values))
            vertex._fingerprint = saved_arrays(vertex)

    @property
    def saved(self) -> tuple[Any, ...]:
        """What ``forward`` saved at the vertex whose ``backward`` runs."""
        if self._vertex is None:
            raise self._never_ran()
        saved: tuple[Any, ...] | None = self._vertex._saved
        if saved is None:
            raise with_slip(
                RuntimeError(
                    f"{type(self).__name__}.forward saved nothing: in forward, keep what backward "
                    "needs with self.save_for_backward(...)"
                ),
                "self.save_for_backward(...) was forgotten in forward",
            )
        return saved

    @property
    def needs_input_grad(self) -> tuple[bool, ...]:
        """False where nobody wants the gradient of that input, so that the work can be skipped."""
        if self._vertex is None:
            raise self._never_ran()
        return self._vertex._needs_input_grad

    def _never_ran(self) -> RuntimeError:
        name = type(self).__name__
        return RuntimeError(
            f"{name} has not been called yet: call it, as in y = {name.lower()}(x), and not its "
            "forward; backward comes after that"
        )

    @property
    def label(self) -> str:
        """What a graph calls a vertex of this module that has no name."""
        return type(self).__name__.lower()

    def summary(self, *inputs: Any) -> Summary:
        """A table: name, module, output shape, parameters, stored bytes.

        Parameters
        ----------
        *inputs : array_like, optional
            What to run on, for the shapes and bytes of each vertex; without inputs the table has
            the modules alone.
        """
        return of_run(self, inputs) if inputs else of_modules(self)

    def __repr__(self) -> str:
        return called(self)


class _At:
    """A ``with`` in which a module is at a vertex; afterwards it is again where it was."""

    __slots__ = ("module", "outer", "vertex")

    def __init__(self, module: Module, vertex: Node) -> None:
        self.module, self.vertex = module, vertex

    def __enter__(self) -> None:
        self.outer, self.module._vertex = self.module._vertex, self.vertex

    def __exit__(self, *error: object) -> None:
        self.module._vertex = self.outer


def _depth(cls: type, name: str) -> int:
    """How far up the classes that `cls` inherits from `name` is defined."""
    return next(depth for depth, parent in enumerate(cls.__mro__) if name in vars(parent))
