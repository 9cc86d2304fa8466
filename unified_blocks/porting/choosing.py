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
from unified_blocks.porting.interpreter import Chosen, values_of
from unified_blocks.porting.judges import Judge, loose_in
from unified_blocks.porting.operations.detection import BoxSuppression
from unified_blocks.porting.operations.elementwise import Cast, Elementwise
from unified_blocks.porting.operations.operation import Operation
from unified_blocks.porting.operations.reductions import ArgReduce, Sort, TopK
from unified_blocks.porting.proof import ProofRow
from unified_blocks.porting.watching import Running, distance
from unified_blocks.types import Array

ORDERING = (ArgReduce, Sort, TopK)
"""Those that say, in what they give last, in which place a number was."""
CHOOSING: tuple[type[Operation], ...] = (BoxSuppression, *ORDERING)
"""Those whose output jumps where two numbers change places."""
JUMPING = frozenset({"equal", "not_equal", "greater", "less", "greater_equal", "less_equal"}) | {
    *("floor", "ceil", "sign", "trunc", "modulo", "quotient")
}
"""Functions of numbers that jump, too."""


def chooses(operation: Operation) -> bool:
    """Whether what an operation gives jumps where numbers are equal."""
    if isinstance(operation, Elementwise):
        return operation.function in JUMPING
    return isinstance(operation, CHOOSING)


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
    choices = [node for node in port.graph.nodes if chooses(node.operation)]
    chosen = after(port.graph, choices)
    if not choices or not wrong_only_in(chosen, port, rows):
        return None
    taken = [value for node in choices for value in node.taken]
    places = [node.outputs[-1] for node in choices if isinstance(node.operation, ORDERING)]
    numpy = judges[-1]
    for judge in judges[:-1]:
        theirs = {value: judge.values[value] for value in taken if value in judge.values}
        if judge.is_original and (
            len(theirs) < len(set(taken)) or not agrees(port.graph, inputs, judge, theirs, chosen)
        ):
            return None
    own = taken_by(port, inputs, [*taken, *places])
    first = [value for value in own or () if value not in chosen]  # by what no choice came before
    if own is None or not all(
        near(judge, value, own[value]) for judge in judges for value in first
    ):
        return None
    values = values_of(port.graph, inputs, taken=own, by=choices, chosen=among_equals(own))
    if not all(near(replace(numpy, values=values), value, own[value]) for value in own):
        return None
    before = [
        replace(each, values={v: array for v, array in each.values.items() if v not in chosen})
        for each in judges
    ]
    title = f"NumPy by the numbers of {port.target.title}"
    resumed = {value: values[value] for value in chosen}

    def apart(of: Sequence[Value]) -> bool:
        return not all(near(judge, value, values[value]) for judge in judges for value in of)

    begin = [node for node in choices if apart(node.outputs) and not apart(node.taken)]
    names = ", ".join(dict.fromkeys(node.name for node in begin or choices))
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
    nodes = [node for node in graph.nodes if chooses(node.operation)]
    chosen_by = among_equals(places_of(graph, judge))
    values = values_of(graph, inputs, taken=own, by=nodes, chosen=chosen_by)
    resumed = replace(judge, values=values)
    return all(
        near(resumed, value, judge.values[value])
        for value in (*own, *chosen)
        if value in judge.values
    )


def places_of(graph: Graph, judge: Judge) -> dict[Value, Array]:
    """The places that a judge put first; some know them as other numbers only."""
    users, found = graph.users(), {}
    for node in graph.nodes:
        if isinstance(node.operation, ORDERING):
            value = node.outputs[-1]
            casts = [user for user in users.get(value, []) if isinstance(user.operation, Cast)]
            for each in (value, *(cast.output for cast in casts)):
                if each in judge.values:
                    found[value] = np.asarray(judge.values[each]).astype("int64")
    return found


def among_equals(places: Mapping[Value, Array]) -> Chosen:
    """The choice of somebody else, where it is one among numbers that are equal."""

    def chosen(node: Node, given: Sequence[Array], made: tuple[Array, ...]) -> tuple[Array, ...]:
        if not isinstance(node.operation, ORDERING) or node.outputs[-1] not in places:
            return made
        theirs, axis = places[node.outputs[-1]], node.operation.axis
        (x,), mine = given, made[-1]
        if theirs.shape != mine.shape or theirs.min() < 0 or theirs.max() >= x.shape[axis]:
            return made
        if theirs.ndim < x.ndim:
            mine, along = np.expand_dims(mine, axis), np.expand_dims(theirs, axis)
        else:
            along = theirs
        best, other = (np.take_along_axis(x, each, axis) for each in (mine, along))
        is_twice = (np.diff(np.sort(along, axis), axis=axis) == 0).any()
        return made if is_twice or not np.array_equal(best, other) else (*made[:-1], theirs)

    return chosen


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
