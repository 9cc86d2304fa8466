"""The variables of Keras models, in canonical names and layout."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import unified_blocks as ub
from unified_blocks.backend import Variable
from unified_blocks.errors import UnsupportedError
from unified_blocks.types import Array
from unified_blocks_tensorflow.families import (
    BUILT_BY_INPUTS,
    NORMS_OF_CHANNELS,
    NORMS_OVER_AXES,
    TRANSPOSED,
    Held,
    Layout,
    Part,
    axes_of,
    family_of,
)
from unified_blocks_tensorflow.projections import ATTENTION, parts_of
from unified_blocks_tensorflow.quantization import is_quantized
from unified_blocks_tensorflow.recurrent_families import held_by_recurrent, why_unknown

OF_EVERY_MODEL = frozenset(vars(keras.Model(name="bare")))
"""Attributes that Keras gives to every model, lists of its layers among them."""


class TensorFlowVariable(Variable):
    """A variable of a layer or model, under the attribute that holds it.

    `layout` is that of Keras, None where it is the canonical one; `part` is its part in what the
    attribute holds, None where it is all of it.
    """

    layout: Layout | None = None
    part: Part | None = None

    def __init__(self, name: str, owner: keras.layers.Layer, attribute: str) -> None:
        self.name, self.owner, self.attribute = name, owner, attribute
        self.place = attribute  # in its owner
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
        shape = shape if self.part is None else self.part.shape(shape)
        return shape if self.layout is None else self.layout.shape(shape)

    @property
    def dtype(self):
        return self.handle.dtype if self.is_built else self.owner.dtype_policy.variable_dtype

    @property
    def device(self):
        return device_name(self.handle.value.device) if self.is_built else None

    def to_canonical(self, array: Any) -> Array:
        """`array` as Keras lays this variable out, in canonical layout."""
        array = array if self.part is None else self.part.of(array)
        return np.asarray(array if self.layout is None else self.layout.to_canonical(array))

    def numbers(self, array: Any) -> Array:
        """As `to_canonical`, of numbers that are held and not of their gradient."""
        found = self.to_canonical(array)
        return np.zeros_like(found) if self.part is not None and self.part.is_zero else found

    def to_native(self, array: Array, before: Any) -> Any:
        """`array`, in canonical layout, as Keras lays this variable out, which holds `before`."""
        if self.layout is not None:
            array = self.layout.to_native(array, tuple(self.handle.shape))
        return array if self.part is None else self.part.merged(array, before)

    def view(self):
        tensor = tf.convert_to_tensor(self.handle.value)
        narrow = tensor.dtype == tf.bfloat16
        return self.numbers(tf.cast(tensor, tf.float32) if narrow else tensor)

    def write(self, array):
        array = tf.cast(array, tf.bfloat16) if self.dtype == "bfloat16" else array
        self.handle.assign(self.to_native(array, self.handle.value))


class TensorFlowItemVariable(TensorFlowVariable):
    """A variable in a list or a dict, or one that no attribute holds."""

    handle: keras.Variable = None

    def __init__(self, name: str, owner: keras.layers.Layer, handle: keras.Variable) -> None:
        self.handle = handle
        super().__init__(name, owner, "")


class TensorFlowForeignVariable(TensorFlowItemVariable):
    """A variable of a layer of Keras' own that this library does not know."""

    foreign = True


