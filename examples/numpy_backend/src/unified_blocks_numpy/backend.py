"""The tape, as this library sees a framework."""

from contextlib import contextmanager
from typing import ClassVar

import numpy as np
import numpy_tape
from numpy_tape import Buffer, Module, Tape, Tensor, untaped, walk

from unified_blocks.backend import PLAIN, Backend
from unified_blocks.block import note_cast
from unified_blocks.training.losses import apply_loss
from unified_blocks_numpy.bind import bind, has_dtype
from unified_blocks_numpy.learning import TapeTrainingStep, loss_function
from unified_blocks_numpy.variables import variables_of

NO_GRAPHS = "it has no graphs"
IN_ONE = "it computes in the dtype of its parameters"
ALONE = "it has one process and one device"


class TapeBackend(Backend):
    name = "numpy_tape"
    title = "NumPy with a tape"
    version = numpy_tape.__version__
    base_class = layer_class = Module
    call_errors = (ValueError, TypeError, IndexError)
    lacks: ClassVar = {
        "layers": "the tutorial stops at `Dense`",
        "graphs": NO_GRAPHS,
        "loops-in-graphs": NO_GRAPHS,
        "while-loop-in-graphs": NO_GRAPHS,
        "lengths-in-graphs": NO_GRAPHS,
        "whole-numbers-in-graphs": NO_GRAPHS,
        "xla": NO_GRAPHS,
        "array-inputs": "an error names `ub.from_numpy`",
        "cast-inputs": "an error",
        "index-errors": "it has no `ops.take`",
        "label-errors": "the loss is infinite",
        "bfloat16": "NumPy has none",
        "mixed-precision": IN_ONE,
        "mixed-precision-training": IN_ONE,
        "held-gradients": "a tape gives them to who asks",
        "keras-files": "they are Keras' own",
        "symbol-files": "they are Gluon's own",
        "event-files": "it has no writer of them",
        "loaders": "it has none",
        "processes": ALONE,
        "sharded-parameters": ALONE,
        "devices-of-one-process": ALONE,
    }

    # tensors

    def from_numpy(self, array, device=None, dtype=None):
        return Tensor(np.array(array, has_dtype(dtype)))

    def to_numpy(self, tensor, dtype=None):
        return np.array(tensor.array, dtype)

    def dtype_of(self, tensor):
        return tensor.dtype.name

    def is_tensor(self, value):
        return isinstance(value, Tensor)

    def devices(self):
        return ["cpu"]

    def device_of(self, tensor):
        return "cpu"

    # models

    def bind(self, native):
        return bind(native)

    def extend(self, native):
        if "__init__" in vars(native):
            bind(native)

    def add_constant(self, net, name, array):
        buffer = Buffer(array.shape, array.dtype)
        buffer.write(array)
        object.__setattr__(net, name, buffer)

    def variables(self, net):
        return variables_of(net)

    def layers(self, net):
        found = {}
        for path, value, _ in walk(net):
            if isinstance(value, Module):
                found.setdefault(id(value), (path, value))
        return found.values()

    def to_device(self, net, device):
        if device != "cpu":
            raise self.unknown_device(device)
        return net

    def cast(self, net, dtype):
        for variable in self.variables(net):
            tensor = variable.tensor
            tensor.array = tensor.array.astype(has_dtype(dtype))
        note_cast((layer for _, layer in self.layers(net)), dtype)
        return net

    # calls

    def inferring(self, net):
        return untaped()

    def run(self, net, inputs, train=False):
        with untaped():
            return net(*inputs)

    @contextmanager
    def watch(self, net, begins, ends):
        layers = [layer for _, layer in self.layers(net)]
        for layer in layers:
            vars(layer)["hooks"] = (*layer.hooks, (begins, ends))
        try:
            yield
        finally:
            for layer in layers:
                vars(layer)["hooks"] = layer.hooks[:-1]

    # learning

    def loss_function(self, loss):
        return loss_function(loss)

    def value_and_grad(self, net, x, y, loss, parameters, inputs, train):
        chosen = {v.name: v.tensor for v in self.variables(net) if v.trainable and parameters}
        if inputs:
            chosen["x"] = x
        with Tape() as tape:
            value = apply_loss(loss_function(loss), net(x), y)
        gradients = tape.gradient(value, chosen.values())
        return value.array.item(), {
            name: np.zeros_like(tensor.array) if gradient is None else gradient
            for (name, tensor), gradient in zip(chosen.items(), gradients, strict=True)
        }

    def training_step(self, net, optimizer, loss, options=PLAIN):
        return TapeTrainingStep(net, self.variables(net), optimizer, loss, options)
