"""What a module keeps on itself, told in a way that shows whether anything replaced it.

A module that stands at two vertices and keeps, say, ``self.y = y`` would propagate back with the
``y`` of the wrong vertex. What it keeps is therefore looked at after ``forward`` and again before
``backward``; if the two differ, the gradient is refused. (What a closure or a global variable
holds cannot be seen.) The modules of this library are exempt: its tests hold them to keeping
nothing.
"""

from __future__ import annotations

import types
from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nnlite.core.restoring import each, restoring
from nnlite.core.slips import IN_PLACE, KEPT_ON_MODULE, NO_ARRAY, with_slip
from nnlite.core.value import Value

Kept = dict[str, list[Any]]

PASSING = ("_by_hand", "training")
INTERNAL = ("_vertex", "_calls", *PASSING)
PLAIN = (bool, int, float, complex, str, bytes, np.generic, type(None))
SAVED = "save_for_backward"
_OPAQUE = (type, types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.ModuleType)


def own(value: Any) -> Any:
    """A copy of an array; other values, which cannot be changed, as they are."""
    return value.copy("K") if isinstance(value, np.ndarray) else value


def protected(value: Any) -> Any:
    """A view of an array that cannot be written to."""
    if isinstance(value, np.ndarray) and value.flags.writeable:
        value = value.view()
        value.flags.writeable = False
    return value


