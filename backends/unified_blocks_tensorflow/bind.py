"""How a block class becomes a `keras.Model` or `keras.Layer`."""

# `super(Block, self)` stands in a class that `self` is no instance of: mypy would have it one.
# mypy: disable-error-code="misc"

from __future__ import annotations

import inspect
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from unified_blocks.block import Block, arguments_of
from unified_blocks.block.arguments import Arguments, give
from unified_blocks.block.attributes import add_constant, hold
from unified_blocks.block.calls import clearer_error, foreign_tensor
from unified_blocks.block.constants import Constant
from unified_blocks.block.construction import construct
from unified_blocks.block.containers import CONTAINERS
from unified_blocks.block.pickling import Key, native_key, native_of
from unified_blocks.block.remaking import check_unchanged
from unified_blocks.errors import BlockBuiltError, UnsupportedError
from unified_blocks.layouts import LAYOUTS
from unified_blocks_tensorflow.autograph import call_of, has_while
from unified_blocks_tensorflow.exporting import export, remember
from unified_blocks_tensorflow.policies import as_it_comes
from unified_blocks_tensorflow.quantization import is_quantized, quantization_of, quantize_again
from unified_blocks_tensorflow.tracking import contained, restore_deferred
from unified_blocks_tensorflow.turning import holding, taking, turn
from unified_blocks_tensorflow.variables import children_of, is_keras_own, layers_of

NATIVE_INPUTS = (tf.Tensor, np.ndarray, keras.KerasTensor)
SET_IN_EVERY_CALL = ("_called", "built")
PLAIN = (bool, int, float, str, type(None))


def bind(native: type[Any]) -> type[Any]:
    """Complete a class that extends a block class and Keras'; see `Backend.bind`."""
    bind_constructor(native)
    bind_forward(native)
    give(native, vars(TensorFlowBlock))
    if getattr(native, "takes_channels_last", False):
        turn(native)
    if "__call__" in vars(native):
        native.__call__ = taking(native, native.__call__)
    native._device = native._first_inputs = None
    if issubclass(native, keras.Model):
        native.export = export
    register = keras.saving.register_keras_serializable(native.__module__, native.__qualname__)
    register(native)
    return native


class TensorFlowModel(keras.Model):
    """What portable blocks extend: a model whose layers cast to their own dtypes."""

    def __init__(self):
        super().__init__(**as_it_comes())


def bind_constructor(native: type[Any]) -> None:
    """Complete the constructor; see `Backend.extend`."""

    def finish(net: Any) -> None:
        cls: Any = type(net)
        if getattr(cls.call, "is_portable", False) and has_while(cls):
            net.supports_jit = False  # XLA cannot compile the gradient of such a loop

    construct(native, finish=finish)


def bind_forward(native: type[Any]) -> None:
    """Let Keras call a portable forward, and `super().forward` call a native class."""
    written = next((cls for cls in native.__mro__ if "forward" in vars(cls)), None)
    portable = written is not None and not issubclass(written, keras.layers.Layer)
    if portable and "call" not in vars(native):
        native.call = holding(call_of(vars(written)["forward"]))
        native.passes_images = True
        if "mask" in inspect.signature(native.call).parameters:
            native.compute_mask = no_mask
    elif portable or written is None:
        native.forward = native.call


def no_mask(self: Any, inputs: Any, previous_mask: Any) -> None:
    """The mask of the output of a forward that takes a `mask`: it has made use of it.

    Without this Keras warns of one that is lost, and with its own it would mask the loss.
    """


