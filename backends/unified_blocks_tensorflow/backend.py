"""Keras on TensorFlow, as this library sees it."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, nullcontext
from functools import wraps
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from unified_blocks.backend import PLAIN, Backend, Listener
from unified_blocks.backend.dlpack import Exported
from unified_blocks.block import Block, arguments_of
from unified_blocks.block.remaking import check_unchanged
from unified_blocks.dtypes import numpy_dtype, variable_dtype
from unified_blocks.errors import SharingError, UnsupportedError
from unified_blocks.training.losses import apply_loss
from unified_blocks_tensorflow import (
    events,
    feeding,
    learning,
    recurrent_families,
    repeats,
    seeds,
    weighted,
    workers,
)
from unified_blocks_tensorflow.bind import (
    TensorFlowModel,
    bind,
    bind_constructor,
    placed,
    set_trainable,
)
from unified_blocks_tensorflow.channels import channels_of
from unified_blocks_tensorflow.families import KINDS
from unified_blocks_tensorflow.graphs import GRAPH_KINDS, TensorFlowGraph
from unified_blocks_tensorflow.policies import global_policy, is_mixed, widened
from unified_blocks_tensorflow.replicas import check_device, here
from unified_blocks_tensorflow.steps import TensorFlowTrainingStep
from unified_blocks_tensorflow.turning import seen, seen_output
from unified_blocks_tensorflow.variables import (
    OF_EVERY_MODEL,
    device_name,
    layers_of,
    walk,
)

ALIGNMENT = 64
"""Where TensorFlow's own tensors begin. Its operations end the process for one that does not."""

RANDOM = {
    "uniform": keras.initializers.RandomUniform,
    "normal": keras.initializers.RandomNormal,
}
"""What draws a random constant."""