class TensorFlowLayerVariable(TensorFlowVariable):
    """A variable of a layer of Keras' own that may not be built yet."""

    def __init__(self, path: str, owner: keras.layers.Layer, held: Held) -> None:
        self.held, self.layout, self.part = held, held.layout(owner), held.part
        self.kind, self.optional = held.kind, held.optional
        ours = isinstance(owner, ub.Block)
        over_axes = isinstance(owner, NORMS_OVER_AXES) and len(axes_of(owner)) > 1
        self.unsettled = over_axes and not ours
        if isinstance(owner, keras.layers.GroupNormalization):
            self.groups = owner.groups
        if isinstance(owner, BUILT_BY_INPUTS) and not ours:
            self.obstacle = (
                f"Keras has to know the shape of the input of a {type(owner).__name__}; call "
                "ub.build(net, input_shape) first"
            )
        super().__init__(path + held.name, owner, held.attribute)
        self.place = held.name
        if held.part is not None and held.part.is_zero:
            self.sum_with = path + held.name.replace("bias_hh", "bias_ih")

    def _role_is_parameter(self):
        return not self.held.constant

    @property
    def handle(self):
        return getattr(self.held.holder(self.owner), self.attribute)

    @property
    def is_built(self):
        return self.owner.built

    @property
    def shape(self):
        if self.is_built:
            return super().shape
        layer = self.owner
        if self.held.sizes is not None:
            return self.held.sizes(layer)
        if isinstance(layer, keras.layers.Embedding):
            return (layer.input_dim, layer.output_dim)
        if isinstance(layer, NORMS_OVER_AXES):
            return (None,) * len(axes_of(layer))
        if is_depthwise(layer):
            return (None,) if self.layout is None else (None, 1, *layer.kernel_size)
        if isinstance(layer, BUILT_BY_INPUTS):
            return (None,) if isinstance(layer, NORMS_OF_CHANNELS) else None
        units = layer.units if isinstance(layer, keras.layers.Dense) else layer.filters
        if self.layout is None:
            return (units,)
        transposed = isinstance(layer, TRANSPOSED)
        of_group = units // getattr(layer, "groups", 1)
        sizes = (None, of_group) if transposed else (units, None)
        return sizes + getattr(layer, "kernel_size", ())

    def input_shape(self, shape: tuple[int, ...]) -> tuple[int | None, ...]:
        """What the layer takes, by the canonical shape of its first variable."""
        layer = self.owner
        if self.held.axes:
            return (None,) * (self.held.axes - 1) + (shape[1],)
        if isinstance(layer, NORMS_OVER_AXES):
            axes = sorted(axes_of(layer))
            sizes = shape if self.layout is None else (*shape[1:], shape[0])
            found: list[int | None] = [None] * (max(abs(axes[0]), axes[-1]) + 1)
            for axis, size in zip(axes, sizes, strict=True):
                found[axis] = size
            return tuple(found)
        if len(shape) <= 2:
            return (None, shape[-1])
        space = (None,) * (len(shape) - 2)
        if is_depthwise(layer):
            channels = shape[0] // layer.depth_multiplier
        else:  # a transposed convolution has (in, out / groups, …)
            transposed = isinstance(layer, TRANSPOSED)
            channels = shape[0] if transposed else shape[1] * getattr(layer, "groups", 1)
        first = layer.data_format == "channels_first" or not getattr(layer, "channels_last", True)
        return (None, channels, *space) if first else (None, *space, channels)

    def write(self, array):
        if not self.is_built:
            self.owner.build(self.input_shape(array.shape))
        super().write(array)
        if isinstance(self.owner, keras.layers.Normalization):
            self.owner.finalize_state()  # it computes with copies of its variables


def is_depthwise(layer: Any) -> bool:
    """Whether it is this library's, which a weight tells of how many channels."""
    return isinstance(layer, ub.DepthwiseConv2D)


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
    """The variables of `net`; see `Backend.variables`. Those of unknown layers come last.

    Raises:
        UnsupportedError: for a model that Keras has quantized.
    """
    quantized = [each.dtype_policy.name for _, each in layers_of(net) if is_quantized(each)]
    if quantized:
        raise UnsupportedError(
            "on TensorFlow the numbers of a model that Keras has quantized have no canonical "
            f"names; got a {type(net).__name__} with a layer of policy {quantized[0]}: "
            "use Keras' own files, or the model as it was before net.quantize"
        )
    found: dict[Any, TensorFlowVariable] = {}
    foreign: list[TensorFlowVariable] = []
    for variable in _walk(net, "", set()):
        if variable.foreign:
            foreign.append(variable)
            continue
        built = variable.is_built
        key = variable.part, id(variable.handle) if built else (id(variable.owner), variable.place)
        first = found.setdefault(key, variable)
        if first is not variable:
            first.is_also(variable)
            if first.layout is None:  # the layout is that of the layer that made it
                first.layout = variable.layout
    known = {id(variable.handle) for variable in found.values() if variable.is_built}
    for variable in foreign:  # unless a layer that is known holds it too
        if id(variable.handle) not in known:
            found.setdefault(id(variable.handle), variable)
            known.add(id(variable.handle))
    missed = [w for w in net.weights if id(w) not in known]
    return [*found.values(), *(TensorFlowForeignVariable(w.path, net, w) for w in missed)]


