"""A Gluon net, written down: the symbol that it makes, each node with the blocks that it is in."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, NamedTuple

import numpy as np
from mxnet.gluon.block import _flatten as flatten
from mxnet.gluon.block import _regroup as regroup

from unified_blocks.backend import Trace
from unified_blocks.backend.traces import CALL, KINDS, PATH
from unified_blocks.errors import UnifiedBlocksError, UnsupportedError
from unified_blocks_mxnet.compat import has_numpy_semantics, mx, nn
from unified_blocks_mxnet.semantics import LEGACY, NUMPY, OPEN, call, semantics_of
from unified_blocks_mxnet.tree import layers_of


class Place(NamedTuple):
    """Which blocks something is in, from the outside.

    Attributes:
        path: their names; `layers.0`, in a list, is two.
        kinds: their classes; empty of a list.
    """

    path: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    def notes(self) -> dict[str, str]:
        """What is attached to a node."""
        return {PATH: repr(self.path), KINDS: repr(self.kinds)}


def trace(net: Any, inputs: Sequence[Any]) -> Trace:
    """Write a net down; see `Backend.trace`."""
    if not isinstance(net, nn.Block):
        raise UnsupportedError(
            f"to be traced, a network of MXNet must be a gluon Block; got a {type(net).__name__}"
        )
    given = [each for each in flatten(tensors(inputs), "input")[0] if each is not None]
    if semantics_of(net) is OPEN or any(p._data is None for p in parameters_of(net).values()):
        with mx.autograd.pause(), mx.autograd.predict_mode():
            call(net, *tensors(inputs))  # the first call makes what its layers left open
    symbols, graph, places = symbols_of(net, inputs, given)
    parameters = parameters_of(net)
    content = annotated(json.loads(graph.tojson()), places)
    wanted = set(graph.list_inputs())
    arrays = {
        parameter.name: parameter.list_data()[0].asnumpy()
        for parameter in parameters.values()
        if parameter.name in wanted
    }
    counted = set(graph.list_auxiliary_states())
    return Trace(
        name=type(net).__name__,
        graph=json.dumps(content),
        arrays=arrays,
        inputs={
            symbol.name: (tuple(each.shape), np.dtype(each.dtype).name)
            for symbol, each in zip(symbols, given, strict=True)
            if symbol.name in wanted
        },
        names=names_in(parameters, wanted),
        frozen=frozenset(
            parameter.name
            for parameter in parameters.values()
            if parameter.grad_req == "null" and parameter.name in wanted - counted
        ),
        origin=f"a net of Gluon, MXNet {mx.__version__}",
    )


def symbols_of(net: Any, inputs: Sequence[Any], given: Sequence[Any]) -> tuple[Any, Any, Any]:
    """The symbols of the inputs, that of the net, and the places of what was in a file."""
    kind = semantics_of(net)
    if kind is OPEN:  # without parameters: it is as the thread is set, or the other
        first = NUMPY if has_numpy_semantics() else LEGACY
        try:
            return symbols_with(first, net, inputs, given)
        except UnsupportedError as error:
            with suppress(UnsupportedError):
                return symbols_with(LEGACY if first is NUMPY else NUMPY, net, inputs, given)
            raise error
    return symbols_with(kind, net, inputs, given)


def symbols_with(
    kind: Any, net: Any, inputs: Sequence[Any], given: Sequence[Any]
) -> tuple[Any, Any, Any]:
    """As `symbols_of`, of a net of this kind."""
    with kind.scope():
        symbols = [mx.sym.var(name) for name in names_of(given)]
        if kind is NUMPY:
            symbols = [symbol.as_np_ndarray() for symbol in symbols]
        return symbols, *written(net, nested(inputs, symbols))


def tensors(inputs: Any) -> Any:
    """An example, its arrays of NumPy as tensors."""
    if isinstance(inputs, list | tuple):
        return [tensors(each) for each in inputs]
    if isinstance(inputs, np.ndarray):
        return NUMPY.taken(mx.nd.array(inputs, dtype=inputs.dtype))
    return inputs


def nested(inputs: Sequence[Any], symbols: list[Any]) -> Any:
    """Symbols, nested as an example is."""
    flat, form = flatten(tensors(inputs), "input")
    left = iter(symbols)
    return regroup([None if each is None else next(left) for each in flat], form)


def names_of(given: Sequence[Any]) -> list[str]:
    """What Gluon calls the inputs in the files that it exports."""
    return ["data"] if len(given) == 1 else [f"data{i}" for i in range(len(given))]


def parameters_of(net: Any) -> dict[str, Any]:
    """All that a net holds, by the names of `save_parameters`; those of one array all have it."""
    found: dict[str, Any] = net._collect_params_with_prefix()
    return found


def names_in(parameters: dict[str, Any], wanted: set[str]) -> dict[str, tuple[str, ...]]:
    """The path of each parameter in a graph; of a shared one the first.

    Raises:
        UnsupportedError: where two have one name in the graph.
    """
    owners: dict[str, Any] = {}
    names: dict[str, tuple[str, ...]] = {}
    for path, parameter in parameters.items():
        if parameter.name not in wanted:
            continue
        if owners.setdefault(parameter.name, parameter) is not parameter:
            raise UnsupportedError(
                f"each parameter of a net must have a name of its own; got {parameter.name!r} for "
                f"{'.'.join(names[parameter.name])} and {path}: make its blocks without a prefix"
            )
        names.setdefault(parameter.name, tuple(path.split(".")))
    return names


def written(net: Any, inputs: Sequence[Any]) -> tuple[Any, dict[str, Place]]:
    """The symbol of a net, and where the nodes are that were in a file before.

    Raises:
        UnsupportedError: where its forward does what no symbol does.
    """
    for parameter in parameters_of(net).values():
        parameter.var()  # they are made but once, and belong to no block
    try:
        with mx.autograd.pause(), mx.autograd.predict_mode(), placed(net) as places:
            output = net(*inputs)
        outputs = [each for each in flatten(output, "output")[0] if each is not None]
        return outputs[0] if len(outputs) == 1 else mx.sym.Group(outputs), places
    except UnifiedBlocksError:
        raise
    except Exception as error:
        plain = next((b for _, b in layers_of(net) if not isinstance(b, nn.HybridBlock)), None)
        found = "more" if plain is None else f"a plain Block, {type(plain).__name__}"
        raise UnsupportedError(
            f"{type(net).__name__}: to be written down, a net of Gluon must be made "
            f"of HybridBlocks that take symbols alone; got {found} ({type(error).__name__}: "
            f"{error}); make it one that hybridize() works for"
        ) from error


@contextmanager
def placed(net: Any) -> Iterator[dict[str, Place]]:
    """Inside the `with`, what the blocks of `net` do with symbols is marked with its place.

    Yields:
        The places of the nodes that were in a file before, which are composed and not made.
    """
    running: list[tuple[Any, Any]] = []
    of_files: dict[str, Place] = {}
    calls: Counter[int] = Counter()

    def begins(block: Any, place: Place) -> None:
        scope = mx.AttrScope(**place.notes(), **{CALL: str(calls[id(block)])})
        calls[id(block)] += 1
        if isinstance(block, mx.gluon.SymbolBlock):
            for symbol in block._cached_graph[1].get_internals():
                of_files.setdefault(symbol.name, place)
        running.append((block, scope.__enter__()))

    def ends(block: Any) -> None:
        while running:  # of a call that failed nobody tells
            last, scope = running.pop()
            scope.__exit__(None, None, None)
            if last is block:
                return

    with ExitStack() as undone:
        undone.callback(ends, None)
        for block, place in places_in(net, Place()):
            before = block.register_forward_pre_hook(lambda b, args, p=place: begins(b, p))
            undone.enter_context(before)
            undone.enter_context(block.register_forward_hook(lambda b, args, output: ends(b)))
        yield of_files


def places_in(
    block: Any, place: Place, seen: set[int] | None = None
) -> Iterator[tuple[Any, Place]]:
    """A block and those inside it, each once, and where they are."""
    seen = set() if seen is None else seen
    if id(block) in seen:
        return
    seen.add(id(block))
    yield block, place
    for name, child in block._children.items():
        names = name.split(".")
        kinds = ("",) * (len(names) - 1) + (type(child).__name__,)
        yield from places_in(child, Place((*place.path, *names), place.kinds + kinds), seen)


def annotated(content: Any, places: dict[str, Place]) -> Any:
    """The graph with a name of its own for each node, and with the places of those of files."""
    used: Counter[str] = Counter()
    taken = {node["name"] for node in content["nodes"]}
    for node in content["nodes"]:
        name = node["name"]
        if node["op"] == "null":
            continue
        if name in places and places[name].path:  # a net that is one file has no blocks
            node.setdefault("attrs", {}).update(places[name].notes())
        used[name] += 1
        if used[name] > 1:  # a block with a name for what it does was called again
            number = used[name] - 1
            while f"{name}_{number}" in taken:
                number += 1
            node["name"] = f"{name}_{number}"
            taken.add(node["name"])
    return content
