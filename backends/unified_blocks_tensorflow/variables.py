"""The variables of Keras models, in canonical names and layout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import unified_blocks as ub
from unified_blocks.backend import Variable
from unified_blocks.errors import UnsupportedError
from unified_blocks.types import Array
from unified_blocks_tensorflow.quantization import is_quantized

OF_EVERY_MODEL = frozenset(vars(keras.Model(name="bare")))
"""Attributes that Keras gives to every model, lists of its layers among them."""


class TensorFlowVariable(Variable):
    """A variable of a layer or model, under the attribute that holds it.

    `axes` is the order of Keras' axes in canonical layout.
    """

    axes: tuple[int, ...] | None = None

    def __init__(self, name: str, owner: keras.layers.Layer, attribute: str) -> None:
        self.name, self.owner, self.attribute = name, owner, attribute
        self.role = "parameter" if self._role_is_parameter() else "constant"

    def _role_is_parameter(self) -> bool:
        # By how it was made, not by handle.trainable: a frozen parameter is one.
        return not any(v is self.handle for v in self.owner._non_trainable_variables)

    @property
    def handle(self) -> keras.Variable:
        return getattr(self.owner, self.attribute)

    @property
    def trainable(self):
        return self.role == "parameter" and (not self.is_built or self.handle.trainable)

    def freeze(self):
        self.handle.trainable = False

    @property
    def is_built(self):
        return True

    @property
    def shape(self):
        shape = tuple(self.handle.shape)
        return shape if self.axes is None else tuple(shape[axis] for axis in self.axes)

    @property
    def dtype(self):
        return self.handle.dtype if self.is_built else self.owner.dtype_policy.variable_dtype

    @property
    def device(self):
        return device_name(self.handle.value.device) if self.is_built else None

    # TensorFlow moves the numbers: NumPy takes ten times as long to transpose a large matrix.

    def to_canonical(self, array: Any) -> Array:
        """`array` as Keras lays this variable out, in canonical layout."""
        return np.asarray(array if self.axes is None else tf.transpose(array, self.axes))

    def to_native(self, array: Array) -> Any:
        """`array`, in canonical layout, as Keras lays this variable out."""
        return array if self.axes is None else tf.transpose(array, np.argsort(self.axes))

    def view(self):
        tensor = tf.convert_to_tensor(self.handle.value)
        narrow = tensor.dtype == tf.bfloat16
        return self.to_canonical(tf.cast(tensor, tf.float32) if narrow else tensor)

    def write(self, array):
        array = tf.cast(array, tf.bfloat16) if self.dtype == "bfloat16" else array
        self.handle.assign(self.to_native(array))


@dataclass(frozen=True)
class Held:
    """A variable that layers of a family hold.

    Attributes:
        name, attribute: what it is called canonically and in Keras.
        option: the attribute that tells whether a layer has it.
        axes: see `TensorFlowVariable`.
        constant: whether it is one.
    """

    name: str
    attribute: str
    option: str | None = None
    axes: tuple[int, ...] | None = None
    constant: bool = False


def kernel(rank: int) -> tuple[Held, Held]:
    """A weight of so many axes, `(…, in, out)` in Keras and `(out, in, …)` canonically; a bias.

    Of a transposed convolution they are `(…, out, in)` and `(in, out, …)`: the same order.
    """
    axes = (rank - 1, rank - 2, *range(rank - 2))
    return Held("weight", "kernel", axes=axes), Held("bias", "bias", "use_bias")


NORM = (Held("weight", "gamma", "scale"), Held("bias", "beta", "center"))
FAMILIES: dict[type[keras.layers.Layer], tuple[Held, ...]] = {
    keras.layers.Dense: kernel(2),
    keras.layers.Conv1D: kernel(3),
    keras.layers.Conv1DTranspose: kernel(3),
    keras.layers.Conv2D: kernel(4),
    keras.layers.Conv2DTranspose: kernel(4),
    keras.layers.Conv3D: kernel(5),
    keras.layers.Conv3DTranspose: kernel(5),
    keras.layers.Embedding: (Held("weight", "embeddings"),),
    keras.layers.LayerNormalization: NORM,
    keras.layers.BatchNormalization: (
        *NORM,
        Held("running_mean", "moving_mean", constant=True),
        Held("running_var", "moving_variance", constant=True),
    ),
}
"""Keras' own layers whose variables have canonical names, and how to build them."""
TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)
KINDS = {
    **{cls: cls.__name__ for cls in FAMILIES},
    keras.layers.LayerNormalization: "LayerNorm",
    keras.layers.BatchNormalization: "BatchNorm",
}
"""What this library calls them."""


