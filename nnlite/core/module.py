"""Module: parameters, and the rules for a vertex's own forward and backward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nnlite.core.guard import INTERNAL, attributes, protected, saved_arrays
from nnlite.core.names import names_of
from nnlite.core.node import Node, Parameter, shape_and_dtype
from nnlite.core.recording import Recording
from nnlite.core.summary import Row, Summary, summarise
from nnlite.core.value import Value, highest, is_float


class Module:
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

    training = True
    descriptive: tuple[str, ...] = ()  # attributes that a pass reads to word an error, at most
    buffers: tuple[str, ...] = ()
    is_composite = True
    is_differentiable = True
    jvp: Callable[..., Any] | None = None
    is_guarded = True
    is_ours = True  # nnlite's own, which the tests hold to keeping nothing on itself
    is_rule = False  # of a NumPy function, by nn.rule
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
        super().__init_subclass__(**kwargs)
        forward, backward, jvp = (_depth(cls, name) for name in ("forward", "backward", "jvp"))
        if forward < backward or cls.backward is Module.backward:
            cls.is_composite = True
            cls.backward = Module.backward
        else:
            cls.is_composite = False
        cls.is_ours = bool(of)
        cls.__module__ = of or cls.__module__
        cls.is_guarded = not (cls.is_composite or cls.is_ours)
        if forward < jvp:
            cls.jvp = None

    def _no_forward(self, *inputs: Any) -> Any:
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
            return top.apply(self, inputs)
        inputs = tuple([np.asarray(x)[()] if isinstance(x, int | float) else x for x in inputs])
        for item in inputs:
            if not hasattr(item, "dtype"):
                raise TypeError(f"{self!r}: expected an array, got {type(item).__name__}")
        vertex = Node(None, ())
        vertex.needs_input_grad = tuple([is_float(item) for item in inputs])
        self._calls += 1
        output = self.run(vertex, inputs)
        self._vertex = vertex
        return output

    def run(self, vertex: Node, values: Sequence[Any]) -> Any:
        """The module's value at a vertex, ready for ``backward`` there."""
        if not self.is_composite:
            return self.evaluate(vertex, values)
        outer, self._vertex = self._vertex, Node(None, ())
        try:
            recording = Recording(self.forward, values, vertex.needs_input_grad, self.parameters())
        finally:
            self._vertex = outer
            for name in self.buffers:
                if isinstance(getattr(self, name), Node):
                    setattr(self, name, getattr(self, name).value)
        if isinstance(recording.value, tuple):
            raise TypeError(
                f"{type(self).__name__}.forward returned {len(recording.value)} results; a module "
                "has one output: return an array, or make a module for each"
            )
        own = set(self.parameters())
        foreign = [parameter for parameter in recording.foreign if parameter not in own]
        if foreign:
            raise RuntimeError(
                f"{type(self).__name__}.forward uses {foreign[0]!r}, which is not among "
                "self.parameters(), so it would not be trained: make it, or the module it belongs "
                "to, an attribute of this module, or use its .value outside of any module"
            )
        vertex.saved = (recording,)
        return recording.value

    def evaluate(self, vertex: Node, values: Sequence[Any]) -> Any:
        """``forward`` on `values`; what it saves belongs to `vertex`."""
        outer, self._vertex = self._vertex, vertex
        buffers = [(name, getattr(self, name)) for name in self.buffers]
        try:
            if self.is_guarded:
                return self._guarded_forward(vertex, values)
            return self.forward(*values)
        finally:
            self._vertex = outer
            for name, before in buffers:
                after = getattr(self, name)
                if isinstance(after, Value) and after is not before:
                    setattr(self, name, before)  # a derivative is not a training step
                    if isinstance(after, Node) and after.recording is not None:
                        after.recording.updates.append((self, name, after))

    def _guarded_forward(self, vertex: Node, values: Sequence[Any]) -> Any:
        """``forward`` of a module that may write into what it is given, or keep it on itself."""
        inner = self.modules()[1:]
        calls = {module: module._calls for module in inner}
        outer = {module: module._by_hand for module in inner}
        try:
            for module in inner:
                module._by_hand = True
            vertex.saved = vertex.fingerprint = None
            output = self.forward(*[protected(value) for value in values])
            self._check_output(output)
            saved = vertex.fingerprint or saved_arrays(vertex)
            vertex.fingerprint = attributes(self, calls) | saved
            return output
        except ValueError as error:
            if "read-only" in str(error):
                error.add_note(
                    "forward writes into an array that it was given or that it saved; make a new "
                    "one: y = y + b in place of y += b, np.where(mask, a, x) for x[mask] = a"
                )
            raise
        finally:
            for module, by_hand in outer.items():
                module._by_hand = by_hand

    def _check_output(self, output: Any) -> None:
        name = type(self).__name__
        if isinstance(output, Node) and output.level == 0:
            raise TypeError(
                f"{name}.forward was given arrays and returned {output!r}; in a forward that has a "
                "backward, use the value of a parameter: self.weight.value"
            )
        if not isinstance(output, Value | np.ndarray | np.generic | float | int):
            raise TypeError(
                f"{name}.forward returned {type(output).__name__}, not an array"
                + ("; was `return` forgotten?" if output is None else "; a module has one output")
            )

    def save_for_backward(self, *values: Any) -> None:
        """Keep values for ``backward``; they belong to the vertex, not to the module."""
        if self._vertex is None:
            raise self._never_ran()
        self._vertex.saved = values
        if self.is_guarded:
            self._vertex.saved = tuple(map(protected, values))
            self._vertex.fingerprint = saved_arrays(self._vertex)

    @property
    def saved(self) -> tuple[Any, ...]:
        """What ``forward`` saved at the vertex whose ``backward`` runs."""
        if self._vertex is None:
            raise self._never_ran()
        saved: tuple[Any, ...] | None = self._vertex.saved
        if saved is None:
            raise RuntimeError(
                f"{type(self).__name__}.forward saved nothing: in forward, keep what backward "
                "needs with self.save_for_backward(...)"
            )
        return saved

    @property
    def needs_input_grad(self) -> tuple[bool, ...]:
        """False where nobody wants the gradient of that input, so that the work can be skipped."""
        if self._vertex is None:
            raise self._never_ran()
        return self._vertex.needs_input_grad

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

    def __getstate__(self) -> dict[str, Any]:
        """What is copied and pickled: all but the last pass."""
        return {name: item for name, item in vars(self).items() if name != "_vertex"}

    def children(self) -> Iterator[tuple[str, Any]]:
        """The module's attributes and their names: where its parameters and submodules are."""
        return ((name, item) for name, item in vars(self).items() if name not in INTERNAL)

    def named_parameters(self) -> list[tuple[str, Parameter]]:
        """Every parameter of this module and the modules in it, in order of definition.

        Lists, tuples and dicts of modules or parameters count as well. A parameter that stands
        in several places is listed once, under its first name.
        """
        found: dict[Parameter, str] = {}
        for name, item in _tree(self, "", {id(self)}):
            if isinstance(item, Parameter):
                found.setdefault(item, name)
        return [(name, parameter) for parameter, name in found.items()]

    def parameters(self) -> list[Parameter]:
        """The parameters of `named_parameters`, without their names."""
        return [parameter for _, parameter in self.named_parameters()]

    def modules(self) -> list[Module]:
        """This module and every module in it, each once."""
        found = {self: None}
        for _, item in _tree(self, "", {id(self)}):
            if isinstance(item, Module):
                found[item] = None
        return list(found)

    def zero_grad(self) -> None:
        """Forget the gradients that the parameters have accumulated."""
        for parameter in self.parameters():
            parameter.grad = None

    def train(self, mode: bool = True) -> Module:
        """Set `training` of this module and all in it; returns the module itself."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """``train(False)``."""
        return self.train(False)

    def state_dict(self) -> dict[str, np.ndarray]:
        """A copy of every parameter's value and of every buffer, by name."""
        return {name: np.array(getattr(*place)) for name, place in self._state().items()}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None:
        """Set every parameter and buffer to a copy of the array of that name.

        Parameters
        ----------
        state : mapping of str to array
            As from `state_dict`.
        strict : bool
            Whether every name must be there, and no other.

        Raises
        ------
        ValueError
            If a shape or dtype differs or, if `strict`, a name is missing or unexpected; the
            message lists them all, and nothing is changed.
        """
        if not isinstance(state, Mapping):
            raise TypeError(
                f"load_state_dict takes arrays by name, got {type(state).__name__}: pass "
                "np.load(file) or other.state_dict()"
            )
        places = self._state()
        problems = []
        if strict:
            problems += [f"missing: {name}" for name in places if name not in state]
            problems += [f"unexpected: {name}" for name in state if name not in places]
        arrays = {name: np.array(state[name]) for name in places if name in state}
        for name, array in arrays.items():
            old = np.asarray(getattr(*places[name]))
            if (array.shape, array.dtype) != (old.shape, old.dtype):
                problems.append(
                    f"{name}: expected {shape_and_dtype(old)}, got {shape_and_dtype(array)}"
                )
        if problems:
            raise ValueError(
                f"the state does not fit {type(self).__name__}; " + "; ".join(problems)
            )
        for name, array in arrays.items():
            setattr(*places[name], array)

    def _state(self) -> dict[str, tuple[Any, str]]:
        """Where each array of the state is kept: an object and the name of its attribute."""
        found: dict[str, tuple[Any, str]] = {
            name: (parameter, "value") for name, parameter in self.named_parameters()
        }
        for path, module in (("", self), *_tree(self, "", {id(self)})):
            if isinstance(module, Module):
                for name in module.buffers:
                    found[f"{path}.{name}".lstrip(".")] = (module, name)
        return found

    def summary(self, *inputs: Any) -> Summary:
        """A table: name, module, output shape, parameters, stored bytes.

        Parameters
        ----------
        *inputs : array_like, optional
            What to run on, for the shapes and bytes of each vertex; without inputs the table has
            the modules alone.
        """
        if not inputs:
            return Summary(
                Row(path, repr(module), None, sum(p.size for p in module.parameters()), 0)
                for path, module in [*_tree(self, "", {id(self)})] or [(self.label, self)]
                if isinstance(module, Module) and len(module.modules()) == 1
            )
        from copy import deepcopy

        module = deepcopy(self)  # running it may change buffers, or a random generator
        values = [_as_array(item) for item in inputs]
        wanted = [is_float(value) for value in values]
        function = module.forward if module.is_composite else module
        recording = Recording(function, values, wanted, module.parameters())
        vertices = [*recording.inputs, *module.parameters(), *recording.order]
        return summarise(names_of(vertices))

    def __repr__(self) -> str:
        import inspect  # as slow to import as the rest of this package together

        arguments = []
        for name, argument in inspect.signature(type(self).__init__).parameters.items():
            value = vars(self).get(name, argument.default)
            if isinstance(argument.default, bool):
                value = not (
                    value is None or value is False
                )  # such as a bias, which is a Parameter or None
            if isinstance(value, int | float | str | bool | tuple) and value != argument.default:
                required = argument.default is argument.empty
                arguments.append(repr(value) if required else f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(arguments)})"


def _tree(item: Any, prefix: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """The parameters and modules below `item`, depth first, with dotted names."""
    if isinstance(item, Module):
        children: Any = item.children()
    elif isinstance(item, dict):
        children = item.items()
    else:
        children = enumerate(item)
    for name, child in children:
        path = f"{prefix}.{name}" if prefix else str(name)
        if isinstance(child, Parameter):
            yield path, child
        elif isinstance(child, Module | dict | list | tuple) and id(child) not in seen:
            seen.add(id(child))
            if isinstance(child, Module):
                yield path, child
            yield from _tree(child, path, seen)


def _depth(cls: type, name: str) -> int:
    """How far up the classes that `cls` inherits from `name` is defined."""
    return next(depth for depth, parent in enumerate(cls.__mro__) if name in vars(parent))


def _as_array(item: Any) -> Any:
    return np.asarray(item) if isinstance(item, list | tuple) else item
