"""Write a neural network block once: a real PyTorch, Keras or Gluon one, with the same numbers.

    import unified_blocks as ub

    net = ub.MLP.on("torch")(256, 10)       # a torch.nn.Module

See `unified_blocks.block.Block` for what a block is, and the README for the rest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from unified_blocks import ops
from unified_blocks.backend import Backend
from unified_blocks.backend.registry import (
    available_backends,
    get_backend,
    set_backend,
    use_backend,
)
from unified_blocks.backend.tensors import as_tensor, backend_of, from_numpy, to_numpy
from unified_blocks.block import Block
from unified_blocks.block.constants import Constant
from unified_blocks.blocks import MLP, FixedHiddenMLP, MySequential, NestMLP, Parallel, repeat
from unified_blocks.dtypes import use_dtype
from unified_blocks.errors import (
    BackendImportError,
    BlockBuiltError,
    DuplicateBlockError,
    FileFormatError,
    ForeignPartError,
    ForeignTensorError,
    InputError,
    NotBuiltError,
    NotEquivalentError,
    SharingError,
    StateMismatchError,
    UnifiedBlocksError,
    UnknownBackendError,
    UnknownBlockError,
    UnsupportedError,
    WorkerLostError,
)
from unified_blocks.layers import (
    ELU,
    GELU,
    GRU,
    LSTM,
    RNN,
    SELU,
    Activation,
    AdaptiveAvgPool2D,
    AvgPool1D,
    AvgPool2D,
    AvgPool3D,
    BatchNorm,
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Embedding,
    Flatten,
    GlobalAvgPool1D,
    GlobalAvgPool2D,
    GlobalAvgPool3D,
    GlobalMaxPool1D,
    GlobalMaxPool2D,
    GlobalMaxPool3D,
    GroupNorm,
    GRUCell,
    HardSigmoid,
    HardSwish,
    InstanceNorm,
    Lambda,
    LayerNorm,
    LeakyReLU,
    LocalResponseNorm,
    LogSoftmax,
    LSTMCell,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
    Mish,
    MultiHeadAttention,
    PixelShuffle,
    PReLU,
    ReflectPad1D,
    ReflectPad2D,
    ReflectPad3D,
    ReLU,
    ReLU6,
    RMSNorm,
    RNNCell,
    SeparableConv2D,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
    UpSampling2D,
    ZeroPad1D,
    ZeroPad2D,
    ZeroPad3D,
)
from unified_blocks.layouts import channels_axis, use_layout
from unified_blocks.ops import KEEP
from unified_blocks.version import __version__ as __version__

if TYPE_CHECKING:
    from unified_blocks import porting
    from unified_blocks.compiling.compiled import Compiled, compile  # noqa: A004
    from unified_blocks.equivalence.compare import assert_equivalent, compare
    from unified_blocks.equivalence.comparison import Comparison
    from unified_blocks.files.checkpoint import load, save
    from unified_blocks.files.state_files import read_state, write_state
    from unified_blocks.models.checks import check
    from unified_blocks.models.conversion import convert
    from unified_blocks.models.differences import diff_state
    from unified_blocks.models.initialization import initialize
    from unified_blocks.models.placement import cast, devices, to_device
    from unified_blocks.models.state import build, load_state, state
    from unified_blocks.models.transfer import transfer
    from unified_blocks.pictures.drawing import Drawing, draw
    from unified_blocks.porting.port import Port, port
    from unified_blocks.training.callbacks import Callback, Run
    from unified_blocks.training.fit import fit
    from unified_blocks.training.gradients import value_and_grad
    from unified_blocks.training.history import History
    from unified_blocks.training.learning.clip import Clip
    from unified_blocks.training.learning.groups import ParameterGroup
    from unified_blocks.training.learning.plateau import ReduceOnPlateau
    from unified_blocks.training.learning.schedules import CosineDecay, StepDecay, WarmUp
    from unified_blocks.training.learning.stopping import EarlyStopping
    from unified_blocks.training.optimizers import SGD, Adagrad, Adam, AdamW, RMSprop
    from unified_blocks.training.runs.checkpoint import Checkpoint
    from unified_blocks.training.trainer import Trainer
    from unified_blocks.training.watching.evaluate import evaluate
    from unified_blocks.training.watching.metrics import Metric, TopK
    from unified_blocks.training.watching.predict import predict
    from unified_blocks.training.watching.tensorboard import TensorBoard
    from unified_blocks.training.workers.join import join

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "KEEP",
    "LSTM",
    "MLP",
    "RNN",
    "SELU",
    "SGD",
    "Activation",
    "Adagrad",
    "Adam",
    "AdamW",
    "AdaptiveAvgPool2D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "Backend",
    "BackendImportError",
    "BatchNorm",
    "Block",
    "BlockBuiltError",
    "Callback",
    "Checkpoint",
    "Clip",
    "Comparison",
    "Compiled",
    "Constant",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "CosineDecay",
    "Dense",
    "DepthwiseConv2D",
    "Drawing",
    "Dropout",
    "DuplicateBlockError",
    "EarlyStopping",
    "Embedding",
    "FileFormatError",
    "FixedHiddenMLP",
    "Flatten",
    "ForeignPartError",
    "ForeignTensorError",
    "GRUCell",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GroupNorm",
    "HardSigmoid",
    "HardSwish",
    "History",
    "InputError",
    "InstanceNorm",
    "LSTMCell",
    "Lambda",
    "LayerNorm",
    "LeakyReLU",
    "LocalResponseNorm",
    "LogSoftmax",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "Metric",
    "Mish",
    "MultiHeadAttention",
    "MySequential",
    "NestMLP",
    "NotBuiltError",
    "NotEquivalentError",
    "PReLU",
    "Parallel",
    "ParameterGroup",
    "PixelShuffle",
    "Port",
    "RMSNorm",
    "RMSprop",
    "RNNCell",
    "ReLU",
    "ReLU6",
    "ReduceOnPlateau",
    "ReflectPad1D",
    "ReflectPad2D",
    "ReflectPad3D",
    "Run",
    "SeparableConv2D",
    "SharingError",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Softsign",
    "StateMismatchError",
    "StepDecay",
    "Tanh",
    "TensorBoard",
    "TopK",
    "Trainer",
    "UnifiedBlocksError",
    "UnknownBackendError",
    "UnknownBlockError",
    "UnsupportedError",
    "UpSampling2D",
    "WarmUp",
    "WorkerLostError",
    "ZeroPad1D",
    "ZeroPad2D",
    "ZeroPad3D",
    "as_tensor",
    "assert_equivalent",
    "available_backends",
    "backend_of",
    "build",
    "cast",
    "channels_axis",
    "check",
    "compare",
    "compile",
    "convert",
    "devices",
    "diff_state",
    "draw",
    "evaluate",
    "fit",
    "from_numpy",
    "get_backend",
    "initialize",
    "join",
    "load",
    "load_state",
    "ops",
    "port",
    "porting",
    "predict",
    "read_state",
    "repeat",
    "save",
    "set_backend",
    "state",
    "to_device",
    "to_numpy",
    "transfer",
    "use_backend",
    "use_dtype",
    "use_layout",
    "value_and_grad",
    "write_state",
]

_LATER = {
    "SGD": "training.optimizers",
    "Adagrad": "training.optimizers",
    "Adam": "training.optimizers",
    "AdamW": "training.optimizers",
    "Callback": "training.callbacks",
    "Checkpoint": "training.runs.checkpoint",
    "Clip": "training.learning.clip",
    "Comparison": "equivalence.comparison",
    "Compiled": "compiling.compiled",
    "CosineDecay": "training.learning.schedules",
    "EarlyStopping": "training.learning.stopping",
    "History": "training.history",
    "Metric": "training.watching.metrics",
    "ParameterGroup": "training.learning.groups",
    "Drawing": "pictures.drawing",
    "Port": "porting.port",
    "RMSprop": "training.optimizers",
    "ReduceOnPlateau": "training.learning.plateau",
    "Run": "training.callbacks",
    "StepDecay": "training.learning.schedules",
    "TensorBoard": "training.watching.tensorboard",
    "TopK": "training.watching.metrics",
    "Trainer": "training.trainer",
    "WarmUp": "training.learning.schedules",
    "assert_equivalent": "equivalence.compare",
    "build": "models.state",
    "cast": "models.placement",
    "check": "models.checks",
    "compare": "equivalence.compare",
    "compile": "compiling.compiled",
    "convert": "models.conversion",
    "devices": "models.placement",
    "diff_state": "models.differences",
    "evaluate": "training.watching.evaluate",
    "draw": "pictures.drawing",
    "fit": "training.fit",
    "initialize": "models.initialization",
    "join": "training.workers.join",
    "load": "files.checkpoint",
    "load_state": "models.state",
    "port": "porting.port",
    "predict": "training.watching.predict",
    "read_state": "files.state_files",
    "save": "files.checkpoint",
    "state": "models.state",
    "to_device": "models.placement",
    "transfer": "models.transfer",
    "value_and_grad": "training.gradients",
    "write_state": "files.state_files",
}
"""The public names that are imported when they are first asked for, and the module of each.

None is a module's name too, which importing that module would make of it.
"""
_ROOMS = ("porting",)
"""The packages that are public, and imported when they are first asked for."""

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name in _ROOMS:
            return import_module(f"{__name__}.{name}")
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
        globals()[name] = value  # found without this function from now on
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LATER, *_ROOMS})
