"""How a module was made, and how it is called."""

from __future__ import annotations

from typing import Any

CATCHER = "*arguments"
"""Of constructors: takes what a forgotten second set of parentheses would pass."""


class Signature:
    """What ``inspect.signature``, and so a notebook's ``?``, shows of a class and of a module.

    The argument that is only there to catch a slip is left out.
    """

    def __get__(self, module: Any, kind: type) -> Any:
        import inspect  # as slow to import as the rest of this package together

        if module is not None:
            return inspect.signature(module.forward)
        constructor = kind.__init__  # type: ignore[misc]
        _, *arguments = inspect.signature(constructor).parameters.values()
        return inspect.Signature([a for a in arguments if str(a).partition(":")[0] != CATCHER])


def called(module: Any) -> str:
    """The call that makes such a module: its class, and the arguments that are not the default."""
    import inspect

    arguments = []
    for name, argument in inspect.signature(type(module).__init__).parameters.items():
        value = getattr(module, name, argument.default)
        if isinstance(argument.default, bool):  # such as a bias, which is a Parameter or None
            value = value is not None and value is not False
        if isinstance(value, int | float | str | bool | tuple) and value != argument.default:
            required = argument.default is argument.empty
            arguments.append(repr(value) if required else f"{name}={value!r}")
    return f"{type(module).__name__}({', '.join(arguments)})"