class TensorFlowBlock:
    """The methods that a native class gets beside those of its `keras.Model` or `keras.Layer`."""

    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
        for value in (
            (*args, *kwargs.values()) if kwargs else args
        ):  # checked before the call: Keras takes other frameworks' tensors silently
            if not isinstance(value, NATIVE_INPUTS):
                foreign = foreign_tensor(self, self._native.backend, value)
                if foreign is not None:
                    raise foreign
        if self._first_inputs is None and args and all(isinstance(x, NATIVE_INPUTS) for x in args):
            remember(self, args)
        try:
            if self._device is None:
                return super(Block, self).__call__(*args, **kwargs)
            with tf.device(self._device):
                return super(Block, self).__call__(*args, **kwargs)
        except Exception as error:
            inputs = (*args, *kwargs.values())
            clearer = clearer_error(self, self._native.backend, inputs, error)
            if clearer is error:
                raise
            raise clearer from error

    def __setattr__(self: Any, name: str, value: Any) -> None:
        if name in SET_IN_EVERY_CALL and type(value) is bool:
            object.__setattr__(self, name, value)  # there is nothing in it that Keras would track
            return
        if isinstance(value, Constant):
            add_constant(self, name, value)
            return
        if is_keras_own(name):
            super(Block, self).__setattr__(name, value)
            return
        if type(value) not in PLAIN:
            value = hold(self, name, value)
        held = vars(self).get(name)
        try:
            put(self, name, value)
            if isinstance(held, (keras.layers.Layer, *CONTAINERS)):
                forget_dropped(self, name)
        except ValueError as error:
            if not getattr(self, "built", False):
                raise
            raise BlockBuiltError(
                f"{type(self).__name__}: Keras locks a model once it is built; assign blocks "
                f"before the first call; got {name} after it"
            ) from error

    def __delattr__(self: Any, name: str) -> None:
        if isinstance(vars(self).get(name), (keras.layers.Layer, *CONTAINERS)):
            setattr(self, name, None)  # Keras itself would keep what it held
        super(Block, self).__delattr__(name)

    def _trackable_children(self: Any, save_type: str = "checkpoint", **kwargs: Any) -> Any:
        """What TensorFlow saves with a block: Keras leaves out what is in a list or dict."""
        by_keras = super(Block, self)._trackable_children(save_type, **kwargs)
        return {**by_keras, **contained(self)}

    def _lookup_dependency(self: Any, name: str, cached_dependencies: Any = None) -> Any:
        """The child of that name, while TensorFlow restores a checkpoint."""
        found = super(Block, self)._lookup_dependency(name, cached_dependencies)
        return contained(self).get(name) if found is None else found

    def __reduce__(self: Any) -> tuple[Any, ...]:
        rebuild, arguments = super(Block, self).__reduce__()  # a method of the class, found by name
        inside = {
            keras.saving.get_registered_name(type(layer)): native_key(layer)
            for _, layer in layers_of(self)
            if isinstance(layer, Block)
        }
        return restore, (native_key(self), inside, rebuild.__name__, arguments)

    def get_config(self: Any) -> dict[str, Any]:
        """The constructor's arguments, as Keras serialises them."""
        check_unchanged(self)
        arguments = arguments_of(self).map(keras.saving.serialize_keras_object)
        layers = [layer for _, layer in layers_of(self)]
        return {
            "name": self.name,
            "trainable": [layer.trainable for layer in layers],
            "quantized": quantization_of(layers),
            "positional": list(arguments.positional),
            "keywords": arguments.keywords,
            "dtype": arguments.dtype,
            "layout": arguments.layout,
        }

    @classmethod
    def from_config(cls: Any, config: dict[str, Any]) -> Any:
        """A block made with the arguments in `config`."""
        if "positional" not in config:  # from a get_config that the block's author wrote
            return cls(**config)
        arguments = Arguments(
            tuple(config["positional"]),
            config["keywords"],
            config["dtype"],
            config.get("layout", LAYOUTS[0]),  # older files do not say
        )
        net = arguments.map(keras.saving.deserialize_keras_object).make(cls)
        net.name = config["name"]
        layers = [layer for _, layer in layers_of(net)]
        for layer, trainable in zip(layers, config["trainable"], strict=True):
            set_trainable(layer, trainable)
        quantized = config.get("quantized", [None] * len(layers))  # older files do not say
        for layer, how in zip(layers, quantized, strict=True):
            if how is not None and not is_quantized(layer):  # as an argument it is already
                quantize_again(layer, how)
        return net

    def quantize(self: Any, mode: Any = None, **options: Any) -> None:
        """Quantize the layers inside; one that holds none is no model for Keras, and is refused."""
        if isinstance(self, keras.Model) and not self._layers:
            raise self._not_implemented_error(self.quantize)
        super(Block, self).quantize(mode, **options)

    def get_build_config(self: Any) -> dict[str, Any] | None:
        """The shapes of the variables; None when one does not exist yet.

        Of a block without variables, or with some that have no canonical names, what Keras records.
        """
        try:
            variables = self._native.backend.variables(self)
        except UnsupportedError:
            variables = []
        if not all(v.is_built for v in variables):
            return None  # Keras takes a block with a build configuration for a built one
        if not variables:
            by_keras: dict[str, Any] | None = super(Block, self).get_build_config()
            return by_keras
        return {"variables": {v.name: v.shape for v in variables}}

    def build_from_config(self: Any, config: dict[str, Any]) -> None:
        """Create the variables that `config` was taken from."""
        if "variables" not in config:
            super(Block, self).build_from_config(config)
            return
        for variable in self._native.backend.variables(self):
            if not variable.is_built:
                variable.write(np.zeros(config["variables"][variable.name], variable.dtype))


def placed(net: Any) -> AbstractContextManager[Any]:
    """Where a block that was moved, and what is computed around it, runs."""
    device = getattr(net, "_device", None)
    return nullcontext() if device is None else tf.device(device)


def put(net: Any, name: str, value: Any) -> None:
    """Assign to an attribute; a container stays ours, which follows more changes than Keras'."""
    super(Block, net).__setattr__(name, value)
    if isinstance(value, CONTAINERS):
        vars(net)[name] = value
        restore_deferred(net, name, value)


def forget_dropped(net: Any, name: str) -> None:
    """Let Keras forget the layers that the model held until its attribute `name` changed.

    Keras keeps what was ever assigned, but not what was taken out of a list in an attribute.
    """
    held = {id(child) for _, child in children_of(net)}
    dropped = [layer for layer in getattr(net, "layers", ()) if id(layer) not in held]
    if dropped:
        value = vars(net)[name]
        super(Block, net).__setattr__(name, dropped)
        vars(net)[name].clear()
        put(net, name, value)


def set_trainable(layer: Any, trainable: bool) -> None:
    """Freeze or thaw one layer; Keras does so to all inside it too, if it is a change."""
    if layer.trainable != trainable:
        layer.trainable = trainable


def restore(key: Key, inside: dict[str, Key], rebuild: str, arguments: tuple[Any, ...]) -> Any:
    """The instance that `__reduce__` took apart; `inside` are its classes by Keras' names."""
    with keras.saving.custom_object_scope({name: native_of(*k) for name, k in inside.items()}):
        return getattr(native_of(*key), rebuild)(*arguments)
