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
from unified_blocks.block import Block
from unified_blocks.blocks import MLP, FixedHiddenMLP, MySequential, NestMLP, Parallel, repeat
from unified_blocks.constants import Constant
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
)
from unified_blocks.layers import (
    ELU,
    GELU,
    SELU,
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    HardSigmoid,
    Lambda,
    LayerNorm,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
)
from unified_blocks.ops import KEEP
from unified_blocks.registry import available_backends, get_backend, set_backend, use_backend
from unified_blocks.tensors import as_tensor, backend_of, from_numpy, to_numpy

if TYPE_CHECKING:
    from unified_blocks.checkpoint import load, save
    from unified_blocks.checks import check
    from unified_blocks.compiling.compiled import Compiled, compile  # noqa: A004
    from unified_blocks.conversion import convert
    from unified_blocks.equivalence.compare import assert_equivalent, compare
    from unified_blocks.equivalence.comparison import Comparison
    from unified_blocks.files import read_state, write_state
    from unified_blocks.gradients import value_and_grad
    from unified_blocks.initialization import initialize
    from unified_blocks.models import cast, devices, to_device
    from unified_blocks.states import build, load_state, state
    from unified_blocks.training.fit import History, fit
    from unified_blocks.training.optimizers import SGD, Adam
    from unified_blocks.training.trainer import Trainer
    from unified_blocks.transfers import diff_state, transfer

__version__ = "0.1.0"

__all__ = [
    "ELU",
    "GELU",
    "KEEP",
    "MLP",
    "SELU",
    "SGD",
    "Activation",
    "Adam",
    "Backend",
    "BackendImportError",
    "BatchNorm",
    "Block",
    "BlockBuiltError",
    "Comparison",
    "Compiled",
    "Constant",
    "Dense",
    "Dropout",
    "DuplicateBlockError",
    "Embedding",
    "FileFormatError",
    "FixedHiddenMLP",
    "Flatten",
    "ForeignPartError",
    "ForeignTensorError",
    "HardSigmoid",
    "History",
    "InputError",
    "Lambda",
    "LayerNorm",
    "LeakyReLU",
    "LogSoftmax",
    "MySequential",
    "NestMLP",
    "NotBuiltError",
    "NotEquivalentError",
    "Parallel",
    "ReLU",
    "SharingError",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Softsign",
    "StateMismatchError",
    "Tanh",
    "Trainer",
    "UnifiedBlocksError",
    "UnknownBackendError",
    "UnknownBlockError",
    "UnsupportedError",
    "as_tensor",
    "assert_equivalent",
    "available_backends",
    "backend_of",
    "build",
    "cast",
    "check",
    "compare",
    "compile",
    "convert",
    "devices",
    "diff_state",
    "fit",
    "from_numpy",
    "get_backend",
    "initialize",
    "load",
    "load_state",
    "ops",
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
    "value_and_grad",
    "write_state",
]

_LATER = {
    "SGD": "training.optimizers",
    "Adam": "training.optimizers",
    "Comparison": "equivalence.comparison",
    "Compiled": "compiling.compiled",
    "History": "training.fit",
    "Trainer": "training.trainer",
    "assert_equivalent": "equivalence.compare",
    "build": "states",
    "cast": "models",
    "check": "checks",
    "compare": "equivalence.compare",
    "compile": "compiling.compiled",
    "convert": "conversion",
    "devices": "models",
    "diff_state": "transfers",
    "fit": "training.fit",
    "initialize": "initialization",
    "load": "checkpoint",
    "load_state": "states",
    "read_state": "files",
    "save": "checkpoint",
    "state": "states",
    "to_device": "models",
    "transfer": "transfers",
    "value_and_grad": "gradients",
    "write_state": "files",
}
"""The public names that are imported when they are first asked for, and the module of each.

None is a module's name too, which importing that module would make of it.
"""

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
        globals()[name] = value  # found without this function from now on
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LATER})
