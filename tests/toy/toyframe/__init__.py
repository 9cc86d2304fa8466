"""A fourth framework and its adapter, in one folder: NumPy, forward only, arrays from elsewhere."""

import sys
from contextlib import contextmanager, nullcontext
from typing import ClassVar

import numpy as np
from toyarrays import Tensor, tensor

import unified_blocks as ub
from unified_blocks.backend import PLAIN, Backend, Variable
from unified_blocks.block.attributes import add_constant, check_part
from unified_blocks.block.calls import clearer_error
from unified_blocks.block.constants import Constant
from unified_blocks.block.construction import construct
from unified_blocks.ops import register


class Module:
    """The framework's own class of layers."""

    watchers = ()

    def __call__(self, *args):
        for begins, _ in self.watchers:
            begins(self, args, None)
        output = self.forward(*args)
        for _, ends in self.watchers:
            ends(self, args, output)
        return output


class ToyVariable(Variable):
    def __init__(self, name, owner, attribute, role):
        self.name, self.owner, self.attribute, self.role = name, owner, attribute, role

    array = property(lambda self: getattr(self.owner, self.attribute))
    shape = property(lambda self: self.array.shape if self.is_built else None)
    dtype = property(lambda self: str(self.array.dtype) if self.is_built else self.owner.dtype)
    device = property(lambda self: "cpu")
    trainable = property(lambda self: self.role == "parameter")
    is_built = property(lambda self: self.array is not None)

    def freeze(self):
        raise NotImplementedError("Toyframe trains nothing")

    def view(self):
        return np.asarray(self.array)

    def write(self, array):
        object.__setattr__(self.owner, self.attribute, tensor(array))


class ToyBackend(Backend):
    name, title = "toyframe", "Toyframe"
    base_class = layer_class = Module
    call_errors = (ValueError, TypeError)
    version = "1.0"
    lacks: ClassVar = {
        "gradients": "it is for inference",
        "cast": "nobody has written it",
        "copies": "nobody has written them",
        "graphs": "it has none",
        "layers": "nobody has written them",
        "array-inputs": "they are no tensors of its own",
        "cast-inputs": "an error",
    }

    def bind(self, native):
        construct(native)

        def __setattr__(net, name, value):  # noqa: N807
            if isinstance(value, Constant):
                add_constant(net, name, value)
                return
            check_part(net, name, value)
            object.__setattr__(net, name, value)

        def __call__(net, *inputs):  # noqa: N807
            try:
                for value in inputs:
                    if not self.is_tensor(value):
                        raise TypeError("not a tensor of Toyframe")
                return Module.__call__(net, *inputs)
            except Exception as error:
                raise clearer_error(net, self, inputs, error) from error

        native.__setattr__, native.__call__ = __setattr__, __call__
        return native

    def add_constant(self, net, name, array):
        object.__setattr__(net, name, tensor(array))

    def from_numpy(self, array, device=None, dtype=None):
        return tensor(np.array(array, dtype))

    def to_numpy(self, tensor, dtype=None):
        return np.array(tensor, dtype)

    def dtype_of(self, tensor):
        return str(tensor.dtype)

    def exported(self, tensor, read_only):
        return np.asarray(tensor)

    def imported(self, source, seen, device=None):
        return tensor(seen)

    def is_tensor(self, value):
        return isinstance(value, Tensor)

    def devices(self):
        return ["cpu"]

    def device_of(self, tensor):
        return "cpu"

    def to_device(self, net, device):
        if device != "cpu":
            raise self.unknown_device(device)
        return net

    def variables(self, net):
        found = {}
        for variable in self.walk(net, ""):
            first = found.setdefault((id(variable.owner), variable.attribute), variable)
            if first is not variable:
                first.is_also(variable)
        return list(found.values())

    def walk(self, net, path):
        for name, value in vars(net).items():
            if isinstance(value, Module):
                yield from self.walk(value, f"{path}{name}.")
            elif isinstance(value, Tensor) or name in getattr(net, "unbuilt", ()):
                role = "parameter" if name in getattr(net, "unbuilt", ()) else "constant"
                yield ToyVariable(path + name, net, name, role)

    def layers(self, net, path="", seen=None):
        seen = set() if seen is None else seen
        if id(net) not in seen:
            seen.add(id(net))
            yield path, net
            for name, value in vars(net).items():
                if isinstance(value, Module):
                    yield from self.layers(value, f"{path}.{name}" if path else name, seen)

    @contextmanager
    def watch(self, net, begins, ends):
        layers = [layer for _, layer in self.layers(net)]
        for layer in layers:
            object.__setattr__(layer, "watchers", ((begins, ends),))
        try:
            yield
        finally:
            for layer in layers:
                object.__delattr__(layer, "watchers")

    def inferring(self, net):
        return nullcontext()

    def run(self, net, inputs, train=False):
        return net(*inputs)

    def cast(self, net, dtype):
        raise ub.UnsupportedError("Toyframe casts no models")

    def loss_function(self, loss):
        raise ub.UnsupportedError("Toyframe has no losses")

    def value_and_grad(self, net, x, y, loss, parameters, inputs, train):
        raise ub.UnsupportedError("Toyframe has no gradients")

    def training_step(self, net, optimizer, loss, options=PLAIN):
        raise ub.UnsupportedError("Toyframe has no gradients")


def relu(x):
    return np.maximum(x, 0)


abs, exp, matmul, tanh = np.abs, np.exp, np.matmul, np.tanh


def check_finite(x, message):
    if not np.isfinite(x):
        raise ValueError(message(x))
    return x


def sum(x, axis, keepdims):
    return tensor(np.sum(x, axis, keepdims=keepdims))


BACKEND = ToyBackend()
register(
    "toyframe",
    "Toyframe",
    sys.modules[__name__],
    (Tensor,),
    missing={"gelu": "nobody has written it"},
)


@ub.Dense.native("toyframe")
class Dense(ub.Dense, Module):
    unbuilt = ("weight", "bias")

    def __init__(self, units, *, in_units=None, activation=None, use_bias=True, dtype=None):
        self.units, self.activation, self.dtype = units, activation, dtype
        self.weight = self.bias = None
        if in_units is not None:
            self.make(in_units)

    def make(self, in_units):
        generator = np.random.default_rng()
        self.weight = tensor(generator.normal(size=(self.units, in_units)).astype(self.dtype))
        self.bias = tensor(np.zeros(self.units, self.dtype))

    def forward(self, X):
        if self.weight is None:
            self.make(X.shape[-1])
        if X.dtype != self.weight.dtype:
            raise TypeError(f"a layer of {self.weight.dtype} was given {X.dtype}")
        Y = X @ self.weight.T + self.bias
        return getattr(ub.ops, self.activation)(Y) if self.activation else Y
