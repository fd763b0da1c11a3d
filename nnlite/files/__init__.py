"""Files that are whole or not there, and that need not be trusted."""

from nnlite.core.public import public
from nnlite.files.checkpoint import CheckpointError as CheckpointError
from nnlite.files.errors import DataError as DataError, RunError as RunError
from nnlite.files.lock import LockedError as LockedError

public(globals())
