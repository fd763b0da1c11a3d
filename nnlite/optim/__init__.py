"""Optimisers: how a step changes the parameters, given their gradients."""

from nnlite.core.public import public
from nnlite.optim.adagrad import Adagrad as Adagrad
from nnlite.optim.adam import Adam as Adam, AdamW as AdamW
from nnlite.optim.clipping import clip_grad_norm as clip_grad_norm
from nnlite.optim.optimizer import Optimizer as Optimizer
from nnlite.optim.rmsprop import RMSprop as RMSprop
from nnlite.optim.sgd import SGD as SGD

public(globals())
