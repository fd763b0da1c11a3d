"""The table of rules: which module stands for which NumPy function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

Rule = Callable[..., Any]
Target = TypeVar("Target", bound=Callable[..., Any])

RULES: dict[Callable[..., Any], Rule] = {}


def rule(*functions: Callable[..., Any]) -> Callable[[Target], Target]:
    """Say how NumPy functions (or any NumPy-like functions) act on nodes and duals.

    Parameters
    ----------
    *functions
        The functions, for instance ``np.sinc``.

    Returns
    -------
    callable
        A decorator. It takes a `Module` class with ``forward``, ``backward`` and ``jvp``, whose
        ``forward`` says how many of the leading arguments are arrays while the constructor takes
        all others; or a plain
        function that has the arguments of the NumPy function and is written in functions that
        have rules already.

    Examples
    --------
    >>> from nnlite import Module, grad
    >>> @rule(np.ediff1d)
    ... class Differences(Module):
    ...     def forward(self, x):
    ...         return np.ediff1d(x)
    ...     def backward(self, grad):
    ...         return np.append(0, grad) - np.append(grad, 0)
    ...     def jvp(self, tangent):
    ...         return np.ediff1d(tangent)
    >>> grad(lambda x: np.sum(np.ediff1d(x) ** 2))(np.array([1.0, 3.0, 4.0]))
    array([-4.,  2.,  2.])
    """

    def register(target: Target) -> Target:
        call: Rule = target
        if isinstance(target, type):
            target._is_rule = True  # type: ignore[attr-defined]
            count = target.forward.__code__.co_argcount - 1  # type: ignore[attr-defined]

            def call(*args: Any, **kwargs: Any) -> Any:
                if len(args) < count:
                    raise TypeError(
                        f"{described(functions[0])} of a node or a dual number takes arrays by "
                        f"position, as the first {count} of its arguments"
                    )
                return target(*args[count:], **kwargs)(*args[:count])

        for function in functions:
            RULES[function] = call
        return target

    return register


def described(function: Callable[..., Any]) -> str:
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        return f"np.{owner.__name__}.{function.__name__}"
    name = function.__name__
    if getattr(np, name, None) is function:
        return f"np.{name}"
    return f"{getattr(function, '__module__', '')}.{name}".replace("numpy", "np", 1).lstrip(".")


def apply_rule(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        found = RULES[function]
    except KeyError:
        name = described(function)
        raise NotImplementedError(
            f"{name} has no derivative rule, so it cannot be applied to a node or a dual number. "
            f"Write the formula in functions that have one, or add a rule: a Module with forward, "
            f"backward and jvp, decorated with @nn.rule({name})."
        ) from None
    return found(*args, **kwargs)