def _walk(layer: Any, path: str, above: set[int]) -> Iterator[TensorFlowVariable]:
    if id(layer) in above:
        return
    start = f"{path}." if path else ""
    family = family_of(layer)
    if family is None:
        family = held_by_recurrent(layer)
    if family is not None:
        for held in family:
            if held.there(layer):
                yield TensorFlowLayerVariable(start, layer, held)
        return
    if is_unknown(layer):
        if not layer.built:
            yield TensorFlowUnknownVariable(start + "*", layer)
        for variable in own_variables(layer):
            foreign = TensorFlowForeignVariable(start + variable.name, layer, variable)
            foreign.reason = why_unknown(layer)
            yield foreign
    else:
        yield from _held_by(layer, start)
    for name, child in children_of(layer):
        yield from _walk(child, start + name, above | {id(layer)})


def is_unknown(layer: Any) -> bool:
    """Whether a layer that is of no family is Keras' own: what it calls its variables is not ours.

    In a model of `keras.applications` there are layers as a user writes them.
    """
    module = type(layer).__module__
    return (
        module.startswith("keras.")
        and not module.startswith("keras.src.applications.")
        and not isinstance(layer, keras.Model)
    )


def own_variables(layer: Any) -> list[keras.Variable]:
    """The variables that a layer itself has made or was given."""
    return [*layer._trainable_variables, *layer._non_trainable_variables]


def _held_by(layer: Any, start: str) -> Iterator[TensorFlowVariable]:
    """The variables that a user's layer or model itself holds, by its attributes."""
    held = []
    for name, value in _attributes(layer):
        if isinstance(value, keras.Variable):
            held.append(value)
            yield TensorFlowVariable(start + name, layer, name)
        else:
            for path, variable in _inside(name, value, keras.Variable):
                held.append(variable)
                yield TensorFlowItemVariable(start + path, layer, variable)
    known = {id(v) for v in held}
    for variable in own_variables(layer):
        if id(variable) not in known:  # of add_weight, kept nowhere else
            yield TensorFlowItemVariable(start + variable.name, layer, variable)


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
    """The layers directly inside `layer`, each under its canonical name.

    A recurrent layer is one, whatever its cell.
    """
    if held_by_recurrent(layer) is not None:
        return
    if isinstance(layer, keras.Sequential):
        yield from ((str(i), child) for i, child in enumerate(layer.layers))
        return
    if isinstance(layer, keras.Model) and hasattr(layer, "operations"):  # a Functional model
        yield from ((child.name, child) for child in layer.layers)
        return
    if isinstance(layer, ATTENTION):
        yield from parts_of(layer)
        return
    sequence = isinstance(layer, ub.MySequential)
    if sequence:
        yield from ((str(i), child) for i, child in enumerate(layer))
    for name, value in _attributes(layer):
        if not (sequence and name == "blocks"):
            yield from _inside(name, value, keras.layers.Layer)


def _inside(name: str, value: Any, wanted: type[Any]) -> Iterator[tuple[str, Any]]:
    """What is of a class in an attribute: it is one, or a list or dict that holds some."""
    if isinstance(value, wanted):
        yield name, value
    elif isinstance(value, list | tuple | dict):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _inside(f"{name}.{key}", item, wanted)


def device_name(device: str) -> str:
    """`"cpu"`, `"gpu:0"`, … for TensorFlow's name of a device."""
    spec = tf.DeviceSpec.from_string(device)
    kind, index = (spec.device_type or "CPU").lower(), spec.device_index or 0
    return kind if (kind, index) == ("cpu", 0) else f"{kind}:{index}"
