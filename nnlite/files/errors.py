"""What is raised where data cannot be used."""


class DataError(ValueError):
    """Data that cannot be used: the message says what is wrong, where, and what to do."""


class RunError(ValueError):
    """A run's folder that cannot be used: the message says what is wrong, where, and what to do."""


def quote(text: str) -> str:
    """Return the text in quotation marks, shortened if a message cannot hold it."""
    return repr(text if len(text) <= 60 else text[:60] + "…")
