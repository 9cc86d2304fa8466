"""What a network is given: the shape and dtype of each input, and numbers to try it with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unified_blocks.backend.tensors import to_numpy
from unified_blocks.errors import InputError
from unified_blocks.formats.mxnet.values import DTYPES
from unified_blocks.porting.graph import Graph, Parameter, Value
from unified_blocks.porting.loading import is_shape, is_typed, noted_shape
from unified_blocks.porting.mxnet.reader import Source, inputs_of
from unified_blocks.porting.mxnet.symbols import SymbolNode
from unified_blocks.types import Array, Shape


@dataclass(frozen=True)
class Given:
    """An input.

    Attributes:
        shape, dtype: of it.
        array: its numbers; None where only its shape was given.
    """

    shape: Shape
    dtype: str
    array: Array | None = None

    @property
    def typed(self) -> tuple[Shape, str]:
        return self.shape, self.dtype


def given_for(
    source: Source, example: Any, outputs: Sequence[str] | None = None
) -> dict[str, Given]:
    """What each input of a network is given, in their order.

    Args:
        source: the network.
        example: an array or a tensor, a shape, or `(shape, dtype)`; several in a tuple in the order
            of the inputs, or in a dict by their names; None where the graph notes all shapes.
        outputs: as `read_graph` takes them.

    Raises:
        InputError: where one is missing, is none, or has another number of axes than noted.
    """
    nodes = {node.name: node for node in inputs_of(source, outputs)}
    several = _by_name(example, list(nodes))
    if unknown := [name for name in several if name not in nodes]:
        raise InputError(
            f"port: an example must be of the inputs of {source.name}, {', '.join(nodes)}; got one "
            f"of {', '.join(map(repr, unknown))}: correct or leave out the name"
        )
    number = _floating(source)
    found: dict[str, Given] = {}
    missing = []
    for name, node in nodes.items():
        if name in several:
            found[name] = _given(name, several[name], _noted_dtype(node, number), number)
        elif (shape := noted_shape(node)) is not None:
            found[name] = Given(shape, _noted_dtype(node, number))
        else:
            missing.append(name)
    if missing:
        raise InputError(
            f"port: the shape of each input must be known; {source.name} takes "
            f"{', '.join(nodes)}, and got none for {', '.join(missing)}: give "
            f"example={_remedy(list(nodes))}; on the command line, --input {missing[0]}=1,3,224,224"
        )
    return found


def _remedy(names: list[str]) -> str:
    if len(names) == 1:
        return "(1, 3, 224, 224), or an array"
    return "{" + ", ".join(f"{name!r}: (1, …)" for name in names) + "}, or arrays"


def _by_name(example: Any, names: list[str]) -> dict[str, Any]:
    """The examples by the names of the inputs."""
    if example is None:
        return {}
    if isinstance(example, Mapping):
        return dict(example)
    one = not isinstance(example, tuple | list) or is_shape(example) or is_typed(example)
    given = [example] if one else list(example)
    if len(given) != len(names):
        raise InputError(
            f"port: an example must have what each input is given, {', '.join(names) or 'none'}; "
            f"got {len(given)}: give one for each, or a dict by their names"
        )
    return dict(zip(names, given, strict=True))


def _given(name: str, value: Any, noted: str, number: str) -> Given:
    """An input of an array, a shape, or a shape and a dtype."""
    if is_shape(value) or is_typed(value):
        typed: Any = (value, noted) if is_shape(value) else value
        shape, dtype = typed
        if not shape or any(size < 1 for size in shape):
            raise InputError(
                f"port: the shape of an input must have sizes from 1; got {tuple(shape)} for "
                f"{name!r}: give one such as (1, 3, 224, 224)"
            )
        if dtype not in DTYPES:
            raise InputError(
                f"port: the dtype of an input must be one of {', '.join(DTYPES)}; got {dtype!r} "
                f"for {name!r}: correct it"
            )
        return Given(tuple(int(size) for size in shape), dtype)
    try:
        array = to_numpy(value)
    except TypeError:
        raise InputError(
            f"port: an example must be an array, a tensor or a shape; got a "
            f"{type(value).__name__} for {name!r}: give one of these"
        ) from None
    if array.ndim == 0 or array.size == 0:
        raise InputError(
            f"port: an example must be a batch that is not empty; got an array of shape "
            f"{array.shape} for {name!r}: give one such as x[:1]"
        )
    floating = np.issubdtype(array.dtype, np.floating)
    dtype = (noted if noted.startswith("float") else number) if floating else array.dtype.name
    return Given(array.shape, dtype, array)


def _floating(source: Source) -> str:
    """The dtype that a network computes in: that of most of its arrays."""
    counts = Counter(
        array.dtype.name for array in source.arrays.values() if array.dtype.kind == "f"
    )
    return counts.most_common(1)[0][0] if counts else "float32"


def _noted_dtype(node: SymbolNode, number: str) -> str:
    """The dtype that a graph notes of an input."""
    noted = node.notes.get("__dtype__", "")
    return DTYPES[int(noted)] if noted.isdecimal() and int(noted) < len(DTYPES) else number


def numbers_for(graph: Graph, given: Mapping[str, Given], seed: int = 0) -> dict[str, Array]:
    """Numbers for each input: those that were given, else drawn ones.

    What indexes a table is drawn from its rows; other floating numbers are normal ones, others 0
    and 1.
    """
    generator = np.random.default_rng(seed)
    found = {}
    for value in graph.inputs:
        wanted = given[value.name]
        if wanted.array is not None:
            found[value.name] = np.asarray(wanted.array).astype(wanted.dtype)
            continue
        rows = _rows(graph, value)
        if rows is not None or np.dtype(wanted.dtype).kind != "f":
            drawn: Array = generator.integers(0, rows or 2, wanted.shape)
        else:
            drawn = generator.normal(size=wanted.shape)
        found[value.name] = drawn.astype(wanted.dtype)
    return found


def _rows(graph: Graph, value: Value) -> int | None:
    """How many rows the tables have that a value indexes; None of one that indexes none."""
    users = graph.users()
    todo, seen = [value], {value}
    rows: list[int] = []
    while todo:
        for node in users.get(one := todo.pop(), []):
            tables = [v for v in node.inputs if isinstance(v, Parameter) and v.rank == 2]
            name = type(node.operation).__name__
            if name in INDEXED and tables:
                rows += [table.shape[0] for table in tables]
            elif name in PASSED and node.output not in seen and node.inputs[0] is one:
                seen.add(node.output)
                todo.append(node.output)
    return min(rows, default=None)


INDEXED = ("Embedding", "Take", "Gather")
"""Operations whose input is the numbers of rows of their table."""
PASSED = ("Cast", "Reshape", "Transpose", "Slice", "Squeeze", "ExpandDims")
"""Operations that leave whole numbers as they are."""
