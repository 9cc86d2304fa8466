"""A fourth framework and its adapter, in one folder: NumPy, forward only."""

import sys

import numpy as np

import unified_blocks as ub
from unified_blocks.attributes import add_constant, check_part
from unified_blocks.backend import Backend, Variable
from unified_blocks.constants import Constant
from unified_blocks.construction import construct
from unified_blocks.ops import register


class Tensor(np.ndarray):
    """The framework's own array."""


def tensor(array):
    return np.asarray(array).view(Tensor)


class Module:
    """The framework's own class of layers."""

    def __call__(self, *args):
        return self.forward(*args)


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

    def bind(self, native):
        construct(native)

        def __setattr__(net, name, value):  # noqa: N807
            if isinstance(value, Constant):
                add_constant(net, name, value)
                return
            check_part(net, name, value)
            object.__setattr__(net, name, value)

        native.__setattr__ = __setattr__
        return native

    def add_constant(self, net, name, array):
        object.__setattr__(net, name, tensor(array))

    def from_numpy(self, array, device=None):
        return tensor(array.copy())

    def to_numpy(self, tensor):
        return np.array(tensor)

    def is_tensor(self, value):
        return isinstance(value, Tensor)

    def take(self, tensor, indices):
        return tensor[indices]

    def devices(self):
        return ["cpu"]

    def device_of(self, tensor):
        return "cpu"

    def to_device(self, net, device):
        return net

    def variables(self, net, path=""):
        found = []
        for name, value in vars(net).items():
            if isinstance(value, Module):
                found += self.variables(value, f"{path}{name}.")
            elif isinstance(value, Tensor) or name in getattr(net, "unbuilt", ()):
                role = "parameter" if name in getattr(net, "unbuilt", ()) else "constant"
                found.append(ToyVariable(path + name, net, name, role))
        return found

    def layers(self, net):
        yield "", net

    def run(self, net, inputs, train=False):
        return net(*inputs)

    def cast(self, net, dtype):
        raise ub.UnsupportedError("Toyframe casts no models")

    def loss_value(self, loss, output, y):
        raise ub.UnsupportedError("Toyframe has no losses")

    def value_and_grad(self, net, x, y, loss, parameters, inputs, train):
        raise ub.UnsupportedError("Toyframe has no gradients")

    def training_step(self, net, optimizer, loss):
        raise ub.UnsupportedError("Toyframe has no gradients")


def relu(x):
    return np.maximum(x, 0)


abs, exp, matmul = np.abs, np.exp, np.matmul


def check_finite(x, message):
    if not np.isfinite(x):
        raise ValueError(message(x))


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
        Y = X @ self.weight.T + self.bias
        return relu(Y) if self.activation == "relu" else Y
