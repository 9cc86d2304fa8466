"""What a port leaves out or fixes, in words."""

from __future__ import annotations

from unified_blocks.porting.graph import Graph
from unified_blocks.porting.loading import unused
from unified_blocks.porting.mxnet.reader import LABELLED, Source

MOST_SHOWN = 5
BATCH = "the network is right for a batch of {} only, as its graph says"


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


def _some(names: list[str]) -> str:
    more = len(names) - MOST_SHOWN
    count = f"{len(names)} arrays, " if more > 0 else ""
    return count + ", ".join(names[:MOST_SHOWN]) + (" …" if more > 0 else "")
