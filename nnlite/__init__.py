"""nnlite: neural-network layers on NumPy; every vertex of the graph is a Module.

Write ``forward`` and ``backward`` once, in plain NumPy; chain modules into a `Graph`; train it.

Each public name is imported from its file when it is first used, so that a program pays for what
it uses.
"""

from typing import TYPE_CHECKING, Any

from nnlite._version import __version__ as __version__

if TYPE_CHECKING:
    from nnlite import autodiff as autodiff
    from nnlite import datasets as datasets
    from nnlite import init as init
    from nnlite import layers as layers
    from nnlite import losses as losses
    from nnlite import metrics as metrics
    from nnlite import models as models
    from nnlite import optim as optim
    from nnlite import plot as plot
    from nnlite import regularizers as regularizers
    from nnlite import schedules as schedules
    from nnlite.autodiff import grad as grad
    from nnlite.autodiff import hessian as hessian
    from nnlite.autodiff import hvp as hvp
    from nnlite.autodiff import jacobian as jacobian
    from nnlite.autodiff import jvp as jvp
    from nnlite.autodiff import value_and_grad as value_and_grad
    from nnlite.autodiff import vjp as vjp
    from nnlite.checking import GradcheckError as GradcheckError
    from nnlite.checking import GradcheckReport as GradcheckReport
    from nnlite.checking import gradcheck as gradcheck
    from nnlite.checkpoint import CheckpointError as CheckpointError
    from nnlite.cross_entropy import BCE as BCE
    from nnlite.cross_entropy import BCEWithLogits as BCEWithLogits
    from nnlite.cross_entropy import CrossEntropy as CrossEntropy
    from nnlite.dispatch import Value as Value
    from nnlite.dispatch import rule as rule
    from nnlite.dual import Dual as Dual
    from nnlite.errors import DataError as DataError
    from nnlite.files.lock import LockedError as LockedError
    from nnlite.graph import Graph as Graph
    from nnlite.layers.activation import ELU as ELU
    from nnlite.layers.activation import GELU as GELU
    from nnlite.layers.activation import LeakyReLU as LeakyReLU
    from nnlite.layers.activation import ReLU as ReLU
    from nnlite.layers.activation import Sigmoid as Sigmoid
    from nnlite.layers.activation import SiLU as SiLU
    from nnlite.layers.activation import Softplus as Softplus
    from nnlite.layers.activation import Tanh as Tanh
    from nnlite.layers.batch_normalization import BatchNorm1d as BatchNorm1d
    from nnlite.layers.batch_normalization import BatchNorm2d as BatchNorm2d
    from nnlite.layers.convolution import Conv2d as Conv2d
    from nnlite.layers.dropout import Dropout as Dropout
    from nnlite.layers.embedding import Embedding as Embedding
    from nnlite.layers.flatten import Flatten as Flatten
    from nnlite.layers.linear import Linear as Linear
    from nnlite.layers.normalization import LayerNorm as LayerNorm
    from nnlite.layers.pooling import AvgPool2d as AvgPool2d
    from nnlite.layers.pooling import MaxPool2d as MaxPool2d
    from nnlite.layers.softmax import LogSoftmax as LogSoftmax
    from nnlite.layers.softmax import Softmax as Softmax
    from nnlite.loader import DataLoader as DataLoader
    from nnlite.losses import MAE as MAE
    from nnlite.losses import MSE as MSE
    from nnlite.losses import Huber as Huber
    from nnlite.module import Module as Module
    from nnlite.node import Constant as Constant
    from nnlite.node import Input as Input
    from nnlite.node import Node as Node
    from nnlite.node import Parameter as Parameter
    from nnlite.node import backpropagate as backpropagate
    from nnlite.node import toposort as toposort
    from nnlite.objective import Objective as Objective
    from nnlite.optim import SGD as SGD
    from nnlite.optim import Adagrad as Adagrad
    from nnlite.optim import Adam as Adam
    from nnlite.optim import AdamW as AdamW
    from nnlite.optim import Optimizer as Optimizer
    from nnlite.optim import RMSprop as RMSprop
    from nnlite.optim import clip_grad_norm as clip_grad_norm
    from nnlite.regularizers import L1 as L1
    from nnlite.regularizers import L2 as L2
    from nnlite.runs.config import RunError as RunError
    from nnlite.runs.run import Run as Run
    from nnlite.runs.run import load_run as load_run
    from nnlite.schedules import CosineAnnealingLR as CosineAnnealingLR
    from nnlite.schedules import ExponentialLR as ExponentialLR
    from nnlite.schedules import InverseScaling as InverseScaling
    from nnlite.schedules import OneCycleLR as OneCycleLR
    from nnlite.schedules import ReduceLROnPlateau as ReduceLROnPlateau
    from nnlite.schedules import StepLR as StepLR
    from nnlite.sequential import Sequential as Sequential
    from nnlite.training import Callback as Callback
    from nnlite.training import DivergenceError as DivergenceError
    from nnlite.training import EarlyStopping as EarlyStopping
    from nnlite.training import Interrupted as Interrupted
    from nnlite.training import Trainer as Trainer

_PUBLIC = {
    "": "autodiff datasets init layers losses metrics models optim plot regularizers schedules",
    "autodiff": "grad hessian hvp jacobian jvp value_and_grad vjp",
    "checking": "GradcheckError GradcheckReport gradcheck",
    "checkpoint": "CheckpointError",
    "cross_entropy": "BCE BCEWithLogits CrossEntropy",
    "dispatch": "Value rule",
    "dual": "Dual",
    "errors": "DataError",
    "files.lock": "LockedError",
    "graph": "Graph",
    "layers.activation": "ELU GELU LeakyReLU ReLU SiLU Sigmoid Softplus Tanh",
    "layers.batch_normalization": "BatchNorm1d BatchNorm2d",
    "layers.convolution": "Conv2d",
    "layers.dropout": "Dropout",
    "layers.embedding": "Embedding",
    "layers.flatten": "Flatten",
    "layers.linear": "Linear",
    "layers.normalization": "LayerNorm",
    "layers.pooling": "AvgPool2d MaxPool2d",
    "layers.softmax": "LogSoftmax Softmax",
    "loader": "DataLoader",
    "losses": "Huber MAE MSE",
    "module": "Module",
    "node": "Constant Input Node Parameter backpropagate toposort",
    "objective": "Objective",
    "optim": "Adagrad Adam AdamW Optimizer RMSprop SGD clip_grad_norm",
    "regularizers": "L1 L2",
    "runs.config": "RunError",
    "runs.run": "Run load_run",
    "schedules": (
        "CosineAnnealingLR ExponentialLR InverseScaling OneCycleLR ReduceLROnPlateau StepLR"
    ),
    "sequential": "Sequential",
    "training": "Callback DivergenceError EarlyStopping Interrupted Trainer",
}
_HOMES = {name: home for home, names in _PUBLIC.items() for name in names.split()}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nnlite' has no attribute {name!r}")
    from importlib import import_module

    home = _HOMES[name]
    found = (
        getattr(import_module(f"nnlite.{home}"), name) if home else import_module(f"nnlite.{name}")
    )
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
