"""Who gets images as they are held, and who as tensors: the calls of blocks and layers.

Keras' own `__call__` takes tensors, so it is told beside it how they are held.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from unified_blocks_tensorflow.images import (
    RANKS,
    TO_FIRST,
    TO_LAST,
    Image,
    tensor_of,
    tensors_of,
    to_first,
    to_last,
)


class Held(threading.local):
    """For each block of this thread that is called with images, how it holds them."""

    def __init__(self) -> None:
        self.calls: dict[int, Passed] = {}

    def __reduce__(self) -> str:
        return "held"  # its name here: a class that is pickled by value refers to it


class Passed:
    """How images pass through Keras' own `__call__`, which takes tensors.

    Attributes:
        taken: for each input, whether it is an `Image` held with channels first or last.
        given: the same of each leaf of the output, once there is one.
        inputs: what the block was called with, images among it.
    """

    __slots__ = ("given", "inputs", "taken")

    def __init__(self, taken: list[str], given: list[str]) -> None:
        self.taken, self.given = taken, given
        self.inputs: tuple[Any, ...] = ()

    def again(self, values: Any) -> list[Any]:
        """What Keras has passed on, held as it was.

        A tensor that Keras has left as it is is the same `Image`: who turns it turns it for all.
        """
        return [
            image if type(image) is Image and image.held is value else held_so(value, way)
            for value, image, way in zip(values, self.inputs, self.taken, strict=True)
        ]


held = Held()


@contextmanager
def passing_on(net: Any, taken: list[str], given: list[str]) -> Iterator[Passed]:
    """Inside the `with`, `net` is called with images that are held so."""
    before = held.calls.get(id(net))
    held.calls[id(net)] = passed = Passed(taken, given)
    try:
        yield passed
    finally:
        if before is None:
            del held.calls[id(net)]
        else:
            held.calls[id(net)] = before


def seen(layer: Any, inputs: Any) -> Any:
    """What `layer` is given now, as who is outside sees it."""
    passed = held.calls.get(id(layer))
    if passed is None:
        return inputs
    ways = [*passed.taken, *[""] * (len(inputs) - len(passed.taken))]
    return [to_first(x) if way == "last" else x for x, way in zip(inputs, ways, strict=True)]


def seen_output(layer: Any, output: Any) -> Any:
    """What `layer` has given just now, as who is outside sees it."""
    passed = held.calls.get(id(layer))
    if passed is None or "last" not in passed.given:
        return output
    leaves = zip(tf.nest.flatten(output), passed.given, strict=True)
    turned = [to_first(x) if way == "last" else x for x, way in leaves]
    return tf.nest.pack_sequence_as(output, turned)


def way_of(value: Any) -> str:
    if type(value) is not Image:
        return ""
    return "last" if value.is_last else "first"


def held_so(value: Any, way: str) -> Any:
    return Image(**{way: value}) if way else value


def taking(native: type[Any], call: Callable[..., Any]) -> Callable[..., Any]:
    """The `__call__` of a native class, for images too.

    What `native` says of itself decides: `takes_channels_last` of a layer that computes with
    channels at the end; `takes_any_layout` of one that computes with each element by itself;
    `passes_images` of one whose forward is written with `ub.ops` and other blocks.
    """
    if getattr(native, "takes_channels_last", False):

        def of_images(self: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
            if type(X) is not Image:
                return call(self, X, *args, **kwargs)
            if self.channels_last or not hasattr(self.call, "turns"):  # a subclass has its own
                return call(self, X.first, *args, **kwargs)
            with passing_on(self, ["last"], ["last"]):
                return Image(last=call(self, X.last, *args, **kwargs))

        return of_images
    if getattr(native, "takes_any_layout", False):

        def of_elements(self: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
            if type(X) is not Image or not self.takes_any_layout:
                return call(self, tensor_of(X), *args, **kwargs)
            way = way_of(X)
            with passing_on(self, [way], [way]):
                return held_so(call(self, X.held, *args, **kwargs), way)

        return of_elements
    if getattr(native, "passes_images", False):

        def passing(self: Any, *args: Any, **kwargs: Any) -> Any:
            if Image not in map(type, args) or not hasattr(self.call, "holds"):
                args = tuple(map(tensor_of, args))
                return call(self, *args, **{key: tensor_of(x) for key, x in kwargs.items()})
            with passing_on(self, [way_of(x) for x in args], [""]) as passed:
                passed.inputs = args
                output = call(
                    self,
                    *(x.held if type(x) is Image else x for x in args),
                    **{key: tensor_of(x) for key, x in kwargs.items()},
                )
            if len(passed.given) == 1 and tf.is_tensor(output):
                return held_so(output, passed.given[0])
            leaves = map(held_so, tf.nest.flatten(output), passed.given)
            return tf.nest.pack_sequence_as(output, list(leaves))

        return passing

    def of_tensors(self: Any, *args: Any, **kwargs: Any) -> Any:
        if Image in map(type, args):
            args = tuple(map(tensor_of, args))
        return call(self, *args, **kwargs)

    return of_tensors


def holding(call: Callable[..., Any]) -> Callable[..., Any]:
    """The `call` of a block whose forward is written with `ub.ops` and other blocks."""

    @functools.wraps(call)
    def in_images(self: Any, *args: Any, **kwargs: Any) -> Any:
        passed = held.calls.get(id(self))
        if passed is not None:
            output = call(self, *passed.again(args), **kwargs)
            leaves = [output] if type(output) is Image else tf.nest.flatten(output)
            passed.given = [way_of(leaf) for leaf in leaves]
            if type(output) is Image:
                return output.held
            return tf.nest.map_structure(lambda x: x.held if type(x) is Image else x, output)
        if not wants_images(self):
            return call(self, *args, **kwargs)
        images = (Image(first=x) if is_image(x) else x for x in args)
        return tensors_of(call(self, *images, **kwargs))

    vars(in_images)["holds"] = True
    return in_images


def is_image(x: Any) -> bool:
    """Whether a tensor can be one of images."""
    return tf.is_tensor(x) and x.dtype.is_floating and x.shape.rank in RANKS


def wants_images(net: Any) -> bool:
    """Whether a layer inside `net` computes with channels at the end, and is given them first."""
    from unified_blocks_tensorflow.variables import layers_of

    known = vars(net).get("_wants_images")
    if known is not None:
        return bool(known)
    found = any(
        getattr(layer, "takes_channels_last", False) and not layer.channels_last
        for _, layer in layers_of(net)
    )
    if net.built:  # Keras lets it get no other layers from now on
        object.__setattr__(net, "_wants_images", found)
    return found


def turn(native: type[Any]) -> None:
    """Let a layer that computes with channels at the end take and give them in its layout.

    Keras' methods are given what the layer takes: `call` tensors, the other two their shapes. A
    subclass that has a `call` of its own calls this one, and is given what it takes too.
    """
    if any(hasattr(vars(cls).get("call"), "turns") for cls in native.__mro__):
        return
    compute, build, output_shape = native.call, native.build, native.compute_output_shape

    @functools.wraps(compute)
    def call(self: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
        if is_last(self):
            return compute(self, X, *args, **kwargs)
        return to_first(compute(self, to_last(X), *args, **kwargs))

    @functools.wraps(build)
    def build_for(self: Any, input_shape: Any) -> None:
        shape = input_shape if is_last(self) else shape_to_last(input_shape)
        with passing_on(self, ["last"], ["last"]):  # it asks for the output's shape
            build(self, shape)
        # Keras would look for the channels at the end of what is not turned yet.
        spec = self.input_spec
        if spec is not None and not self.channels_last:
            self.input_spec = keras.layers.InputSpec(ndim=spec.ndim, min_ndim=spec.min_ndim)

    @functools.wraps(output_shape)
    def compute_output_shape(self: Any, input_shape: Any) -> Any:
        if is_last(self):
            return output_shape(self, input_shape)
        sizes = tuple(output_shape(self, shape_to_last(input_shape)))
        axes = TO_FIRST.get(len(sizes))
        return sizes if axes is None else tuple(sizes[axis] for axis in axes)

    vars(call)["turns"] = True
    native.call, native.build = call, build_for
    native.compute_output_shape = compute_output_shape


def build_last(layer: Any, shape: tuple[int | None, ...]) -> None:
    """Build a layer for a shape with channels at the end, whatever its layout."""
    with passing_on(layer, ["last"], ["last"]):
        layer.build(shape)


def is_last(layer: Any) -> bool:
    """Whether what the layer is given now has its channels at the end."""
    return layer.channels_last or id(layer) in held.calls


def shape_to_last(shape: Any) -> Any:
    axes = TO_LAST.get(len(shape))
    return shape if axes is None else tuple(shape[axis] for axis in axes)
