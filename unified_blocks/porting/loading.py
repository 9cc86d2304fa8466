"""What is to be ported, read: a network of MXNet in files, in memory, or by its name."""

from __future__ import annotations

import ast
import difflib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from unified_blocks.backend.tensors import backend_of, to_numpy
from unified_blocks.errors import FileFormatError, InputError, StateMismatchError, UnsupportedError
from unified_blocks.formats import format_of
from unified_blocks.formats.mxnet import params as params_format
from unified_blocks.porting import zoo
from unified_blocks.porting.mxnet.reader import Source
from unified_blocks.porting.mxnet.symbols import Symbol, SymbolNode, symbol_of
from unified_blocks.types import Array, Shape

GRAPH = "-symbol.json"
ARRAY_ENDS = ("weight", "bias", "gamma", "beta", "moving_mean", "moving_var", "running_mean")
"""How the names of arrays end that are never inputs."""
INT8 = (
    "_contrib_quantize",
    "_contrib_dequantize",
    "_contrib_requantize",
    "_sg_mkldnn",
    "_sg_cudnn",
)
"""How the names of operators begin that compute in whole numbers, or of a processor."""
MOST_SHOWN = 5


def of_files(graph: Path, params: Any = None) -> Source:
    """The network of a symbol's JSON, with the numbers of a file or of a dict.

    Args:
        graph: `net-symbol.json`.
        params: a `.params` file, or arrays by the names of the graph; default: the file that is
            called as the graph is, if there is one: `net-0000.params`.

    Raises:
        FileFormatError: for a file that is something else, or damaged.
        InputError: where no file of numbers is given, and not one is beside the graph.
        OSError: for a file that cannot be read.
        StateMismatchError: for the numbers of another network.
        UnsupportedError: for a graph of int8.
    """
    if graph.suffix == ".params":
        raise InputError(
            f"port: the first file must be a graph; got {graph}, which has numbers only: give "
            f"net{GRAPH} before it, or the name of a network of Gluon's model zoo"
        )
    text = graph.read_bytes()
    symbol = symbol_of(text, str(graph))
    name = graph.name.removesuffix(".json").removesuffix("-symbol")
    if params is None:
        params = beside(graph, name)
    arrays, origin = arrays_of(params)
    check_arrays(name, symbol, arrays)
    origin = f"{graph.name}{origin}"
    return checked(Source(name, symbol, arrays, origin=origin, text=text.decode()))


def of_live(net: Any, params: Any, example: Any) -> tuple[Source, dict[str, Any]]:
    """A live net, and what each of its inputs is given, by the names of its graph.

    Args:
        net: of a framework whose nets can be traced.
        params: other numbers for it, as `arrays_of` takes them.
        example: as `given_for` takes it, nested as the net takes its inputs.

    Raises:
        InputError: without an example.
        UnsupportedError: for a net that cannot be traced.
    """
    if example is None:
        raise InputError(
            f"port: a live net must be called to be read; got a {type(net).__name__} and no "
            "example: give one, an array or a shape such as example=(1, 3, 224, 224)"
        )
    if isinstance(example, Mapping):
        example = tuple(example.values())
    several = isinstance(example, tuple | list) and not (is_shape(example) or is_typed(example))
    given = example if several else (example,)
    trace = backend_of(net).trace(net, [_tensor(each) for each in given])
    arrays, origin = (trace.arrays, "") if params is None else arrays_of(params)
    symbol = symbol_of(trace.graph, trace.name)
    check_arrays(trace.name, symbol, arrays)
    source = Source(
        trace.name, symbol, arrays, trace.names, trace.frozen, trace.origin + origin, trace.graph
    )
    flat = list(_flat(given))
    places = {"data": 0} if len(flat) == 1 else {f"data{i}": i for i in range(len(flat))}
    return checked(source), {name: flat[places[name]] for name in trace.inputs}


def _tensor(example: Any) -> Any:
    """What a net is called with: of a shape, zeros."""
    if is_typed(example):
        return np.zeros(*example)
    if is_shape(example):
        return np.zeros(example, np.float32)
    if isinstance(example, tuple | list):
        return [_tensor(each) for each in example]
    return example


def _flat(examples: Any) -> Iterator[Any]:
    for each in examples:
        nested = isinstance(each, tuple | list) and not (is_shape(each) or is_typed(each))
        yield from _flat(each) if nested else (each,)


def is_shape(value: Any) -> TypeGuard[Sequence[int]]:
    """Whether a value is the shape of an input."""
    return isinstance(value, tuple | list) and all(
        isinstance(size, int | np.integer) and not isinstance(size, bool) for size in value
    )


def is_typed(value: Any) -> bool:
    """Whether a value is the shape and the dtype of an input."""
    return (
        isinstance(value, tuple)
        and len(value) == 2
        and is_shape(value[0])
        and isinstance(value[1], str)
    )


