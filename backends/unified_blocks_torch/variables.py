"""The variables of PyTorch modules: names as in `state_dict`."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import UninitializedBuffer, UninitializedParameter
from torch.nn.utils.parametrize import ParametrizationList

import unified_blocks as ub
from unified_blocks.backend import Variable
from unified_blocks.types import Array

COUNT = "num_batches_tracked"
"""A batch norm counts its batches in this buffer."""
LAZY_CONVOLUTIONS = (
    *(nn.LazyConv1d, nn.LazyConv2d, nn.LazyConv3d),
    *(nn.LazyConvTranspose1d, nn.LazyConvTranspose2d, nn.LazyConvTranspose3d),
)
LAZY_NORMS = (
    *(nn.LazyBatchNorm1d, nn.LazyBatchNorm2d, nn.LazyBatchNorm3d),
    *(nn.LazyInstanceNorm1d, nn.LazyInstanceNorm2d, nn.LazyInstanceNorm3d),
    *(nn.LayerNorm, nn.RMSNorm, nn.GroupNorm),  # lazy in this library
)
RECURRENT = (nn.modules.rnn.RNNBase, nn.modules.rnn.RNNCellBase)
KINDS: dict[type[nn.Module], str] = {
    nn.Linear: "Dense",
    nn.Embedding: "Embedding",
    nn.LayerNorm: "LayerNorm",
    nn.Conv1d: "Conv1D",
    nn.Conv2d: "Conv2D",
    nn.Conv3d: "Conv3D",
    nn.ConvTranspose1d: "Conv1DTranspose",
    nn.ConvTranspose2d: "Conv2DTranspose",
    nn.ConvTranspose3d: "Conv3DTranspose",
    **dict.fromkeys((nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d), "BatchNorm"),
    **dict.fromkeys((nn.LazyBatchNorm1d, nn.LazyBatchNorm2d, nn.LazyBatchNorm3d), "BatchNorm"),
    **{
        getattr(nn, f"{kind}Pool{n}d"): f"{kind}Pool{n}D"
        for kind in ("Max", "Avg")
        for n in (1, 2, 3)
    },
    nn.GroupNorm: "GroupNorm",
    # which is of instances when each channel is a group
    **dict.fromkeys((nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d), "GroupNorm"),
    **dict.fromkeys(
        (nn.LazyInstanceNorm1d, nn.LazyInstanceNorm2d, nn.LazyInstanceNorm3d), "GroupNorm"
    ),
    nn.RMSNorm: "RMSNorm",
    nn.PReLU: "PReLU",
    nn.MultiheadAttention: "MultiHeadAttention",
    **{cls: cls.__name__ for cls in (nn.RNN, nn.LSTM, nn.GRU)},
    **{cls: cls.__name__ for cls in (nn.RNNCell, nn.LSTMCell, nn.GRUCell)},
}
"""What this library calls PyTorch's own layers."""


