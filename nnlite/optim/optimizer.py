"""Optimizer: what all optimisers share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from nnlite.core.arguments import AT_LEAST_0, Checked, kinds_of
from nnlite.core.node import Parameter
from nnlite.core.text import shape_and_dtype
from nnlite.core.vector import Vector, aligned

PIECE = 1 << 15
"""Entries of which a step's few arrays stay in the processor's cache."""


class Optimizer:
    """θ ← θ − γ d, where a subclass finds the direction d from the gradient g.

    A subclass defines ``direction(g, theta, memory)`` and lists its constructor's arguments, which
    are attributes, in `options`.

    Parameters
    ----------
    parameters : iterable of Parameter
        Those to train, as from ``module.parameters()``. A parameter without a gradient is left
        as it is.
    lr : float
        γ, above 0; may be changed between steps, as may every other option.

    Attributes
    ----------
    parameters : list of Parameter
        Each once.
    memory : dict from Parameter to dict
        What is remembered of the gradients of each parameter so far, by name.
    is_elementwise : bool
        Whether `direction` treats every entry alike, so that it may be given all parameters as one
        vector. Set it in a subclass of which that is true.

    Notes
    -----
    A step gives a parameter a new array and leaves the old one as it was: the values that an
    earlier forward pass used stay what they were. Parameters of a compiled graph are parts of one
    vector; a step of an elementwise optimiser of exactly these writes to it, with a few NumPy
    calls however many they are. The dtype of a parameter is kept, and so are the
    arrays of gradients. Where PyTorch has groups of parameters with options of their own, use
    several optimisers.

    Raises
    ------
    TypeError
        If something else than parameters is to be trained.
    ValueError
        If there are no parameters, an option is out of its range or, in `step`, a gradient does
        not have the shape of its parameter.
    """

    options: tuple[str, ...] = ("lr",)
    is_elementwise = False
    lr = Checked(AT_LEAST_0)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "options" not in vars(cls):
            cls.options += tuple(n for n, item in vars(cls).items() if isinstance(item, Checked))

    def __init__(self, parameters: Iterable[Parameter], lr: float) -> None:
        name = type(self).__name__
        if isinstance(parameters, Parameter):
            parameters = [parameters]
        if hasattr(parameters, "parameters") or callable(parameters):
            raise TypeError(f"{name} takes parameters: pass module.parameters()")
        parameters = list(parameters)
        for parameter in parameters:
            if not isinstance(parameter, Parameter):
                raise TypeError(f"{name} takes parameters (nn.Parameter), got {parameter!r}")
        self.parameters = list(dict.fromkeys(parameters))
        if not self.parameters:
            raise ValueError(
                f"{name} got no parameters; pass those of a module: module.parameters()"
            )
        self.lr = lr
        if self.lr == 0:
            raise ValueError(f"{name}: lr is 0, so nothing would be trained")
        self._memory: dict[Parameter, dict[str, Any]] = {}
        self._joined: _Joined | None = None

    @property
    def memory(self) -> dict[Parameter, dict[str, Any]]:
        if self._joined is not None:
            self._memory = self._joined.split()
            self._joined = None
        return self._memory

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_memory": self.memory, "_joined": None}

    def step(self) -> None:
        """Change every parameter that has a gradient."""
        if self._joined is not None and self._joined.flat.holds(self.parameters):
            self._step_at_once(self._joined)
            return
        flat = self.parameters[0]._vector
        if flat is not None and self.is_elementwise and flat.holds(self.parameters):
            memory = _together(flat, [self.memory.get(p, {}) for p in flat.parameters])
            if memory is not None:
                self._joined = _Joined(flat, memory)
                self._step_at_once(self._joined)
                return
        for parameter in self.parameters:
            if parameter.grad is None:
                continue
            theta = parameter.value
            g = np.asarray(parameter.grad, dtype=theta.dtype)
            if g.shape != theta.shape:
                raise ValueError(
                    f"{type(self).__name__}: {parameter!r} has a gradient of shape {g.shape}; "
                    "was .grad set by hand?"
                )
            memory = self.memory.setdefault(parameter, {})
            parameter.value = theta - self.lr * self.direction(g, theta, memory)

    def _step_at_once(self, joined: _Joined) -> None:
        flat, rate = joined.flat, joined.rate
        rate[()] = self.lr
        d = self.direction(flat.grad, flat.theta, joined.memory)
        if len(joined.pieces) == 1:
            ((_, theta, change),) = joined.pieces
            np.multiply(d, rate, change)
            np.subtract(theta, change, theta)
        else:
            for piece, theta, change in joined.pieces:
                np.multiply(d[piece], rate, change)
                np.subtract(theta, change, theta)
        flat.version += 1

    def direction(self, g: Any, theta: Any, memory: dict[str, Any]) -> Any:
        """d for a parameter θ with gradient g.

        Parameters
        ----------
        g, theta : ndarray
            Not to be written to. Whoever keeps g keeps a copy of it.
        memory : dict
            What was remembered in earlier steps, empty in the first; to be brought up to date.
            Its arrays may be written to.
        """
        raise NotImplementedError(f"{type(self).__name__} has no direction(self, g, theta, memory)")

    def zero_grad(self) -> None:
        """Forget the gradients that the parameters have accumulated."""
        for parameter in self.parameters:
            parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on later: numbers, tuples of them, and copies of arrays.

        Options stand under their names, memories under name and position of the parameter, such
        as ``"velocity.0"``. ``np.savez(file, **optimizer.state_dict())`` keeps it.
        """
        state = {name: getattr(self, name) for name in self.options}
        for position, parameter in enumerate(self.parameters):
            for name, item in self.memory.get(parameter, {}).items():
                state[f"{name}.{position}"] = (
                    np.array(item) if isinstance(item, np.ndarray) else item
                )
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where the optimiser that gave `state` stopped.

        Parameters
        ----------
        state : mapping of str to number or array
            As from `state_dict`, of an optimiser of the same class and of as many parameters in
            the same order.

        Raises
        ------
        ValueError
            If an option is missing, or something does not fit; the message lists it all, and
            nothing is changed.
        """
        problems = [f"missing: {name}" for name in self.options if name not in state]
        kinds = kinds_of(type(self))
        options = {name: _plain(state[name]) for name in self.options if name in state}
        for name in kinds.keys() & options.keys():
            try:
                kinds[name].of(self, name, options[name])
            except (TypeError, ValueError) as error:
                problems.append(str(error))
        memory: dict[Parameter, dict[str, Any]] = {}
        for key in state:
            if key in self.options:
                continue
            name, _, position = key.rpartition(".")
            if not (name and position.isdecimal() and int(position) < len(self.parameters)):
                problems.append(f"unexpected: {key}")
                continue
            parameter = self.parameters[int(position)]
            item = np.array(state[key])
            if item.dtype.kind == "f":
                if (item.shape, item.dtype) != (parameter.shape, parameter.dtype):
                    problems.append(
                        f"{key}: expected {shape_and_dtype(parameter.value)}, "
                        f"got {shape_and_dtype(item)}"
                    )
                memory.setdefault(parameter, {})[name] = item
            else:
                memory.setdefault(parameter, {})[name] = item.item()
        if problems:
            raise ValueError(f"the state does not fit {self!r}; " + "; ".join(problems))
        for name, item in options.items():
            setattr(self, name, item)
        self._memory, self._joined = memory, None

    def __repr__(self) -> str:
        options = "".join(f", {name}={getattr(self, name)!r}" for name in self.options)
        return f"{type(self).__name__}({len(self.parameters)} parameters{options})"


class _Joined:
    """What is remembered of all parameters as one vector, and memory to make steps in.

    Attributes
    ----------
    flat : Vector
    memory : dict of str to array or number
    rate : array, ()
        The learning rate.
    pieces : list of (slice, array, array)
        θ by pieces, and for each as much memory.
    """

    def __init__(self, flat: Vector, memory: dict[str, Any]) -> None:
        self.flat = flat
        self.memory = memory
        self.rate = np.empty((), flat.dtype)
        size = len(flat.theta)
        change = aligned(min(PIECE, size), flat.dtype)
        slices = [slice(start, min(start + PIECE, size)) for start in range(0, size, PIECE)]
        self.pieces = [(s, flat.theta[s], change[: s.stop - s.start]) for s in slices]

    def split(self) -> dict[Parameter, dict[str, Any]]:
        """The memory of each parameter; arrays are parts of those here."""
        flat, joined = self.flat, self.memory
        parts = {name: flat.parts(item) for name, item in joined.items() if np.ndim(item)}
        return {
            parameter: {name: parts[name][i] if name in parts else joined[name] for name in joined}
            for i, parameter in enumerate(flat.parameters)
        }


def _together(flat: Vector, memories: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Memories of several parameters as that of one vector; None where numbers in them differ."""
    joined: dict[str, Any] = {}
    if any(memory.keys() != memories[0].keys() for memory in memories):
        return None
    for name, item in memories[0].items():
        items = [memory[name] for memory in memories]
        if isinstance(item, np.ndarray):
            joined[name] = flat.joined(items)
        elif any(other != item for other in items):
            return None
        else:
            joined[name] = item
    return joined


def _plain(value: Any) -> Any:
    """Python's own number, or a tuple of them."""
    items = np.asarray(value).tolist()
    return tuple(items) if isinstance(items, list) else items