def of_zoo(name: str, params: Any = None) -> Source:
    """A network of Gluon's model zoo by its name.

    Args:
        name: `"resnet50_v1"`.
        params: its numbers, as `arrays_of` takes them, under the names of any file of it.

    Raises:
        InputError: for another name, or without numbers.
        StateMismatchError: for the numbers of another network.
    """
    if name not in (known := zoo.names()):
        close = difflib.get_close_matches(name, known, n=2)
        remedy = f"did you mean {' or '.join(close)}?" if close else f"it has {', '.join(known)}"
        raise InputError(
            "port: source must be the path of a graph, or the name of a network of Gluon's model "
            f"zoo; got {name!r}, which is neither: {remedy}"
        )
    if params is None:
        raise InputError(
            f"port: the numbers of a network of the model zoo must be given; got {name!r} alone: "
            f"give its .params file, such as {name}-0000.params"
        )
    network = zoo.packed(name)
    given, origin = arrays_of(params)
    arrays = network.named(given)
    check_arrays(name, network.symbol, arrays)
    origin = f"{name} of Gluon's model zoo{origin}"
    return Source(name, network.symbol, arrays, network.names, origin=origin, text=network.graph)


def beside(graph: Path, name: str) -> Path:
    """The one file of numbers beside a graph."""
    found = sorted(
        path
        for path in graph.parent.iterdir()
        if re.fullmatch(rf"{re.escape(name)}(-\d{{4,}})?\.params", path.name)
    )
    if len(found) == 1:
        return found[0]
    there = ", ".join(path.name for path in found) if found else "none"
    raise InputError(
        f"port: beside {graph} there must be one file {name}-0000.params; got {there}: give the "
        "file of its numbers, with params="
    )


def arrays_of(params: Any) -> tuple[Mapping[str, Array], str]:
    """The arrays of a file or a dict, by the names that they have in it, and words for where."""
    if isinstance(params, Mapping):
        named = {_plain(name): to_numpy(array) for name, array in params.items()}
        return named, ", with arrays of this program"
    if not isinstance(params, str | os.PathLike):
        raise InputError(
            "port: params must be a .params file or a dict of arrays; got "
            f"{type(params).__name__}: give the path, or {{name: array}}"
        )
    path = Path(params)
    module = format_of(path)
    if module.NAME != params_format.NAME:
        raise FileFormatError(
            f"port: params must be a .params file of MXNet; got {path}, of the format "
            f"{module.NAME}: give the file that belongs to the graph"
        )
    file = params_format.read(path)
    return {
        _plain(stored.stored_name or name): file[name] for name, stored in file.tensors.items()
    }, f" and {path.name}"


def _plain(name: str) -> str:
    return name.removeprefix("arg:").removeprefix("aux:")


def checked(source: Source) -> Source:
    """`source`, unless it computes in int8.

    Raises:
        UnsupportedError: when it does.
    """
    whole = [node.operator for node in source.symbol.nodes if node.operator.startswith(INT8)]
    if whole:
        raise UnsupportedError(
            f"{source.name}: a graph to port must compute in floating point; got one of int8, with "
            f"{len(whole)} nodes such as {whole[0]}: port the network that it was made of (its "
            "numbers can be read as they are with ub.read_state)"
        )
    return source


def check_arrays(name: str, symbol: Symbol, arrays: Mapping[str, Array]) -> None:
    """Raise for arrays that are those of another network.

    Raises:
        StateMismatchError: where arrays are missing, or have other shapes than the graph notes.
    """
    wanted = [node for node in symbol.nodes if node.operator == "null"]
    missing = [n.name for n in wanted if n.name not in arrays and n.name.endswith(ARRAY_ENDS)]
    if missing:
        left = [array for array in arrays if array not in {node.name for node in wanted}]
        structural = any("." in array for array in left)
        raise StateMismatchError(
            f"{name}: params must have every array of the graph; {_some(missing)} missing, "
            + (f"and got {_some(left, '')} instead: " if left else "and nothing else: ")
            + (
                "these are names of save_parameters, which no graph knows: use those of "
                "net.export(), or port the live net, or a network of the model zoo by its name"
                if structural
                else "give the file that belongs to it"
            )
        )
    for node in wanted:
        noted = noted_shape(node)
        if node.name in arrays and noted is not None and arrays[node.name].shape != noted:
            raise StateMismatchError(
                f"{name}: params must have the shapes of the graph; got "
                f"{arrays[node.name].shape} of {node.name!r}, which is {noted} there: give the "
                "file that belongs to it"
            )


def _some(names: list[str], be: str = "is are") -> str:
    """Some names in words, and how many more there are."""
    more = len(names) - MOST_SHOWN
    shown = ", ".join(map(repr, names[:MOST_SHOWN])) + (f" and {more} more" if more > 0 else "")
    verbs = be.split()
    return f"{shown} {verbs[len(names) > 1]}" if verbs else shown


def noted_shape(node: SymbolNode) -> Shape | None:
    """The shape that a graph notes of an input or an array, if it notes all of it."""
    try:
        shape = tuple(int(size) for size in ast.literal_eval(node.notes.get("__shape__", "None")))
    except (ValueError, TypeError, SyntaxError):
        return None
    return shape if shape and all(size > 0 for size in shape) else None


def unused(source: Source) -> Iterator[str]:
    """The arrays that the graph does not have."""
    known = {node.name for node in source.symbol.nodes}
    yield from (name for name in source.arrays if name not in known)