class TensorFlowBackend(Backend):
    name = "tensorflow"
    title = "TensorFlow"
    base_class = TensorFlowModel
    layer_class = keras.layers.Layer
    own_attributes = OF_EVERY_MODEL
    kinds: ClassVar = {**KINDS, **recurrent_families.KINDS}
    call_errors = (ValueError, TypeError, tf.errors.OpError)
    graph_kinds = tuple(GRAPH_KINDS)
    losses_of_its_own = "which takes (y_true, y_pred)"
    lacks: ClassVar = {
        "add-after-call": "Keras locks a built model; an error says so",
        "assign-after-call": "the same error; taking one out works",
        "move-in-place": "a new model with the same numbers; `compile` again",
        "move-unbuilt": "build it first",
        "index-errors": "the row is nan; for integer dtypes, the smallest value",
        "held-gradients": "a tape gives them back",
        "symbol-files": "they are Gluon's own",
        "sharded-parameters": "each device holds all of them",
    }
    remarks: ClassVar = {
        "cast-inputs": "Keras casts it",
        "loops-in-graphs": "XLA's gradient needs `ops.while_loop`",
        "label-errors": "on the CPU",
        "float16": "for inference",
        "mixed-precision": "to train in `mixed_float16` use Keras' `fit`, which scales the loss",
        "keras-files": "for your own blocks import `unified_blocks_tensorflow` and your module "
        "before `load_model`",
    }
    note = (
        "Keras must run on its TensorFlow backend (KERAS_BACKEND unset, or tensorflow); a Keras "
        "model takes no new blocks after its first call."
    )

    def bind(self, native):
        return bind(native)

    def extend(self, native):
        if "__init__" in vars(native):
            bind_constructor(native)

    def add_constant(self, net, name, array):
        hold_constant(net, name, array.shape, str(array.dtype), lambda *_, **__: tf.constant(array))

    def add_random_constant(self, net, name, shape, dtype, initializer):
        hold_constant(net, name, shape, dtype, RANDOM[initializer](0.0, 1.0))

    @property
    def version(self):
        return f"{tf.__version__}, Keras {keras.__version__}"

    # tensors

    def from_numpy(self, array, device=None, dtype=None):
        array = np.asarray(array, None if dtype is None else numpy_dtype(dtype), order="C")
        with tf.device(self.native_device(device)) if device else nullcontext():
            tensor = tf.constant(array)
            return tf.cast(tensor, tf.bfloat16) if dtype == "bfloat16" else tensor

    def to_numpy(self, tensor, dtype=None):
        tensor = tf.convert_to_tensor(tensor)
        return np.array(tensor if dtype is None else tf.cast(tensor, dtype))

    def dtype_of(self, tensor):
        return tf.as_dtype(tensor.dtype).name

    def exported(self, tensor, read_only):
        if not read_only and not isinstance(tensor, tf.Tensor):
            raise SharingError("a variable of TensorFlow, whose numbers only it may change")
        tensor = tf.convert_to_tensor(tensor)
        if tf.is_symbolic_tensor(tensor):
            raise SharingError("a tensor of a graph, which has no numbers yet")
        if self.device_of(tensor) != "cpu":
            raise SharingError(f"a tensor on {self.device_of(tensor)}")
        if np.dtype(tensor.dtype.as_numpy_dtype).kind not in "biufc":  # the process would end
            raise SharingError(f"a dtype that NumPy lacks ({tensor.dtype.name})")
        if not read_only and not tensor.shape.rank:
            raise SharingError("a single number, of which TensorFlow gives the same to others")
        return Exported(lambda: tf.experimental.dlpack.to_dlpack(tensor))

    def imported(self, source, seen, device=None):
        if not tf.executing_eagerly():
            raise SharingError("numbers for a graph, which must have its own")
        if device is None and len(self.devices()) > 1:
            raise SharingError("numbers for a tensor that may be on a GPU: name the device")
        if device and device_name(self.native_device(device)) != "cpu":
            raise SharingError(f"numbers of the CPU for a tensor on {device}")
        if not seen.flags.c_contiguous:
            raise SharingError("an array that is not contiguous")
        if seen.ctypes.data % ALIGNMENT:
            raise SharingError(
                f"an address that is not a multiple of TensorFlow's {ALIGNMENT} bytes"
            )
        return tf.experimental.dlpack.from_dlpack(source.__dlpack__())

    def is_tensor(self, value):
        return isinstance(value, tf.Tensor | tf.Variable | keras.Variable)

    # devices

    def devices(self):
        gpus = tf.config.list_physical_devices("GPU")
        return ["cpu", *(f"gpu:{i}" for i in range(len(gpus)))]

    def exact_products(self):
        tf.config.experimental.enable_tensor_float_32_execution(False)

    def device_of(self, tensor):
        return device_name((tensor.value if isinstance(tensor, keras.Variable) else tensor).device)

    def to_device(self, net, device):
        from unified_blocks.models.variables import all_built  # with it come files

        native = self.native_device(device)
        check_device(native)
        all_built(net, "to_device")
        return copy_of(net, device=native)

    def native_device(self, name: str) -> str:
        """TensorFlow's name for our name of a device."""
        kind, _, index = name.partition(":")
        wanted = f"/device:{kind.upper()}:{index or 0}"
        # Under a strategy the full names begin with the worker; the short one is of this worker.
        if not any(d.name.endswith(wanted) for d in tf.config.list_logical_devices()):
            raise self.unknown_device(name)
        return wanted

    # models

    def variables(self, net):
        return walk(net)

    def layers(self, net):
        return layers_of(net)

    def channels_of(self, layer):
        return channels_of(layer)

    def caller(self, net):
        if len(getattr(net, "inputs", None) or ()) > 1:  # a Functional model takes a list
            return lambda *inputs, **named: net(list(inputs), **named)
        return net

    def forward_of(self, net):
        return net.call

    def run(self, net, inputs, train=False):
        if isinstance(inputs, dict) or len(inputs) > 1:
            return learning.called(net, inputs, train)
        of_dict = len(inputs) == 1 and isinstance(inputs[0], dict)  # a Functional model's names
        return (net if of_dict else self.caller(net))(*inputs, training=train)

    @contextmanager
    def watch(self, net, begins, ends):
        with ExitStack() as undo:
            for _, layer in layers_of(net):
                # Keras has no hooks; what it runs of a layer is this attribute.
                object.__setattr__(layer, "call", _watched(layer, layer.call, begins, ends))
                undo.callback(object.__delattr__, layer, "call")
            yield

    def inferring(self, net):
        return nullcontext()  # a plain call infers, and only a tape records

    def graph(self, net, kind, dynamic=False):
        return TensorFlowGraph(lambda *inputs: self.run(net, inputs), net, kind, dynamic)

    def repeated(self, net, function, key=None):
        return repeats.repeated(net, function, key)

    def finish(self):
        tf.test.experimental.sync_devices()

    def cast(self, net, dtype):
        return copy_of(net, dtype, getattr(net, "_device", None))

    def default_dtype(self):
        return global_policy()

    @contextmanager
    def native_dtype(self, dtype):
        before, floats = keras.config.dtype_policy(), keras.config.floatx()
        keras.config.set_dtype_policy(dtype)
        keras.config.set_floatx(variable_dtype(dtype))  # of the inputs of a Functional model
        try:
            yield
        finally:
            keras.config.set_dtype_policy(before)
            keras.config.set_floatx(floats)

    # learning

    def loss_function(self, loss):
        return learning.loss_function(loss)

    def value_and_grad(self, net, x, y, loss, parameters, inputs, train):
        function = self.loss_function(loss)
        chosen = [v for v in walk(net) if v.trainable and not v.foreign]
        sources = [here(v.handle.value) for v in chosen] if parameters else []
        with placed(net), tf.GradientTape(watch_accessed_variables=False) as tape:
            for source in sources:
                tape.watch(source)
            if inputs:
                x = tf.identity(x)
                tape.watch(x)
            output = net(x, training=train)
            if any(is_mixed(layer) for _, layer in layers_of(net)):
                output = widened(output)
            value = apply_loss(function, output, y)
        if inputs:
            sources = [*sources, x]
        with placed(net):
            found = tape.gradient(value, sources, unconnected_gradients="zero")
        gradients = {}
        for v, gradient in zip(chosen if parameters else [], found, strict=False):
            gradients[v.name] = v.to_canonical(tf.convert_to_tensor(gradient)).copy()
        if inputs:
            gradients["x"] = np.array(found[-1])
        return float(value), gradients

    def training_step(self, net, optimizer, loss, options=PLAIN):
        step = workers.TensorFlowSharedStep if options.group else TensorFlowTrainingStep
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
        return workers.devices_of(net)


