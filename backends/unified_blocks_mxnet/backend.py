"""Gluon on MXNet, as this library sees it."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from typing import ClassVar

import numpy as np

from unified_blocks.backend import PLAIN, Backend
from unified_blocks.block import note_cast
from unified_blocks.errors import SharingError
from unified_blocks.training.losses import apply_loss
from unified_blocks_mxnet import devices, events, feeding, learning, seeds, weighted, workers
from unified_blocks_mxnet.bind import (
    OF_EVERY_BLOCK,
    bind,
    bind_constructor,
    give_forwards,
    has_dtype,
)
from unified_blocks_mxnet.channels import channels_of
from unified_blocks_mxnet.compat import INSTALL, mx, numpy_semantics
from unified_blocks_mxnet.evaluation import evaluate
from unified_blocks_mxnet.graphs import GRAPH_KINDS, MXNetGraph
from unified_blocks_mxnet.parameters import add_constant
from unified_blocks_mxnet.semantics import NUMPY, call, semantics_of
from unified_blocks_mxnet.steps import MXNetTrainingStep
from unified_blocks_mxnet.traces import trace
from unified_blocks_mxnet.tree import layers_of
from unified_blocks_mxnet.variables import (
    KINDS,
    check_shared,
    device_name,
    exported,
    variables_of,
    walk,
)

autograd = mx.autograd
MXNetError = mx.base.MXNetError


class MXNetBackend(Backend):
    name = "mxnet"
    title = "MXNet"
    base_class = mx.gluon.HybridBlock
    layer_class = mx.gluon.Block
    own_attributes = OF_EVERY_BLOCK
    kinds = KINDS
    list_remedy = "register each with register_child, or hold them in an nn.Sequential"
    call_errors = (MXNetError, AssertionError, AttributeError, TypeError, ValueError)
    graph_kinds = tuple(GRAPH_KINDS)
    losses_of_its_own = "which gives a number for each sample"
    lacks: ClassVar = {
        "forget-deleted": "Gluon keeps it",
        "array-inputs": "an error names `ub.from_numpy`",
        "cast-inputs": "an error",
        "loops-in-graphs": "an error: `ops.while_loop`, or unhybridized",
        "whole-numbers-in-graphs": "a symbol has no dtype: `ops.sum` of int32 stays "
        "int32, `ops.floor_divide` gives float32, and `abs`, `square`, `remainder` round beyond "
        "2^53",
        "empty-batches": "pools, norms, attention and recurrent layers take none",
        "index-errors": "the row is nan; for integer dtypes, the smallest value",
        "label-errors": "the loss is infinite or nan",
        "nan-in-relu": "it is 0",
        "float16": "on the CPU no dense layers, and no `ops.matmul` in a graph",
        "bfloat16": "MXNet 1.9.1 does not support it",
        "mixed-precision": "an error",
        "keras-files": "they are Keras' own",
        "xla": "it has a compiler of its own",
        "mixed-precision-training": "its AMP patches the functions of MXNet for the whole process",
        "event-files": "it has no writer of them",
        "sharded-parameters": "each worker holds all of them",
    }
    remarks: ClassVar = {
        "inputs-by-name": "except keyword-only parameters of the forward",
        "while-loop-in-graphs": "forward only; an error while gradients are recorded",
        "symbol-files": "constants have gradient 0 then, unless it was a block of Gluon's around "
        'them that was exported; with weight decay set `grad_req = "null"` on them',
    }
    note = (
        "Blocks use NumPy semantics by themselves, and networks of Gluon's that were made without "
        "them are run without. Gluon's own tools around a block (Trainer, losses, nn.Sequential) "
        "and arithmetic on its outputs need mxnet.npx.set_np(), called in each thread. "
        "MXNet 1.9.1 works with NumPy 2 and on Python 3.13, where pip does not resolve it; "
        f"what installs it there: {INSTALL}"
    )

    def bind(self, native):
        return bind(native)

    def extend(self, native):
        if "__init__" in vars(native):
            bind_constructor(native)
        give_forwards(native)

    def add_constant(self, net, name, array):
        add_constant(net, name, array)

    def add_random_constant(self, net, name, shape, dtype, initializer):
        draw = mx.np.random.uniform if initializer == "uniform" else mx.np.random.normal
        with numpy_semantics():
            add_constant(net, name, draw(0, 1, size=shape, dtype=has_dtype(dtype)).asnumpy())

    @property
    def version(self):
        return mx.__version__

    # tensors

    def from_numpy(self, array, device=None, dtype=None):
        array = np.asarray(array, None if dtype is None else has_dtype(dtype), order="C")
        with numpy_semantics():
            context = self.native_device(device) if device else None
            return mx.np.array(array, dtype=array.dtype, ctx=context)

    def to_numpy(self, tensor, dtype=None):
        array = tensor.asnumpy()
        return array if dtype is None else array.astype(dtype)

    def dtype_of(self, tensor):
        return np.dtype(tensor.dtype).name

    def exported(self, tensor, read_only):
        if tensor.ctx.device_type != "cpu":
            raise SharingError(f"a tensor on {self.device_of(tensor)}")
        check_shared(np.dtype(tensor.dtype), tensor.ndim)
        source = exported(tensor)
        if not read_only:  # before others write, what MXNet has begun must have read it
            tensor.to_dlpack_for_write()
        return source

    def imported(self, source, seen, device=None):
        context = self.native_device(device) if device else mx.current_context()
        if device_name(context) != "cpu":
            raise SharingError(f"numbers of the CPU for a tensor on {device_name(context)}")
        check_shared(seen.dtype, seen.ndim)
        if not seen.flags.c_contiguous:
            raise SharingError("an array that is not contiguous")
        with numpy_semantics():
            try:
                return mx.nd.from_dlpack(source.__dlpack__()).as_np_ndarray()
            except MXNetError as error:  # an axis of size 1 may have any stride
                raise SharingError(f"what MXNet refuses ({error})") from error

    def is_tensor(self, value):
        return isinstance(value, mx.np.ndarray)

    def tensor_of(self, value):
        return NUMPY.taken(value)

    # devices

    def devices(self):
        return ["cpu", *(f"gpu:{i}" for i in range(mx.context.num_gpus()))]

    def device_of(self, tensor):
        return device_name(tensor.ctx)

    def exact_products(self):
        os.environ["NVIDIA_TF32_OVERRIDE"] = "0"  # read when a GPU is first used

    def to_device(self, net, device):
        with semantics_of(net).scope():
            context = self.native_device(device)
            for variable in walk(net):
                variable.parameter.reset_ctx(context)
        return net

    def native_device(self, name: str) -> mx.Context:
        """MXNet's context for our name of it."""
        kind, _, index = name.partition(":")
        if kind not in ("cpu", "gpu") or not (index or "0").isdecimal():
            raise self.unknown_device(name)
        context = mx.Context(kind, int(index or 0))
        if kind == "gpu" and context.device_id >= mx.context.num_gpus():
            raise self.unknown_device(name)
        return context

    # models

    def variables(self, net):
        return variables_of(net)

    def layers(self, net):
        return layers_of(net)

    def channels_of(self, layer):
        return channels_of(layer)

    def caller(self, net):
        return learning.caller(net)

    def forward_of(self, net):
        return learning.forward_of(net)

    def inferred(self, net, inputs):
        return learning.applied(learning.caller(net), inputs, net)

    def run(self, net, inputs, train=False):
        scope = autograd.train_mode() if train else autograd.predict_mode()
        with autograd.pause(), scope:
            return learning.applied(partial(call, net), inputs, net)

    @contextmanager
    def watch(self, net, begins, ends):
        def before(block, args):
            if not isinstance(args[0], mx.sym.Symbol):  # traced, as a part of a graph
                begins(block, NUMPY.taken(args), None)

        def after(block, args, output):
            if not isinstance(args[0], mx.sym.Symbol):  # traced, as a part of a graph
                ends(block, NUMPY.taken(args), NUMPY.taken(output))

        with ExitStack() as hooks:
            for _, block in layers_of(net):
                hooks.enter_context(block.register_forward_pre_hook(before))
                hooks.enter_context(block.register_forward_hook(after))
            yield

    @contextmanager
    def inferring(self, net):
        with numpy_semantics(), autograd.pause(), autograd.predict_mode():
            yield

    def graph(self, net, kind, dynamic=False):
        return MXNetGraph(net, kind)  # its graphs are for every shape

    def trace(self, net, inputs):
        return trace(net, inputs)

    def evaluate(self, graph, arrays, inputs, dtype="float64", weights=None):
        return evaluate(graph, arrays, inputs, dtype, weights)

    def finish(self):
        mx.nd.waitall()

    def cast(self, net, dtype):
        with semantics_of(net).scope():
            net.cast(has_dtype(dtype))
        note_cast((block for _, block in layers_of(net)), dtype)
        return net

    # learning

    def loss_function(self, loss):
        return learning.loss_function(loss)

    def value_and_grad(self, net, x, y, loss, parameters, inputs, train):
        function = self.loss_function(loss)
        with numpy_semantics():
            trained = [v for v in walk(net) if v.trainable]
            buffers = {v.name: v.parameter.list_grad()[0] for v in trained}
            held = {name: buffer.copy() for name, buffer in buffers.items()}
            if inputs:
                x = x.copy()
                x.attach_grad()
            try:
                for buffer in buffers.values():
                    buffer[()] = 0  # what the output does not depend on is not written
                modes = nullcontext() if train else learning.keeping_places(net)
                with autograd.record(train_mode=train), modes:
                    output = call(net, x)
                    value = apply_loss(function, output, y)
                    # MXNet cannot differentiate a loss that depends on nothing.
                    nothing = mx.np.zeros_like(value)
                    nothing.attach_grad()
                    value = value + nothing
                if buffers or inputs:
                    value.backward(train_mode=train)
                found = {name: b.asnumpy() for name, b in buffers.items()} if parameters else {}
            finally:
                for name, buffer in buffers.items():
                    buffer[()] = held[name]
            return float(value.item()), {**found, "x": x.grad.asnumpy()} if inputs else found

    def training_step(self, net, optimizer, loss, options=PLAIN):
        if options.group is None:
            return MXNetTrainingStep(net, optimizer, loss, options)
        several = isinstance(options.group, devices.MXNetDevices)
        step = devices.MXNetDevicesStep if several else workers.MXNetSharedStep
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

    def devices_of(self, net):
        return devices.devices_of(net)