def sample(value: Any) -> tuple[Any, bytes]:
    """An array and a part of what is in it, by which a change can be told.

    All of an array of up to 4 KiB, of a larger one a few hundred entries spread over it. An
    optimiser's step may change few entries, such as some rows of an embedding; it gives a
    parameter a new array, or counts in `Vector.version`.
    """
    if not isinstance(value, np.ndarray):
        return value, b""
    return value, (value if value.nbytes <= 4096 else value.flat[:: value.size // 256]).tobytes()


def attributes(
    module: Any,
    calls: Mapping[Any, int] | None = None,
    skip: tuple[str, ...] = PASSING,
    known: Collection[int] = (),
) -> Kept:
    """For each attribute of `module` and its class: the objects and contents it is made of.

    Parameters
    ----------
    module : Module
    calls : mapping of Module to int, optional
        How often each module in it had been called on arrays before ``forward``; one that was
        called twice since serves two purposes, which no one ``backward`` of it can.
    skip : tuple of str
        Attributes that do not count in the modules within it.
    known : collection of int
        The ``id`` of objects that are not to be looked into, such as modules that are looked at
        by themselves.
    """
    found: Kept = {}
    for name, item in _own(module):
        atoms = list(_atoms(item, {id(module)}, skip, known))
        for inner, count in (calls or {}).items():
            if inner._calls > count + 1 and any(atom is inner for atom in atoms):
                atoms.append(object())  # equal to nothing
        found[name] = atoms
    return found


def saved_arrays(node: Any) -> Kept:
    """What can be told of the arrays that ``forward`` saved at a vertex."""
    return {SAVED: [sample(value)[1] for value in node._saved or ()]}


def changed(before: Kept, after: Kept) -> list[str]:
    """Names of the attributes that came, went, or are not what they were."""
    return [
        name
        for name in {**before, **after}
        if name not in before or name not in after or not _same(before[name], after[name])
    ]


def _same(before: list[Any], after: list[Any]) -> bool:
    return len(before) == len(after) and all(
        old is new or (type(old) is type(new) and isinstance(old, PLAIN) and old == new)
        for old, new in zip(before, after)
    )


def _own(module: Any) -> Iterator[tuple[str, Any]]:
    """The attributes of a module and, where they can hold state, of its classes."""
    for name in _attribute_names(module):
        if name not in INTERNAL and name not in module.buffers:
            yield name, getattr(module, name, None)
    for name, item in of_class(module):
        if not isinstance(item, PLAIN) and not callable(item):
            yield name, item


def of_class(module: Any) -> Iterator[tuple[str, Any]]:
    """What the classes of a module that are not nnlite's own give it."""
    for cls in type(module).__mro__:
        if vars(cls).get("_is_ours"):
            return
        yield from [(name, item) for name, item in vars(cls).items() if not name.startswith("__")]


def _atoms(
    item: Any, seen: set[int], skip: tuple[str, ...], known: Collection[int]
) -> Iterator[Any]:
    """What `item` is made of: plain values to be compared, other objects to be identical."""
    if isinstance(item, PLAIN) or id(item) in known:
        yield item
    elif id(item) in seen:
        return
    elif isinstance(item, np.ndarray) and item.flags.writeable:
        yield f"{item.dtype}{item.shape}"
        yield hash(item.tobytes())
    elif isinstance(item, dict):
        seen.add(id(item))
        for key, value in item.items():
            yield key
            yield from _atoms(value, seen, skip, known)
    elif isinstance(item, list | tuple | set | frozenset) or hasattr(item, "popleft"):
        seen.add(id(item))
        yield len(item)
        for value in item:
            yield from _atoms(value, seen, skip, known)
    elif isinstance(item, bytearray | memoryview | array):
        yield bytes(item)
    else:
        seen.add(id(item))
        yield item
        if hasattr(item, "accumulate_grad"):  # a vertex, of which only its value is the module's
            yield item.value
        elif not isinstance(item, _OPAQUE):
            for name in _attribute_names(item):
                if name not in skip:
                    yield from _atoms(getattr(item, name, None), seen, skip, known)


def _attribute_names(item: Any) -> Iterator[str]:
    yield from getattr(item, "__dict__", ())
    for cls in type(item).__mro__:
        slots = vars(cls).get("__slots__", ())
        yield from (slots,) if isinstance(slots, str) else slots


def guarded_forward(module: Any, vertex: Any, values: Sequence[Any]) -> Any:
    """``forward`` of a module that may write into what it is given, or keep it on itself."""
    inner = module.modules()[1:]
    calls = {part: part._calls for part in inner}
    vertex._saved = vertex._fingerprint = None
    with restoring(each(inner, "_by_hand")), module.at(vertex):
        for part in inner:
            part._by_hand = True
        try:
            output = module.forward(*[protected(value) for value in values])
        except ValueError as error:
            if _writes(module, values):
                error.add_note(
                    "forward writes into an array that it was given or that it saved; make a new "
                    "one: y = y + b in place of y += b, np.where(mask, a, x) for x[mask] = a"
                )
                with_slip(error, IN_PLACE)
            raise
    _check_output(module, output)
    saved = vertex._fingerprint or saved_arrays(vertex)
    vertex._fingerprint = attributes(module, calls) | saved
    return output


def _writes(module: Any, values: Sequence[Any]) -> bool:
    """Whether ``forward`` only failed because the arrays that it was given cannot be written to."""
    if not any(isinstance(value, np.ndarray) for value in values):
        return False
    try:
        module.forward(*map(own, values))
    except Exception:
        return False
    return True


def _check_output(module: Any, output: Any) -> None:
    name = type(module).__name__
    if isinstance(output, Value) and output.level == 0:
        raise TypeError(
            f"{name}.forward was given arrays and returned {output!r}; in a forward that has a "
            "backward, use the value of a parameter: self.weight.value"
        )
    if not isinstance(output, Value | np.ndarray | np.generic | float | int):
        raise with_slip(
            TypeError(
                f"{name}.forward returned {type(output).__name__}, not an array"
                + ("; was `return` forgotten?" if output is None else "; a module has one output")
            ),
            NO_ARRAY,
        )


def guarded_backward(module: Any, vertex: Any) -> Any:
    """``backward`` of a module that may keep something on itself that it should not."""
    before = attributes(module) | saved_arrays(vertex)
    _refuse_lost(module, vertex, changed(vertex._fingerprint or {}, before))
    inner = {p for part in module.modules()[1:] for p in part.parameters()}
    parameters = {name: p for name, p in module.named_parameters() if p not in inner}
    with restoring(each(parameters.values(), "grad")), module.at(vertex):
        for parameter in parameters.values():
            parameter.grad = None
        grads = module.backward(protected(vertex.grad))
        new = {name: parameter.grad for name, parameter in parameters.items()}
    for name, parameter in parameters.items():
        if new[name] is None:
            raise with_slip(
                RuntimeError(
                    f"{type(module).__name__}.backward gave self.{name} no gradient: add it with "
                    f"self.{name}.accumulate_grad(...), zeros where it has no influence"
                ),
                "the parameter's gradient was forgotten: backward never adds to it with "
                f"self.{name}.accumulate_grad(...)",
            )
        parameter.accumulate_grad(own(new[name]))  # it may be a buffer, or shared
    if changed(before, attributes(module) | saved_arrays(vertex)):
        return tuple(map(own, grads)) if isinstance(grads, tuple) else own(grads)
    return grads


def _refuse_lost(module: Any, vertex: Any, lost: list[str]) -> None:
    if SAVED in lost:
        raise RuntimeError(
            f"an array that {type(module).__name__}.forward kept with save_for_backward was "
            "changed afterwards; keep a copy, or make a new array: y = y + b in place of y += b"
        )
    if lost:
        raise with_slip(
            RuntimeError(
                f"{module!r} keeps {', '.join('self.' + name for name in lost)} on itself, which "
                f"has changed since it ran forward at {vertex!r}, so the gradient there could be "
                "wrong. In forward, keep what backward needs with self.save_for_backward(...) and "
                "read it from self.saved: it then belongs to the vertex. (Where forward calls "
                "other modules, leave backward out: the gradient then follows from them.)"
            ),
            KEPT_ON_MODULE,
        )
