"""PyTorch, as this library sees it."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn
from torch.nn import UninitializedBuffer, UninitializedParameter
from torch.utils.dlpack import from_dlpack

from unified_blocks.backend import Backend, Variable
from unified_blocks.block import note_cast
from unified_blocks.block.construction import construct
from unified_blocks.errors import SharingError
from unified_blocks.training.losses import apply_loss
from unified_blocks.types import Array
from unified_blocks_torch import learning
from unified_blocks_torch.bind import bind
from unified_blocks_torch.graphs import TorchGraph

LAZY_CONVOLUTIONS = (
    *(nn.LazyConv1d, nn.LazyConv2d, nn.LazyConv3d),
    *(nn.LazyConvTranspose1d, nn.LazyConvTranspose2d, nn.LazyConvTranspose3d),
)
LAZY_NORMS = (
    *(nn.LazyBatchNorm1d, nn.LazyBatchNorm2d, nn.LazyBatchNorm3d),
    *(nn.LazyInstanceNorm1d, nn.LazyInstanceNorm2d, nn.LazyInstanceNorm3d),
    nn.LayerNorm,  # lazy in this library
)


class TorchVariable(Variable):
    """A parameter or buffer of a module."""

    def __init__(self, name: str, tensor: torch.Tensor, owner: nn.Module) -> None:
        self.name, self.tensor, self.owner = name, tensor, owner
        self.role = "parameter" if isinstance(tensor, nn.Parameter) else "constant"
        # A batch norm counts its batches; that matters only to one that averages over them all.
        counts = name.rpartition(".")[2] == "num_batches_tracked"
        self.optional = counts and getattr(owner, "momentum", None) is not None
        if self.shape is None:
            self.obstacle = (
                f"only a call of a {type(owner).__name__} tells its shape; call "
                "ub.build(net, input_shape) first"
            )

    @property
    def shape(self):
        if self.is_built:
            return tuple(self.tensor.shape)
        owner = self.owner
        sizes: tuple[int | None, ...]
        if isinstance(owner, LAZY_NORMS):
            return (None,)
        if isinstance(owner, nn.LazyLinear):
            units, sizes = owner.out_features, (owner.out_features, None)
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
        tensor = self.tensor.detach().cpu()
        return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()

    def write(self, array):
        with torch.no_grad():
            if isinstance(self.tensor, UninitializedParameter | UninitializedBuffer):
                self.tensor.materialize(array.shape)
                if isinstance(self.owner, nn.LazyLinear) and self.tensor is self.owner.weight:
                    self.owner.in_features = array.shape[1]  # else it says 0 until the first call
            self.tensor.copy_(torch.from_numpy(readable(array)))


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


class TorchBackend(Backend):
    name = "torch"
    title = "PyTorch"
    base_class = layer_class = nn.Module
    own_attributes = frozenset(vars(nn.Module()))
    kinds: ClassVar = {
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
    }
    list_remedy = "hold them in an nn.ModuleList or nn.ModuleDict"
    call_errors = (RuntimeError, TypeError, AttributeError)
    graph_kinds = ("torch.compile",)
    lacks: ClassVar = {
        "array-inputs": "an error names `ub.from_numpy`",
        "cast-inputs": "an error",
        "loops-in-graphs": "a graph break",
        "while-loop-in-graphs": "a graph break",
        "keras-files": "they are Keras' own",
        "symbol-files": "they are Gluon's own",
        "xla": "it has compilers of its own",
    }
    remarks: ClassVar = {"float16": "for inference"}

    def bind(self, native):
        return bind(native)

    def extend(self, native):
        if "__init__" in vars(native):
            construct(native)

    def add_constant(self, net, name, array):
        net.register_buffer(name, torch.from_numpy(array))

    @property
    def version(self):
        return torch.__version__

    # tensors

    def from_numpy(self, array, device=None):
        return torch.tensor(array, device=self.native_device(device) if device else None)

    def to_numpy(self, tensor):
        return tensor.numpy(force=True).copy()

    def narrowed(self, array, dtype, device=None):
        if dtype != "bfloat16":
            return super().narrowed(array, dtype, device)
        return self.from_numpy(np.asarray(array, "float32", order="C"), device).bfloat16()

    def widened(self, tensor):
        dtype = str(tensor.dtype).removeprefix("torch.")
        return self.to_numpy(tensor.float() if dtype == "bfloat16" else tensor), dtype

    def exported(self, tensor, read_only):
        if tensor.device.type != "cpu":
            raise SharingError(f"a tensor on {self.device_of(tensor)}")
        if type(tensor) not in (torch.Tensor, nn.Parameter, nn.Buffer):
            raise SharingError(f"a {type(tensor).__name__}, whose numbers may be elsewhere")
        # DLPack tells of memory, not of what PyTorch makes of it when it reads it.
        if tensor.is_neg() or (tensor.numel() and not tensor.data_ptr()):
            raise SharingError("a tensor whose numbers are not those in its memory")
        return tensor.detach()

    def imported(self, source, seen, device=None):
        wanted = self.native_device(device) if device else torch.get_default_device()
        if wanted.type != "cpu":
            raise SharingError(f"numbers of the CPU for a tensor on {device_name(wanted)}")
        return from_dlpack(source)

    def is_tensor(self, value):
        return isinstance(value, torch.Tensor)

    # devices

    def devices(self):
        return ["cpu", *(f"gpu:{i}" for i in range(torch.cuda.device_count()))]

    def exact_products(self):
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False

    def device_of(self, tensor):
        return device_name(tensor.device)

    def to_device(self, net, device):
        return net.to(self.native_device(device))

    def native_device(self, name: str) -> torch.device:
        """PyTorch's device for our name of it: CUDA devices are GPUs here."""
        if name not in ("cpu", "meta") and name not in self.devices():
            raise self.unknown_device(name)
        return torch.device(name.replace("gpu", "cuda"))

    # models

    def variables(self, net):
        net = original(net)
        found: dict[int, TorchVariable] = {}
        for path, module in net.named_modules(remove_duplicate=False):
            # A module tells nowhere else which buffers are left out of its state_dict, whose own
            # names cannot be asked: hooks rename them.
            left_out = getattr(module, "_non_persistent_buffers_set", ())
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

    def layers(self, net):
        return original(net).named_modules()

    @contextmanager
    def watch(self, net, begins, ends):
        modules = list(original(net).modules()) if original(net) is net else [original(net)]
        with ExitStack() as hooks:
            for module in modules:
                for handle in (
                    module.register_forward_pre_hook(
                        lambda m, args, named: begins(m, [*args, *named.values()], None),
                        with_kwargs=True,
                    ),
                    module.register_forward_hook(
                        lambda m, args, named, output: ends(m, [*args, *named.values()], output),
                        with_kwargs=True,
                    ),
                ):
                    hooks.callback(handle.remove)
            yield

    @contextmanager
    def inferring(self, net):
        with mode(net, False), torch.no_grad():
            yield

    def graph(self, net, kind, dynamic=False):
        return TorchGraph(original(net), dynamic)

    def finish(self):
        if torch.cuda.is_initialized():
            for i in range(torch.cuda.device_count()):
                torch.cuda.synchronize(i)

    def run(self, net: Any, inputs: Sequence[Any], train: bool = False) -> Any:
        with mode(net, train), torch.no_grad():
            return net(*inputs)

    def cast(self, net, dtype):
        note_cast(net.modules(), dtype)
        return net.to(getattr(torch, dtype))

    # learning

    def loss_value(self, loss, output, y):
        return float(apply_loss(learning.loss_function(loss), output, y))

    def value_and_grad(self, net, x, y, loss, parameters, inputs, train):
        function = learning.loss_function(loss)
        chosen: dict[str, torch.Tensor] = {}
        if parameters:
            chosen = {v.name: v.tensor for v in self.variables(net) if v.trainable}
        if inputs:
            chosen["x"] = x = x.detach().clone().requires_grad_()
        with mode(net, train), torch.enable_grad():
            output = net(x)
            value = apply_loss(function, output, y)
            tensors = list(chosen.values())
            gradients: Sequence[torch.Tensor | None] = [None] * len(tensors)
            if tensors and value.requires_grad:
                gradients = torch.autograd.grad(value, tensors, allow_unused=True)
        return value.item(), {
            name: np.zeros_like(self.to_numpy(tensor)) if g is None else self.to_numpy(g)
            for (name, tensor), g in zip(chosen.items(), gradients, strict=True)
        }

    def training_step(self, net, optimizer, loss):
        return learning.TorchTrainingStep(net, self.variables(net), optimizer, loss, mode)


def original(net: nn.Module) -> nn.Module:
    """The module that `torch.compile` made `net` of, if it did."""
    return getattr(net, "_orig_mod", net)


@contextmanager
def mode(net: nn.Module, train: bool):
    """Training or evaluation mode inside the `with`; each module gets its own mode back."""
    before = [module for module in net.modules() if module.training != train]
    for module in before:
        module.training = train
    try:
        yield
    finally:
        for module in before:
            module.training = not train


def device_name(device: torch.device) -> str:
    """`"cpu"`, `"gpu:0"`, … for a `torch.device`; other kinds keep PyTorch's name."""
    if device.type == "cuda":
        return f"gpu:{device.index or 0}"
    return str(device)