class TensorFlowLayerVariable(TensorFlowVariable):
    """A variable of a layer of Keras' own that may not be built yet."""

    def __init__(self, path: str, owner: keras.layers.Layer, held: Held) -> None:
        self.held, self.axes = held, held.axes
        if isinstance(owner, keras.layers.BatchNormalization) and not isinstance(owner, ub.Block):
            self.obstacle = (
                "Keras has to know how many axes the input of a BatchNormalization has; call "
                "ub.build(net, input_shape) first"
            )
        super().__init__(path + held.name, owner, held.attribute)

    def _role_is_parameter(self):
        return not self.held.constant

    @property
    def is_built(self):
        return self.owner.built

    @property
    def shape(self):
        if self.is_built:
            return super().shape
        layer = self.owner
        if isinstance(layer, keras.layers.Embedding):
            return (layer.input_dim, layer.output_dim)
        if isinstance(layer, keras.layers.LayerNormalization):
            return (None,) * (len(layer.axis) if isinstance(layer.axis, list | tuple) else 1)
        if isinstance(layer, keras.layers.BatchNormalization):
            return (None,)
        units = layer.units if isinstance(layer, keras.layers.Dense) else layer.filters
        if self.axes is None:
            return (units,)
        transposed = isinstance(layer, TRANSPOSED)
        return ((None, units) if transposed else (units, None)) + getattr(layer, "kernel_size", ())

    def input_shape(self, shape: tuple[int, ...]) -> tuple[int | None, ...]:
        """What the layer takes, by the canonical shape of its first variable."""
        if len(shape) <= 2:
            return (None, shape[-1])
        layer, space = self.owner, (None,) * (len(shape) - 2)
        # A transposed convolution has (in, out, …), and no groups.
        channels = shape[1] * layer.groups if hasattr(layer, "groups") else shape[0]
        first = layer.data_format == "channels_first"
        return (None, channels, *space) if first else (None, *space, channels)

    def write(self, array):
        if not self.is_built:
            self.owner.build(self.input_shape(array.shape))
        super().write(array)


class TensorFlowUnknownVariable(TensorFlowVariable):
    """What an unbuilt layer of Keras will hold, if anything; its build tells."""

    def __init__(self, name: str, owner: keras.layers.Layer) -> None:
        super().__init__(name, owner, "*")

    def _role_is_parameter(self):
        return True

    @property
    def is_built(self):
        return False

    @property
    def shape(self):
        return None

    def write(self, array):
        raise UnsupportedError(
            f"on TensorFlow a {type(self.owner).__name__} cannot be built from a state; "
            "call ub.build(net, input_shape) first"
        )


