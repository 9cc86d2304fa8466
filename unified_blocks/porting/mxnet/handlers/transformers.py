"""What transformers are made of: embeddings, layer norms, and the products of attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unified_blocks.porting.graph import Parameter, Value
from unified_blocks.porting.mxnet.handlers.slices import part_of
from unified_blocks.porting.mxnet.moved import Moved, moved
from unified_blocks.porting.mxnet.reading import Reading, owner, register
from unified_blocks.porting.operations.attention import MergeHeads, SplitHeads
from unified_blocks.porting.operations.convolutions import Linear
from unified_blocks.porting.operations.elementwise import Cast, Elementwise
from unified_blocks.porting.operations.embedding import Embedding
from unified_blocks.porting.operations.norms import LayerNorm
from unified_blocks.porting.operations.products import Matmul
from unified_blocks.porting.operations.shapes import Transpose


@register("Embedding", "_contrib_SparseEmbedding")
def embedding(read: Reading) -> Value:
    x, weight = read.inputs
    read.ignore("input_dim", "output_dim")  # the weight says so
    read.ignore("sparse_grad", "deterministic")  # how a gradient is stored, and summed up
    read.ignore("dtype")  # of the weight, before there is one
    if (count := _counted(x)) is not None and count <= weight.shape[0]:  # positions
        return part_of(read, weight, {0: slice(0, count)})
    if x.dtype.startswith("float"):
        x = read.add(Cast("int64"), x, suffix="whole")
    return read.add(Embedding(), x, weight)


def _counted(x: Value) -> int | None:
    """How many numbers there are, of a constant that has 0, 1, 2, … in order."""
    if isinstance(x, Parameter) and x.role == "constant" and x.rank == 1:
        return x.data.size if (x.data == np.arange(x.data.size)).all() else None
    return None


@register("LayerNorm")
def layer_norm(read: Reading) -> Value:
    x, gamma, beta = read.inputs
    if read.flag("output_mean_var", False):
        raise read.refused("output_mean_var: no other layer gives the statistics of the norm")
    norm, axis = LayerNorm(read.number("eps", 1e-5)), read.integer("axis", -1) % x.rank
    if axis == x.rank - 1:
        return read.add(norm, x, gamma, beta)
    axes = (*(each for each in range(x.rank) if each != axis), axis)
    last = read.add(Transpose(axes), x, suffix="last")
    y = read.add(norm, last, gamma, beta)
    return read.add(Transpose(tuple(map(int, np.argsort(axes)))), y, suffix="back")


@register("_contrib_interleaved_matmul_selfatt_qk")
def scores_of_self(read: Reading) -> Value:
    queries, keys, _ = _heads(read, read.inputs[0], read.integer("heads"), 3)
    return _scores(read, queries, keys)


@register("_contrib_interleaved_matmul_selfatt_valatt")
def context_of_self(read: Reading) -> Value:
    x, weights = read.inputs
    heads = read.integer("heads")
    return _context(read, weights, _heads(read, x, heads, 3)[2], heads)


@register("_contrib_interleaved_matmul_encdec_qk")
def scores_of_memory(read: Reading) -> Value:
    x, memory = read.inputs
    heads = read.integer("heads")
    (queries,) = _heads(read, x, heads, 1)
    return _scores(read, queries, _heads(read, memory, heads, 2)[0])


@register("_contrib_interleaved_matmul_encdec_valatt")
def context_of_memory(read: Reading) -> Value:
    memory, weights = read.inputs
    heads = read.integer("heads")
    return _context(read, weights, _heads(read, memory, heads, 2)[1], heads)


def _scores(read: Reading, queries: Value, keys: Value) -> Value:
    """`Q Kᵀ / √d`."""
    scale = read.constant(1 / math.sqrt(queries.shape[-1]))
    scaled = read.add(Elementwise("multiply"), queries, scale, suffix="scaled")
    columns = read.add(Transpose((0, 2, 1)), keys, suffix="transposed")
    return read.add(Matmul(), scaled, columns)


def _context(read: Reading, weights: Value, values: Value, heads: int) -> Value:
    context = read.add(Matmul(), weights, values, suffix="context")
    return read.add(MergeHeads(heads), context)


def _heads(read: Reading, x: Value, heads: int, parts: int) -> tuple[Value, ...]:
    """The parts of each head; the same for the scores as for the values that they weigh.

    Where one projection is put together of a weight for each part, as GluonNLP does it, each part
    has a projection of its own.
    """
    found = read.once((x, heads, parts), lambda: _separate(read, x, heads, parts))
    if found is None:
        return read.once(
            (x, heads, parts, "together"),
            lambda: read.add_all(SplitHeads(heads, parts), x, suffix="heads"),
        )
    return found


def _separate(read: Reading, x: Value, heads: int, parts: int) -> tuple[Value, ...] | None:
    node = read.maker(x)
    if parts == 1 or node is None or not isinstance(node.operation, Linear):
        return None
    if all(isinstance(each, Parameter) for each in node.inputs[1:]):
        return None
    sources = [moved(read, each) for each in node.inputs[1:]]
    arrays: list[Any] = [_part(read, each, heads, parts) for each in sources if each]
    if len(arrays) != len(sources) or None in arrays:
        return None
    found = []
    for name, *own in zip(("query", "key", "value")[-parts:], *arrays, strict=True):
        path = owner(own)
        y = read.add(Linear(), node.inputs[0], *own, suffix=name, path=path)
        apart = (*path[:-1], f"{path[-1]}_heads")
        found.append(read.add(SplitHeads(heads), y, suffix=f"{name}_heads", path=apart))
    return tuple(found)


def _part(read: Reading, source: Moved, heads: int, parts: int) -> list[Parameter] | None:
    """The array of each part, of one that has them head by head."""
    by_head = source.places.reshape(heads, parts, -1, *source.places.shape[1:])
    shape = (source.places.shape[0] // parts, *source.places.shape[1:])
    found = [source.taken(read, by_head[:, i], shape, "") for i in range(parts)]
    whole = all(each in source.parameters for each in found)
    return found if whole else None  # type: ignore[return-value]
