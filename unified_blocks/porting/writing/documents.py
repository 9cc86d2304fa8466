"""What a file says of its network."""

from __future__ import annotations

import textwrap

from unified_blocks.porting.graph import Graph, Value


def docstring(graph: Graph, name: str) -> str:
    """What a network is, what it takes and gives, and where it came from."""
    origin = f", ported from {graph.origin}" if graph.origin else ""
    start = textwrap.wrap(f'"""{name}{origin}.', 88)
    batch = next((value.shape[0] for value in graph.inputs if value.rank), 1)
    takes = ", ".join(_shape(value, batch) for value in graph.inputs)
    gives = ", ".join(_shape(value, batch) for value in graph.outputs)
    flow = textwrap.wrap(f"It takes {takes}, and gives {gives}.", 88)
    return "\n".join([*start, "", *flow, '"""'])


def _shape(value: Value, batch: int) -> str:
    sizes = [
        "n" if value.grows(axis) and size == batch * value.growth[axis] else str(size)
        for axis, size in enumerate(value.shape)
    ]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
