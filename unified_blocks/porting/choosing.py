"""Operations that choose by an order, where rounding decides between numbers that are equal.

Two frameworks compute two scores a last place apart, and each puts another one first: then neither
is wrong, and all that comes after differs. What is proved there instead is that they are equal up
to the choice, and that each of them chose by its own numbers as the operation says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Graph, Node, Value
from unified_blocks.porting.interpreter import values_of
from unified_blocks.porting.judges import Judge, loose_in
from unified_blocks.porting.operations.detection import BoxSuppression
from unified_blocks.porting.operations.operation import Operation
from unified_blocks.porting.operations.reductions import ArgReduce, Sort, TopK
from unified_blocks.porting.proof import ProofRow
from unified_blocks.porting.watching import Running, distance
from unified_blocks.types import Array

CHOOSING: tuple[type[Operation], ...] = (ArgReduce, BoxSuppression, Sort, TopK)
"""Those whose output jumps where two numbers change places."""


def after_choices(
    port: Any, inputs: Mapping[str, Array], judges: Sequence[Judge], rows: Sequence[ProofRow]
) -> tuple[list[Judge], str] | None:
    """Judges that let rounding choose, and what is to be said of it.

    Args:
        port: what is proved.
        inputs: in float64, by name.
        judges: those that found an error; NumPy is the last.
        rows: what they said.

    Returns:
        None where no choice explains the error: it comes before all of them, or somebody did not
        choose by its own numbers.
    """
    choices = [node for node in port.graph.nodes if isinstance(node.operation, CHOOSING)]
    chosen = after(port.graph, choices)
    if not choices or not wrong_only_in(chosen, port, rows):
        return None
    taken = [value for node in choices for value in node.taken]
    numpy = judges[-1]
    for judge in judges[:-1]:
        theirs = {value: judge.values[value] for value in taken if value in judge.values}
        if judge.is_original and (
            len(theirs) < len(set(taken)) or not agrees(port.graph, inputs, judge, theirs, chosen)
        ):
            return None
    own = taken_by(port, inputs, taken)
    if own is None or not all(near(judge, value, own[value]) for judge in judges for value in own):
        return None
    values = values_of(port.graph, inputs, taken=own, by=choices)
    if not all(near(replace(numpy, values=values), value, own[value]) for value in own):
        return None
    before = [
        replace(each, values={v: array for v, array in each.values.items() if v not in chosen})
        for each in judges
    ]
    title = f"NumPy by the numbers of {port.target.title}"
    resumed = {value: values[value] for value in chosen}
    names = ", ".join(dict.fromkeys(node.name for node in choices))
    note = (
        f"{names}: rounding decides between numbers that are equal, so that each judge chooses "
        "another one first. What is chosen by was compared with each judge; what comes after it "
        f"is compared with what NumPy chooses by the numbers of {port.target.title}"
    )
    return [*before, Judge(title, resumed, loose_in(port.graph, port.target))], note


def after(graph: Graph, nodes: Sequence[Node]) -> dict[Value, None]:
    """All that some nodes give, and what is computed of it."""
    found: dict[Value, None] = {}
    for node in graph.nodes:
        if node in nodes or any(value in found for value in node.inputs):
            found |= dict.fromkeys(node.outputs)
    return found


def wrong_only_in(values: Mapping[Value, None], port: Any, rows: Sequence[ProofRow]) -> bool:
    """Whether each row that is not right is of one of these values."""
    layers = {name: [call.value for call in calls] for name, calls in port.layers.items()}
    for row in rows:
        if row.ok:
            continue
        if row.is_output:
            known = [value for value in port.graph.outputs if value.name == row.operation]
        else:
            known = [value for value in layers[row.layer.split(", call ")[0]] if value is not None]
        if not known or any(value not in values for value in known):
            return False
    return True


def agrees(
    graph: Graph,
    inputs: Mapping[str, Array],
    judge: Judge,
    own: Mapping[Value, Array],
    chosen: Mapping[Value, None],
) -> bool:
    """Whether what a judge knows follows from its own numbers, by the meaning of the operations."""
    nodes = [node for node in graph.nodes if isinstance(node.operation, CHOOSING)]
    resumed = replace(judge, values=values_of(graph, inputs, taken=own, by=nodes))
    return all(
        near(resumed, value, judge.values[value])
        for value in (*own, *chosen)
        if value in judge.values
    )


def near(judge: Judge, value: Value, array: Array) -> bool:
    """Whether an array is what a judge says of a value, where it says anything."""
    expected = judge.values.get(value)
    if expected is None:
        return True
    return distance(array, np.asarray(expected)) <= judge.tolerance(value)


def taken_by(
    port: Any, inputs: Mapping[str, Array], values: Sequence[Value]
) -> dict[Value, Array] | None:
    """What the ported network has of some values: a port that gives them too is made and run.

    None where the target cannot give them.
    """
    wanted = list(dict.fromkeys(values))
    graph = replace(port.graph, outputs=[*port.graph.outputs, *wanted])
    try:
        other = type(port)(port.network, graph, port.given, port.target, port.options)
    except UnsupportedError:
        return None
    if other.state.keys() != port.state.keys():
        return None
    other.state = port.state
    running = Running(other)
    given = running.run(inputs, lambda *_: None)[len(port.graph.outputs) :]
    return {value: running.here(value, array) for value, array in zip(wanted, given, strict=True)}
