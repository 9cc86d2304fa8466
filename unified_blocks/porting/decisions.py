"""What a port leaves out or fixes, in words."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence

from unified_blocks.errors import InputError, StateMismatchError, UnsupportedError
from unified_blocks.porting.graph import Graph
from unified_blocks.porting.loading import unused
from unified_blocks.porting.mxnet.reader import LABELLED, Source, read_graph
from unified_blocks.porting.passes import prepared
from unified_blocks.types import Shape

MOST_SHOWN = 5
BATCH = "the network is right for a batch of {} only, as its graph says"
SIZE = (
    "right for inputs of this size only, {}: the original takes others too, and computes of them "
    "what is written here as numbers; port it for each size that you need"
)


def decisions(network: Source, graph: Graph) -> list[str]:
    """Each thing of the network that is not written as it was."""
    found = []
    names = {value.origin[0] for value in graph.outputs if value.origin}
    for node in network.symbol.nodes:
        if node.operator in LABELLED and node.name in names:
            found.append(
                f"{node.name}, a {node.operator}, gives what it gives in use: it has no label"
            )
    heads = [network.symbol.nodes[place].name for place, _ in network.symbol.heads]
    if dropped := [name for name in heads if name not in names]:
        found.append(f"left out, with all that only it needs: {_some(dropped)}")
    parameters = list(graph.parameters())
    for role, words in (
        ("frozen", "not trained, as in the original: {}"),
        ("constant", "written as constants: {}"),
    ):
        if held := [each.name for each in parameters if each.role == role]:
            found.append(words.format(_some(held)))
    if left := list(unused(network)):
        found.append(f"in the file, and not in the graph: {_some(left)}")
    if batch := only_batch(graph):
        found.append(BATCH.format(batch))
    return found


def only_batch(graph: Graph) -> int | None:
    """The one batch that a network is right for; None where it takes any."""
    with_axes = [value for value in graph.inputs if value.shape]
    if not with_axes or any(value.growth for value in with_axes):
        return None
    return with_axes[0].shape[0]


Inputs = Mapping[str, tuple[Shape, str]]


def only_size(
    network: Source,
    inputs: Inputs,
    outputs: Sequence[str] | None,
    source: str,
    write: Callable[[Graph], str],
) -> str | None:
    """The sizes that a source is right for, in words, where the original takes others too.

    Args:
        network: what was ported.
        inputs: shape and dtype of each input, by name.
        outputs: the names of those that are wanted.
        source: what was written for these inputs.
        write: what writes a source for a graph.
    """
    for larger in _larger(inputs):
        try:
            other = write(prepared(read_graph(network, larger, outputs)))
        except (InputError, StateMismatchError, UnsupportedError):
            continue  # the original takes no such input
        if _code(other) != _code(source):
            return SIZE.format(", ".join(str(shape) for shape, _ in inputs.values()))
    return None


def _larger(inputs: Inputs) -> Iterator[Inputs]:
    """The inputs with axes twice as long that may be those of space or time."""
    for axes in ((2, 3, 4), (1,)):
        larger = {
            name: (
                tuple(size * 2 if axis in axes else size for axis, size in enumerate(shape)),
                dtype,
            )
            for name, (shape, dtype) in inputs.items()
        }
        if larger != inputs:
            yield larger


def _code(source: str) -> str:
    """What a source does: without comments, docstrings and Keras' inputs, which name shapes."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                del node.body[0]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Input"):
            node.args, node.keywords = [], []
    return ast.dump(tree)


def _some(names: list[str]) -> str:
    more = len(names) - MOST_SHOWN
    count = f"{len(names)} arrays, " if more > 0 else ""
    return count + ", ".join(names[:MOST_SHOWN]) + (" …" if more > 0 else "")
