"""Schedules: how the learning rate changes while training goes on."""

from nnlite.schedules.decay import CosineAnnealingLR, ExponentialLR, InverseScaling, StepLR
from nnlite.schedules.one_cycle import OneCycleLR
from nnlite.schedules.plateau import ReduceLROnPlateau
from nnlite.schedules.schedule import Schedule

__all__ = [
    "CosineAnnealingLR",
    "ExponentialLR",
    "InverseScaling",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "Schedule",
    "StepLR",
]
