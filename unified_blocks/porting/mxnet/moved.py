"""Numbers of parameters that a network of MXNet only moves before it uses them.

The vector of a fused layer is put together of single arrays; the weight of an attention has those
of queries, keys and values head by head. What is found here is where each number came from, so that
the arrays themselves are the parameters of what is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from unified_blocks.porting.graph import Parameter, Value
from unified_blocks.porting.mxnet.reading import Reading
from unified_blocks.porting.operations.shapes import (
    Concat,
    ExpandDims,
    Reshape,
    Squeeze,
    Transpose,
)
from unified_blocks.porting.operations.slices import Slice, Stack
from unified_blocks.types import Array, Shape

MOVES = (Reshape, Transpose, Concat, Stack, ExpandDims, Squeeze, Slice)
"""The operations that move numbers, and compute none."""


@dataclass
class Moved:
    """A tensor of numbers of parameters.

    Attributes:
        places: of each number, its place among all the numbers of the parameters.
        parameters: those, in their order.
    """

    places: Array
    parameters: list[Parameter]

    def taken(self, read: Reading, places: Array, shape: Shape, name: str) -> Parameter | None:
        """The parameter that has the numbers of these places, in this shape.

        It is one of the parameters itself where it is whole and in its order; part of one, or one
        in another order, is made of it under a name of its own; of several there is none.
        """
        start = 0
        for parameter in self.parameters:
            size = parameter.data.size
            inside = places.ravel() - start
            if inside.size and inside.min() >= 0 and inside.max() < size:
                whole = inside.size == size and bool((inside == np.arange(size)).all())
                if whole and parameter.shape == shape:
                    return parameter
                change = partial(_taken, places=inside, shape=shape)
                return read.made_of(parameter, change, name, part=not whole)
            start += size
        return None


def _taken(data: Array, places: Array, shape: Shape) -> Array:
    return data.ravel()[places].reshape(shape)


def moved(read: Reading, value: Value) -> Moved | None:
    """Where the numbers of a value come from; None where some are computed or given."""
    parameters: dict[Parameter, int] = {}

    def gather(each: Value) -> bool:
        if isinstance(each, Parameter):
            parameters.setdefault(each, 0)
            return True
        node = read.maker(each)
        if node is None or not isinstance(node.operation, MOVES):
            return False
        return all(map(gather, node.inputs))

    if not gather(value):
        return None
    start = 0
    for parameter in parameters:
        parameters[parameter], start = start, start + parameter.data.size

    def place(each: Value) -> Array:
        if isinstance(each, Parameter):
            return parameters[each] + np.arange(each.data.size).reshape(each.shape)
        node = read.maker(each)
        assert node is not None
        return np.asarray(node.operation.compute(*map(place, node.inputs)))

    return Moved(place(value), list(parameters))
