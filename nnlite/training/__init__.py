"""Training: passes over the data, checkpoints on the way, and what came of it."""

from nnlite.core.public import public
from nnlite.training.callbacks import Callback as Callback, EarlyStopping as EarlyStopping
from nnlite.training.divergence import DivergenceError as DivergenceError
from nnlite.training.interruption import Interrupted as Interrupted
from nnlite.training.trainer import Trainer as Trainer

public(globals())
