"""Pairs the calls of two models, and finds the first pair that differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from unified_blocks.equivalence.layouts import Layouts, Move, brought, move_between, sides_of
from unified_blocks.equivalence.pairing import calls_in_common
from unified_blocks.equivalence.rounding import activated_bound, numbers_of, tighten
from unified_blocks.equivalence.watching import WHOLE, Call
from unified_blocks.reference.numpy_ops import ACTIVATE
from unified_blocks.reference.policy import OWN, agree, deviation, narrowest, wide
from unified_blocks.reference.rows import Row, compared
from unified_blocks.types import Array


@dataclass
class Pair:
    """A call of each model, under the names of the first.

    Attributes:
        a, b: they hold what both take and give, in the same order; `b` in the layout of `a`.
        inputs, outputs: a row for each array of that, then for what only one takes or gives.
        moves: how its inputs, and its outputs, were brought there.
        moved: an activation that is inside the layer in one model, and after it in the other.
        within: an enclosing call whose output is the same in both, although they differ.
        input_bounds, output_bounds: what is allowed of each element, where it is known better than
            the policy does.
    """

    name: str
    a: Call
    b: Call
    inputs: list[Row]
    outputs: list[Row]
    moved: str | None = None
    within: str | None = None
    moves: tuple[Sequence[Move], Sequence[Move]] = field(default=((), ()))
    input_bounds: dict[int, Array] = field(default_factory=dict)
    output_bounds: dict[int, Array] = field(default_factory=dict)

    def later(self, a: Sequence[Call], b: Sequence[Call]) -> tuple[list[Array], list[Array]]:
        """The arrays in each model after the call that have the shape of its output."""
        if len(self.a.outputs) != 1 or len(self.b.outputs) != 1:
            return [], []
        move = next(iter(self.moves[1]), None)
        shape = self.b.outputs[0].shape
        theirs = [brought(array, move) for array in after(self.b, b)]
        return (
            [array for array in after(self.a, a) if array.shape == self.a.outputs[0].shape],
            [array for array in theirs if array.shape == shape],
        )

    @property
    def left_out(self) -> str | None:
        """Why they are not compared, if they are not."""
        if self.moved is not None:
            return f"{self.moved} is inside it in one model and after it in the other"
        if self.within is not None:
            return f"{self.within}, which makes it, gives the same in both"
        return None

    @property
    def takes_the_same(self) -> bool:
        """Whether they take the same numbers; a layer may cast them before it begins."""
        return len(self.inputs) == len(self.a.inputs) and all(
            row.ok or _cast(row, x, y)
            for row, x, y in zip(self.inputs, self.a.inputs, self.b.inputs, strict=True)
        )

    @property
    def gives_the_same(self) -> bool:
        return self.left_out is not None or all(row.ok for row in self.outputs)

    @property
    def departs(self) -> bool:
        """Whether it is where the models part: by what it gives, or what was computed before it."""
        taken = all(self.inputs[i].ok for i in self.input_bounds)
        return self.left_out is None and not (self.gives_the_same and taken)

    @property
    def may_be_within(self) -> bool:
        """Whether it is other numbers that it gives, and not just numbers that are off."""
        return any(not row.ok and i not in self.output_bounds for i, row in enumerate(self.outputs))

    @property
    def gives_closely(self) -> bool:
        """Whether its outputs agree as results do that were computed otherwise.

        Better than the policy asks in float32, lest a mistake inside become small enough to pass,
        or pass beside large numbers; but no better than what it was given.
        """
        if OWN.get() is not None or not all(row.ok for row in self.outputs):
            return all(row.ok for row in self.outputs)
        taken, given = (
            [_share(row, x, y) for row, x, y in zip(rows, a, b, strict=False)]
            for rows, a, b in (
                (self.inputs, self.a.inputs, self.b.inputs),
                (self.outputs, self.a.outputs, self.b.outputs),
            )
        )
        return max(given, default=0) <= CLOSE + 4 * max(taken, default=0)


@dataclass
class Fault:
    """The first departure in execution order.

    Attributes:
        name: of the call that is at fault.
        row: what differs.
        pair: the calls; None when only one model makes it.
        after: the last call inside it that agreed, when the fault lies after that call.
        only_in: the model that alone makes the call.
        x, a, b: the input, the same in both, and the output in each; arrays or None.
        dtype: of these, in the framework.
        bound: what is allowed of each element, where it is known better than the policy does.
    """

    name: str
    row: Row
    pair: Pair | None
    after: str | None = None
    only_in: Literal["a", "b"] | None = None
    x: Array | None = None
    a: Array | None = None
    b: Array | None = None
    dtype: str | None = None
    bound: Array | None = None


def align(
    a: Sequence[Call],
    b: Sequence[Call],
    rename: Callable[[str], str],
    layouts: Layouts | None = None,
    flattened: Mapping[str, int] | None = None,
    numbers: Mapping[str, Array] | None = None,
    train: bool = False,
) -> list[Pair]:
    """The calls that both models make, in the execution order of `a`.

    The n-th call of a path is paired with the n-th of that path; `rename` turns a path of `b` into
    one of `a`.

    Args:
        layouts, flattened: see `sides_of`.
        numbers: of the models, by which each layer's output is held to the rounding of its own sum.
        train: whether they are in training mode.
    """
    for call in b:
        call.path = rename(call.path)
    paths_a, paths_b = (Counter(call.path for call in calls) for calls in (a, b))
    several = {path for path in paths_a | paths_b if max(paths_a[path], paths_b[path]) > 1}
    found = {}
    for calls in (a, b):
        counts: Counter[str] = Counter()
        for call in sorted(calls, key=lambda call: call.start):
            counts[call.path] += 1
            number = f"#{counts[call.path]}" if call.path in several else ""
            call.name = f"{call.path or WHOLE}{number}"
            if calls is b:
                found[call.name] = call
    made = sorted((call for call in a if call.name in found), key=lambda call: call.end)
    between: list[tuple[Call, Move]] = [
        (call, move_between(call.channels, found[call.name].channels)) for call in made
    ]
    apart: list[tuple[Call, Move]] = [each for each in between if each[1] is not None]
    pairs = []
    for call in made:
        mine, theirs, taken, given = calls_in_common(call, found[call.name])
        names = (taken.names, given.names)
        took, gave = sides_of(mine, theirs, layouts or Layouts(), apart, flattened or {}, names)
        theirs = replace(theirs, inputs=took.b, outputs=gave.b)
        inputs = [*took.rows, *taken.missing("input")]
        outputs = [*gave.rows, *given.missing("call")]
        moves = (took.moves, gave.moves)
        pairs.append(Pair(call.name, mine, theirs, inputs, outputs, moves=moves))
    if numbers is not None:
        tighten(pairs, numbers, train)
    for pair in pairs:
        if not pair.gives_the_same:
            pair.moved = moved_activation(pair, a, b, numbers or {}, train) or taken_in(
                pair, a, b, found.keys() & {call.name for call in made}
            )
    agreeing = [pair for pair in pairs if pair.gives_closely]
    for pair in pairs:
        if pair.may_be_within:
            around = [p for p in agreeing if encloses(p.a, pair.a)]
            pair.within = max(around, key=lambda p: p.a.depth).name if around else None
    return pairs


def _cast(row: Row, a: Array, b: Array) -> bool:
    """Whether two arrays are the same but for a dtype that one of them was cast to."""
    narrow = narrowest(row.dtypes)
    return row.dtypes[0] != row.dtypes[1] and narrow is not None and agree(a, b, narrow)


CLOSE = 0.1
"""The share of what the policy allows, that results may differ by that were computed otherwise."""


def _share(row: Row, a: Array, b: Array) -> float:
    """How far float32 results are apart, as a share of what is allowed where none hides another."""
    both = row.dtypes == ("float32", "float32")
    return deviation(b, a, "float32", "held").share if both else 0.0


def moved_activation(
    pair: Pair,
    a: Sequence[Call],
    b: Sequence[Call],
    numbers: Mapping[str, Array],
    train: bool,
) -> str | None:
    """The activation that one model applies inside a layer and the other after it, if that is all.

    It must turn one output into the other, and its result must appear later in the model that
    applies it outside.
    """
    if len(pair.a.outputs) != 1 or len(pair.b.outputs) != 1:
        return None
    mine, theirs = pair.later(a, b)
    for bare, later, done in ((pair.a, mine, pair.b), (pair.b, theirs, pair.a)):
        plain, activated, dtype = bare.outputs[0], done.outputs[0], done.dtypes[0]
        if not agree(plain, plain, dtype) or plain.shape != activated.shape:
            continue
        if agree(plain, activated, dtype):  # they differ in their dtypes: nothing was applied
            continue
        if any(agree(array, activated, dtype) for array in later):
            bound = activated_bound(bare, done, numbers_of(bare.path, numbers), train)
            if not any(agree(array, activated, dtype, bound) for array in later):
                continue
            for name, function in ACTIVATE.items():
                if name is not None and agree(function(wide(plain)), activated, dtype, bound):
                    return name
    return None


def taken_in(pair: Pair, a: Sequence[Call], b: Sequence[Call], both: Collection[str]) -> str | None:
    """The layer of one model alone that gives of this call what the other's call gives itself.

    A norm, say, whose numbers are in those of a convolution of the other model.
    """
    if len(pair.a.outputs) != 1 or len(pair.b.outputs) != 1:
        return None
    (mine,), (theirs,) = pair.a.outputs, pair.b.outputs
    moves: tuple[Move, Move] = None, next(iter(pair.moves[1]), None)
    for calls, plain, wanted, moved in zip(
        (a, b), (mine, theirs), (theirs, mine), moves, strict=True
    ):
        for call in calls:
            if call.name in both or len(call.inputs) != 1 or len(call.outputs) != 1:
                continue
            taken, given = (brought(x, moved) for x in (*call.inputs, *call.outputs))
            if np.array_equal(taken, plain) and agree(given, wanted, pair.a.dtypes[0]):
                return call.name
    return None


def after(call: Call, calls: Sequence[Call]) -> list[Array]:
    """The arrays in a model after a call."""
    return [
        array
        for other in calls
        for array in (
            *(other.inputs if other.start > call.end else ()),
            *(other.outputs if other.end > call.end else ()),
        )
    ]


def first_fault(pairs: Sequence[Pair], a: Sequence[Call], b: Sequence[Call]) -> Fault | None:
    """The first call that departs though all before it agreed; None when every call agrees."""
    departing = next((pair for pair in pairs if pair.departs), None)
    if departing is None:
        return None
    alone = _alone(pairs, a, b, departing)
    if alone is not None:
        return alone
    if departing.takes_the_same:
        rows, arrays = departing.outputs, (departing.a.outputs, departing.b.outputs)
        bounds = departing.output_bounds
        block = departing
        before = [p for p in pairs if encloses(block.a, p.a)]
    else:
        # Its input was wrong already, and every call before it was right: so the fault lies between
        # them, in the innermost block around it whose input was right.
        around = sorted(
            (p for p in pairs if encloses(p.a, departing.a)), key=lambda p: p.a.depth, reverse=True
        )
        given = block = departing
        for each in around:
            given, block = block, each
            if each.takes_the_same:
                break
        rows, arrays = given.inputs, (given.a.inputs, given.b.inputs)
        bounds = given.input_bounds
        before = [p for p in pairs if p.a.end < given.a.start and encloses(block.a, p.a)]
    last = max(before, key=lambda p: p.a.end, default=None)
    at = next(i for i, row in enumerate(rows) if not row.ok)
    found, wanted = (each[at] if at < len(each) else None for each in arrays)
    taken = block.a.inputs if last is None else last.a.outputs
    return Fault(
        block.name,
        rows[at],
        block,
        last.name if last else None,
        x=taken[0] if len(taken) == 1 else None,
        a=found,
        b=wanted,
        dtype=rows[at].dtypes[1],
        bound=bounds.get(at),
    )


def encloses(outer: Call, inner: Call) -> bool:
    """Whether `inner` is made while `outer` runs."""
    return outer.start < inner.start and outer.end > inner.end


def _alone(
    pairs: Sequence[Pair], a: Sequence[Call], b: Sequence[Call], departing: Pair
) -> Fault | None:
    """A call of a layer of both models that one of them omits, before any difference."""
    paired = {pair.name for pair in pairs}
    shared = {call.path for call in a} & {call.path for call in b}
    for calls, limit, model in ((a, departing.a, "a"), (b, departing.b, "b")):
        for call in sorted(calls, key=lambda call: call.start):
            if call.name not in paired and call.path in shared and call.end < limit.end:
                given = next(iter(call.outputs), None)
                arrays = (given, None) if model == "a" else (None, given)
                row = compared(call.name, "call", *arrays)
                return Fault(call.name, row, None, only_in="a" if model == "a" else "b")
    return None