def walk(net: keras.layers.Layer) -> list[TensorFlowVariable]:
    """The variables of `net`; see `Backend.variables`.

    Raises:
        UnsupportedError: for a layer whose variables have no canonical names yet.
    """
    found: dict[Any, TensorFlowVariable] = {}
    for variable in _walk(net, "", set()):
        built = variable.is_built
        key = id(variable.handle) if built else (id(variable.owner), variable.attribute)
        first = found.setdefault(key, variable)
        if first is not variable:
            first.is_also(variable)
            if first.axes is None:  # the layout is that of the layer that made it
                first.axes = variable.axes
    reached = {id(v.handle) for v in found.values() if v.is_built}
    missed = [w.path for w in net.weights if id(w) not in reached]
    quantized = [each.dtype_policy.name for _, each in layers_of(net) if is_quantized(each)]
    if quantized:
        raise UnsupportedError(
            "on TensorFlow the numbers of a model that Keras has quantized have no canonical "
            f"names; got a {type(net).__name__} with a layer of policy {quantized[0]}: "
            "use Keras' own files, or the model as it was before net.quantize"
        )
    if missed:
        known = ", ".join(cls.__name__ for cls in FAMILIES)
        raise UnsupportedError(
            f"on TensorFlow the variables of {known}, and those that are attributes of a model, "
            f"have canonical names; got a model that also holds {', '.join(missed)}"
        )
    return list(found.values())


def _walk(layer: Any, path: str, above: set[int]) -> Iterator[TensorFlowVariable]:
    if id(layer) in above:
        return
    start = f"{path}." if path else ""
    family = next((held for cls, held in FAMILIES.items() if isinstance(layer, cls)), None)
    if family is not None:
        for held in family:
            if held.option is None or getattr(layer, held.option):
                yield TensorFlowLayerVariable(start, layer, held)
        return
    own_layer = type(layer).__module__.startswith("keras.") and not isinstance(layer, keras.Model)
    if own_layer and not layer.built:
        yield TensorFlowUnknownVariable(start + "*", layer)
    for name, value in _attributes(layer):
        if isinstance(value, keras.Variable) and not own_layer:  # Keras' names are not canonical
            yield TensorFlowVariable(start + name, layer, name)
    for name, child in children_of(layer):
        yield from _walk(child, start + name, above | {id(layer)})


def layers_of(net: keras.layers.Layer) -> list[tuple[str, keras.layers.Layer]]:
    """`net` and every layer inside it, each once with its path, which is its first name."""
    found = [("", net)]
    seen = {id(net)}

    def visit(layer: Any, start: str) -> None:
        for name, child in children_of(layer):
            if id(child) not in seen:
                seen.add(id(child))
                found.append((start + name, child))
                visit(child, f"{start}{name}.")

    visit(net, "")
    return found


def is_keras_own(name: str) -> bool:
    """Whether an attribute of this name is one that Keras or TensorFlow keeps for itself."""
    return name in OF_EVERY_MODEL or name.startswith("_self_")


def _attributes(layer: Any) -> Iterator[tuple[str, Any]]:
    for name, value in vars(layer).items():
        if not is_keras_own(name):
            yield name, value


def children_of(layer: Any) -> Iterator[tuple[str, Any]]:
    """The layers directly inside `layer`, each under its canonical name."""
    if isinstance(layer, keras.Sequential):
        yield from ((str(i), child) for i, child in enumerate(layer.layers))
        return
    if isinstance(layer, keras.Model) and hasattr(layer, "operations"):  # a Functional model
        yield from ((child.name, child) for child in layer.layers)
        return
    sequence = isinstance(layer, ub.MySequential)
    if sequence:
        yield from ((str(i), child) for i, child in enumerate(layer))
    for name, value in _attributes(layer):
        if not (sequence and name == "blocks"):
            yield from _inside(name, value)


def _inside(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The layers in an attribute: it is one, or a list or dict that holds some."""
    if isinstance(value, keras.layers.Layer):
        yield name, value
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from _inside(f"{name}.{i}", item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _inside(f"{name}.{key}", item)


def device_name(device: str) -> str:
    """`"cpu"`, `"gpu:0"`, … for TensorFlow's name of a device."""
    spec = tf.DeviceSpec.from_string(device)
    kind, index = (spec.device_type or "CPU").lower(), spec.device_index or 0
    return kind if (kind, index) == ("cpu", 0) else f"{kind}:{index}"