def hold_constant(net: Any, name: str, shape: Any, dtype: str, initializer: Any) -> None:
    """Make the attribute `name` of a block a variable that is not trained."""
    variable = net.add_weight(
        name=name, shape=shape, dtype=dtype, initializer=initializer, trainable=False
    )
    setattr(net, name, variable)


def _watched(layer: Any, call: Any, begins: Listener, ends: Listener) -> Any:
    @wraps(call)
    def watched(*args: Any, **named: Any) -> Any:
        if not tf.executing_eagerly():
            return call(*args, **named)
        inputs = seen(layer, [*args, *named.values()])
        begins(layer, inputs, None)
        output = call(*args, **named)
        ends(layer, inputs, seen_output(layer, output))
        return output

    return watched


def copy_of(net: Any, dtype: str | None = None, device: str | None = None) -> Any:
    """A model like `net`, made from its configuration, with its numbers.

    In `dtype`, and on the device that TensorFlow calls `device`, if they are given.
    """
    if isinstance(net, Block):
        check_unchanged(net)
    with tf.device(device) if device else nullcontext():
        copied = copy_structure(net, dtype, {})
        for old, new in zip(walk(net), walk(copied), strict=True):
            if old.is_built:
                numbers = old.read()
                new.write(numbers.astype(new.dtype) if dtype else numbers)
    for (_, old), (_, new) in zip(layers_of(net), layers_of(copied), strict=True):
        set_trainable(new, old.trainable)
        if isinstance(new, Block):
            object.__setattr__(new, "_device", device)
    for old, new in zip(walk(net), walk(copied), strict=True):
        if old.is_built:  # last: a layer sets it for all variables that it holds
            new.handle.trainable = old.handle.trainable
    return copied


def copy_structure(value: Any, dtype: str | None, copies: dict[int, Any]) -> Any:
    """`value`, if it is a layer made anew from its configuration; a shared layer once."""
    if not isinstance(value, keras.layers.Layer):
        return value
    if id(value) not in copies:
        if isinstance(value, Block):
            arguments = arguments_of(value).map(lambda v: copy_structure(v, dtype, copies))
            made_with = arguments.with_dtype(dtype) if dtype else arguments
            copied: Any = made_with.make(type(value))
            copied.name = value.name  # type: ignore[attr-defined]
        else:
            copied = copy_native(value, dtype)
        copies[id(value)] = copied
    return copies[id(value)]


def copy_native(layer: keras.layers.Layer, dtype: str | None) -> keras.layers.Layer:
    """A layer that this library did not make, made anew from its configuration.

    Raises:
        UnsupportedError: when it has none, or holds layers of its own and is to be cast.
    """
    if dtype and isinstance(layer, keras.Model):
        raise UnsupportedError(
            "on TensorFlow a native model cannot be cast as a whole; got a "
            f"{type(layer).__name__}: make it with dtype={dtype!r} and use ub.load_state"
        )
    try:
        config = layer.get_config()
        if dtype:
            config["dtype"] = dtype
        copied = type(layer).from_config(config)
    except (NotImplementedError, TypeError) as error:
        raise UnsupportedError(
            "on TensorFlow a model is moved and cast by making it anew from its configuration; "
            f"got a {type(layer).__name__} without one: define get_config() on it"
        ) from error
    if layer.built and not copied.built:
        copied.build_from_config(layer.get_build_config())
    return copied
