"""Schedules: how the learning rate changes while training goes on."""

from nnlite.core.public import public
from nnlite.optim.schedules.decay import (
    CosineAnnealingLR as CosineAnnealingLR,
    ExponentialLR as ExponentialLR,
    InverseScaling as InverseScaling,
    StepLR as StepLR,
)
from nnlite.optim.schedules.one_cycle import OneCycleLR as OneCycleLR
from nnlite.optim.schedules.plateau import ReduceLROnPlateau as ReduceLROnPlateau
from nnlite.optim.schedules.schedule import Schedule as Schedule

public(globals())
