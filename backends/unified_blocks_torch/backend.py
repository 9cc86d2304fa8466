"""PyTorch, as this library sees it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, contextmanager
from typing import ClassVar

import numpy as np
import torch
from torch import nn
from torch.utils.dlpack import from_dlpack

from unified_blocks.backend import PLAIN, Backend
from unified_blocks.block import note_cast
from unified_blocks.dtypes import numpy_dtype
from unified_blocks.errors import SharingError
from unified_blocks.training.data.batches import applied
from unified_blocks.training.losses import apply_loss
from unified_blocks_torch import events, feeding, learning, seeds, weighted, workers
from unified_blocks_torch.bind import bind, bind_constructor
from unified_blocks_torch.channels import channels_of
from unified_blocks_torch.graphs import GRAPH_KINDS, TorchGraph
from unified_blocks_torch.steps import TorchTrainingStep
from unified_blocks_torch.variables import KINDS, device_name, layers_of, original, walk


class TorchBackend(Backend):
    name = "torch"
    title = "PyTorch"
    base_class = layer_class = nn.Module
    own_attributes = frozenset(vars(nn.Module()))
    kinds = KINDS
    list_remedy = "hold them in an nn.ModuleList or nn.ModuleDict"
    call_errors = (RuntimeError, TypeError, AttributeError)
    graph_kinds = GRAPH_KINDS
    lacks: ClassVar = {
        "array-inputs": "an error names `ub.from_numpy`",
        "cast-inputs": "an error",
        "loops-in-graphs": "a graph break",
        "while-loop-in-graphs": "a graph break",
        "lengths-in-graphs": "how PyTorch packs sequences depends on them",
        "mixed-precision": "an error; `torch.autocast` around a call does so",
        "keras-files": "they are Keras' own",
        "symbol-files": "they are Gluon's own",
        "xla": "it has compilers of its own",
        "devices-of-one-process": "a process for each device, by `torchrun`",
    }
    remarks: ClassVar = {"float16": "for inference"}

    def bind(self, native):
        return bind(native)

    def extend(self, native):
        if "__init__" in vars(native):
            bind_constructor(native)

    def add_constant(self, net, name, array):
        net.register_buffer(name, torch.tensor(array))  # where PyTorch puts new tensors

    def add_random_constant(self, net, name, shape, dtype, initializer):
        draw = torch.rand if initializer == "uniform" else torch.randn
        net.register_buffer(name, draw(shape, dtype=getattr(torch, dtype)))

    @property
    def version(self):
        return torch.__version__

    # tensors

    def from_numpy(self, array, device=None, dtype=None):
        array = np.asarray(array, None if dtype is None else numpy_dtype(dtype), order="C")
        tensor = torch.tensor(array, device=self.native_device(device) if device else None)
        return tensor.bfloat16() if dtype == "bfloat16" else tensor

    def to_numpy(self, tensor, dtype=None):
        tensor = tensor if dtype is None else tensor.to(getattr(torch, dtype))
        return tensor.numpy(force=True).copy()

    def dtype_of(self, tensor):
        return str(tensor.dtype).removeprefix("torch.")

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

    @contextmanager
    def one_thread(self):
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)

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
        return walk(net)

    def layers(self, net):
        return layers_of(net)

    def channels_of(self, layer):
        return channels_of(layer)

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
        with learning.mode(net, False), torch.no_grad():
            yield

    def graph(self, net, kind, dynamic=False):
        return TorchGraph(original(net), dynamic)

    def finish(self):
        if torch.cuda.is_initialized():
            for i in range(torch.cuda.device_count()):
                torch.cuda.synchronize(i)

    def forward_of(self, net):
        return original(net).forward

    def inferred(self, net, inputs):
        return applied(net, inputs)

    def run(self, net, inputs, train=False):
        with learning.mode(net, train), torch.no_grad():
            return applied(net, inputs)

    def cast(self, net, dtype):
        note_cast(net.modules(), dtype)
        return net.to(getattr(torch, dtype))

    # learning

    def loss_function(self, loss):
        return learning.loss_function(loss)

    def value_and_grad(self, net, x, y, loss, parameters, inputs, train):
        function = self.loss_function(loss)
        chosen: dict[str, torch.Tensor] = {}
        if parameters:
            chosen = {v.name: v.tensor for v in walk(net) if v.trainable}
        if inputs:
            chosen["x"] = x = x.detach().clone().requires_grad_()
        with learning.mode(net, train), torch.enable_grad():
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

    def training_step(self, net, optimizer, loss, options=PLAIN):
        step = workers.TorchSharedStep if options.group else TorchTrainingStep
        return step(net, optimizer, loss, options)

    def weighted_loss(self, loss):
        return weighted.weighted_loss(loss)

    def seed(self, net, seed):
        seeds.seed(net, seed)

    def loader_of(self, value):
        return feeding.loader_of(value)

    def taken(self, tensor, device=None):
        return feeding.taken(tensor, device)

    def event_writer(self, folder):
        return events.event_writer(folder)

    def join(self, how="auto"):
        return workers.join(how)
