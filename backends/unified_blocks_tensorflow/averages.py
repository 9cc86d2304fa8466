"""Running averages of the parameters of Keras' models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from unified_blocks.backend import Slot
from unified_blocks.training.learning.averaging import wide
from unified_blocks_tensorflow.bind import placed


class Averages:
    """`e = d e + (1 - d) w` after each update, e being w at first. Of half precision in float32.

    Args:
        net: the model.
        variables: whose parameters they are of.
        parts: of each parameter, by the id of its handle, the variables that are parts of it.
        decay: d.
    """

    def __init__(self, net: Any, variables: list[Any], parts: dict[int, list[Any]], decay: float):
        self.net, self.parts, self.decay = net, parts, decay
        self.handles = [v.handle for v in variables]
        with placed(net):
            self.held = [
                tf.Variable(
                    tf.cast(handle.value, wide(handle.dtype)),
                    trainable=False,
                    aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
                )
                for handle in self.handles
            ]

    def update(self) -> None:
        for handle, e in zip(self.handles, self.held, strict=True):
            e.assign(e * self.decay + tf.cast(handle.value, e.dtype) * (1 - self.decay))

    def slots(self) -> list[Slot]:
        def slot(v, e):
            dtype = wide(v.dtype)

            def read():
                return v.numbers(e.numpy()).astype(dtype)

            def write(array):
                with placed(self.net):
                    e.assign(v.to_native(array, e.numpy()))

            return Slot(v.name, v.shape, dtype, read, write)

        return [
            slot(part, e)
            for handle, e in zip(self.handles, self.held, strict=True)
            for part in self.parts[id(handle)]
        ]

    def take(self) -> None:
        """Let the model have them for parameters from now on."""
        self.give(self.held)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Inside the `with` the model has them for parameters."""
        with placed(self.net):
            before = [tf.identity(handle.value) for handle in self.handles]
        self.give(self.held)
        try:
            yield
        finally:
            self.give(before)

    def give(self, numbers: list[Any]) -> None:
        with placed(self.net):
            for handle, number in zip(self.handles, numbers, strict=True):
                handle.assign(tf.cast(number, handle.dtype))
