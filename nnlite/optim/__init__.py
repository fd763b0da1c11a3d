"""Optimisers: how a step changes the parameters, given their gradients."""

from nnlite.optim.adagrad import Adagrad
from nnlite.optim.adam import Adam, AdamW
from nnlite.optim.clipping import clip_grad_norm
from nnlite.optim.optimizer import Optimizer
from nnlite.optim.rmsprop import RMSprop
from nnlite.optim.sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "clip_grad_norm"]
