"""Models that TensorFlow runs as graphs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from unified_blocks.backend import Graph
from unified_blocks.backend.registry import load_backend
from unified_blocks.block.calls import foreign_tensor
from unified_blocks_tensorflow.bind import placed

GRAPH_KINDS = {"tf.function": False, "tf.function(jit_compile=True)": True}
"""Whether XLA compiles it, for each kind of graph."""


class TensorFlowGraph(Graph):
    """See `Graph`. A call runs the concrete function for its inputs, past Keras' call path."""

    def __init__(self, run: Callable[..., Any], net: Any, kind: str, dynamic: bool) -> None:
        def traced(*inputs):
            self.traces += 1
            return run(*inputs)

        self.net, self.dynamic = net, dynamic
        self.function = tf.function(traced, autograph=False, jit_compile=GRAPH_KINDS[kind])
        self.concrete: dict[Any, Callable[..., Any]] = {}

    def __call__(self, *inputs):
        with placed(self.net):
            function = self.concrete.get(self.signature(inputs))
            if function is None:
                function, inputs = self.make(inputs)
            return function(*inputs)

    def signature(self, inputs):
        return tuple([(x.dtype, len(x.shape), *x.shape[self.dynamic :]) for x in inputs])

    def make(self, inputs):
        """The function for inputs that are new, or arrays, and the inputs as tensors."""
        for value in inputs:
            if foreign := foreign_tensor(self.net, load_backend("tensorflow"), value):
                raise foreign
        inputs = [tf.convert_to_tensor(x) for x in inputs]
        signature = self.signature(inputs)
        if signature not in self.concrete:
            specs = [tf.TensorSpec(self.sizes(x), x.dtype) for x in inputs]
            self.concrete[signature] = self.function.get_concrete_function(*specs)
        return self.concrete[signature], inputs

    def sizes(self, x):
        return [None, *x.shape[1:]] if self.dynamic and x.shape.rank else x.shape