class TorchVariable(Variable):
    """A parameter or buffer of a module."""

    def __init__(self, name: str, tensor: torch.Tensor, owner: nn.Module) -> None:
        self.name, self.tensor, self.owner = name, tensor, owner
        self.role = "parameter" if isinstance(tensor, nn.Parameter) else "constant"
        # A batch norm counts its batches; that matters only to one that averages over them all.
        self.optional = (
            name.rpartition(".")[2] == COUNT and getattr(owner, "momentum", None) is not None
        )
        self.groups = owner.num_groups if isinstance(owner, nn.GroupNorm) else None
        if isinstance(owner, ParametrizationList):  # what computes the weight from this tensor
            self.kind = ", ".join(type(each).__name__ for each in owner)
        if self.shape is None:
            self.obstacle = (
                f"only a call of a {type(owner).__name__} tells its shape; call "
                "ub.build(net, input_shape) first"
            )

    @property
    def shape(self):
        if self.is_built:
            return tuple(self.tensor.shape)
        owner: Any = self.owner
        sizes: tuple[int | None, ...]
        if isinstance(owner, LAZY_NORMS):
            return (None,) * getattr(owner, "axes", 1)
        if isinstance(owner, RECURRENT):  # lazy in this library
            own: Any = owner
            return (own.gates * own.hidden_size, None)
        if isinstance(owner, nn.LazyLinear):
            units, sizes = owner.out_features, (owner.out_features, None)
        elif is_depthwise(owner):
            return (None, 1, *owner.kernel_size) if self.tensor is owner.weight else (None,)
        elif isinstance(owner, LAZY_CONVOLUTIONS):
            units, kernel = owner.out_channels, owner.kernel_size
            sizes = (
                (None, units // owner.groups, *kernel)
                if owner.transposed
                else (units, None, *kernel)
            )
        else:
            return None
        return sizes if self.tensor is owner.weight else (units,)

    @property
    def dtype(self):
        return str(self.tensor.dtype).removeprefix("torch.")

    @property
    def device(self):
        return device_name(self.tensor.device)

    @property
    def trainable(self):
        return self.role == "parameter" and self.tensor.requires_grad

    def freeze(self):
        self.tensor.requires_grad_(False)

    @property
    def is_built(self):
        return not isinstance(self.tensor, UninitializedParameter | UninitializedBuffer)

    def view(self):
        tensor = whole(self.tensor).cpu()
        return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()

    def write(self, array):
        with torch.no_grad():
            if isinstance(self.tensor, UninitializedParameter | UninitializedBuffer):
                self.tensor.materialize(array.shape)
                if isinstance(self.owner, nn.LazyLinear) and self.tensor is self.owner.weight:
                    self.owner.in_features = array.shape[1]  # else it says 0 until the first call
                owner: Any = self.owner
                if is_depthwise(owner) and self.tensor is owner.weight:
                    owner.take_channels(array.shape[0] // owner.multiplier)
                if isinstance(self.owner, RECURRENT):
                    self.owner.input_size = array.shape[1]
            self.tensor.copy_(shared_out(torch.from_numpy(readable(array)), self.tensor))


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """All of a tensor, of which each process may have a part. Then all of them call this."""
    tensor = tensor.detach()
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


def shared_out(tensor: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """A whole tensor, in parts where `like` is; each process has the whole one, and its part."""
    if not hasattr(like, "full_tensor"):
        return tensor
    from torch.distributed.tensor import distribute_tensor

    place: Any = like
    return distribute_tensor(
        tensor.to(like.device), place.device_mesh, place.placements, src_data_rank=None
    )


def is_depthwise(layer: Any) -> bool:
    """Whether it is this library's, whose groups are as many as its channels."""
    return isinstance(layer, ub.DepthwiseConv2D)


def readable(array: Array) -> Array:
    """`array`, to be read only: PyTorch warns of one that it could not write to.

    Views of a file are such, and of tensors of other frameworks.
    """
    if array.flags.writeable:
        return array
    if not array.flags.c_contiguous or not array.size:
        return array.copy()
    memory: Any = (ctypes.c_byte * array.nbytes).from_address(array.ctypes.data)
    return np.frombuffer(memory, array.dtype).reshape(array.shape)


def walk(net: nn.Module) -> list[TorchVariable]:
    """The variables of `net`; see `Backend.variables`."""
    found: dict[int, TorchVariable] = {}
    for path, module in original(net).named_modules(remove_duplicate=False):
        # A module tells nowhere else which buffers are left out of its state_dict, whose own
        # names cannot be asked: hooks rename them.
        left_out = getattr(module, "_non_persistent_buffers_set", ())
        if isinstance(module, ub.BatchNorm):
            left_out = {
                *left_out,
                COUNT,
            }  # PyTorch's tools count with it, what it computes does not
        options = {"recurse": False, "remove_duplicate": False}
        own = [*module.named_parameters(**options), *module.named_buffers(**options)]
        for attribute, tensor in own:
            name = f"{path}.{attribute}" if path else attribute
            variable = TorchVariable(name, tensor, module)
            if id(tensor) in found:
                found[id(tensor)].is_also(variable)
            elif attribute not in left_out:
                found[id(tensor)] = variable
    return list(found.values())


def layers_of(net: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """`net` and every module inside it, each once with its path."""
    yield from original(net).named_modules()


def original(net: nn.Module) -> nn.Module:
    """The module that `torch.compile` made `net` of, if it did."""
    return getattr(net, "_orig_mod", net)


def device_name(device: torch.device) -> str:
    """`"cpu"`, `"gpu:0"`, … for a `torch.device`; other kinds keep PyTorch's name."""
    if device.type == "cuda":
        return f"gpu:{device.index or 0}"
    return str(device)
