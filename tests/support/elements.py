"""Numbers at which elementwise functions are differentiated."""


def name(function):
    return getattr(function, "__name__", None)
