"""The steps of a comparison of two models."""

from __future__ import annotations

from typing import Any

from unified_blocks.equivalence.alignment import Fault, Pair, align, first_fault
from unified_blocks.equivalence.causes.evidence import Evidence
from unified_blocks.equivalence.causes.table import UNKNOWN, cause_of
from unified_blocks.equivalence.comparison import Comparison
from unified_blocks.equivalence.layouts import (
    brought,
    side_of,
    taken,
)
from unified_blocks.equivalence.numbers import Numbers
from unified_blocks.equivalence.pairing import Common, in_common
from unified_blocks.equivalence.rounding import numbers_of
from unified_blocks.equivalence.sides import Held, Model, unchanged
from unified_blocks.equivalence.watching import WHOLE, watched
from unified_blocks.models.outputs import output_of
from unified_blocks.reference.policy import TOLERANCES
from unified_blocks.reference.rows import Row
from unified_blocks.types import Array


class Comparing(Numbers):
    """The steps of a comparison; each stops at the first difference."""

    # calls

    def forward(self) -> Comparison:
        """Parameters, every call, the output."""
        if self.parameters():
            self.calls()
        return self.result()

    def calls(self) -> None:
        for model in (self.a, self.b):
            with unchanged(model, self.train):
                try:
                    with model.told():
                        output, model.runs = watched(model.net, model.arguments(), self.train)
                except model.refusals as error:
                    if self.is_other_size(model, error):
                        return
                    raise
            if model.dtype is None:  # it holds no numbers
                dtypes = [leaf.dtype for leaf in output.leaves if not leaf.plain]
                model.dtype = next((name for name in dtypes if name in TOLERANCES), None)
            model.output = output
            if len(model.runs) <= 1 < len(model.paths()):
                self.notes.append(
                    f"outputs only of {model.title}: it runs as one graph, which shows no call "
                    "inside"
                )
        flattened = {
            name.rpartition(".")[0]: n for name, (n, *_) in self.folds.items() if isinstance(n, int)
        }
        self.pairs = align(
            self.a.runs,
            self.b.runs,
            self.rename,
            self.given.giving,
            flattened,
            self.numbers,
            self.train,
        )
        for pair in self.pairs:
            if pair.left_out is None:
                self.rows += pair.outputs
            else:
                self.notes.append(f"{pair.name} is not compared: {pair.left_out}")
        common, rows = self.outputs()
        if self.doubts and self.mode in ("forward", "train"):
            self.reconsider(self)
        fault = first_fault(self.pairs, self.a.runs, self.b.runs)
        if fault is not None:
            self.at_fault(fault)
        for pair in self.pairs:
            if pair.b.changed and not pair.a.changed:
                evidence = Evidence("call", pair.name, changed=True)
                self.differs(pair.name, "call", pair.outputs[0], evidence)
        self.different_outputs(common, rows)

    def is_other_size(self, model: Model, error: Exception) -> bool:
        """Whether the second model fails since a parameter has another shape, which is told."""
        held = next((h for h in self.apart if h.a is not None and h.b is not None), None)
        if model is self.a or held is None:
            return False
        self.notes.append(
            f"parameters only: {model.title} cannot be called with these inputs: {error}"
        )
        self.blame(held)
        return True

    def outputs(self) -> tuple[Common, list[Row]]:
        """The outputs of the models, compared."""
        for model in (self.a, self.b):
            if model.output is not None and model.output.unread:
                unread = ", ".join(model.output.unread)
                self.notes.append(f"not compared in the output of {model.title}: {unread}")
        common = in_common("output", self.a.leaves, self.b.leaves)
        a, b = ([leaf.array for leaf in leaves] for leaves in (common.a, common.b))
        types = ([leaf.dtype for leaf in common.a], [leaf.dtype for leaf in common.b])
        side = side_of(
            "output", "output", a, b, types, (None, self.given.giving.move), common.names
        )
        rows = [*side.rows, *common.missing("output")]
        self.output_moves = {
            leaf.place: move for leaf, move in zip(common.a, side.moves, strict=True)
        }
        self.rows += rows
        self.settle(rows)
        return common, rows

    def different_outputs(self, common: Common, rows: list[Row]) -> None:
        for i, row in enumerate(rows):
            if not row.ok:
                a, b = (each[i].array if i < len(each) else None for each in (common.a, common.b))
                evidence = Evidence("call", WHOLE, a=a, b=b, mode=self.mode)
                self.differs(WHOLE, "output", row, evidence)

    def at_fault(self, fault: Fault) -> None:
        """A call that departs, or a parameter of its layer that the models hold otherwise.

        The parameter is named where it explains the call.
        """
        path = None if fault.pair is None else fault.pair.a.path
        held = next((held for held in self.apart if held.path == path), None)
        evidence = self.evidence_of(fault)
        if held is not None and self.explains(held, cause_of(evidence)):
            self.blame(held)
        else:
            self.differs(fault.name, "call", fault.row, evidence, fault.after)

    def explains(self, held: Held, cause: str) -> bool:
        """Whether a parameter is to be named for a call that departs with this cause."""
        if None not in (held.a, held.b):
            return cause == UNKNOWN
        if held.name in {other.b.name for other in self.apart if other.b is not None}:
            return False  # both have it, and were not to be paired
        own = cause_of(self.evidence_of_held(held))
        return own != UNKNOWN and cause in (own, UNKNOWN)

    def evidence_of(self, fault: Fault) -> Evidence:
        pair = fault.pair
        if pair is None:
            return Evidence("call", fault.name, only_in=fault.only_in)
        mine, theirs = pair.later(self.a.runs, self.b.runs)
        return Evidence(
            "call",
            fault.name,
            pair.a.kind,
            laid_out(fault.a, pair),
            laid_out(fault.b, pair),
            laid_out(fault.x, pair),
            numbers_of(pair.a.path, self.numbers),
            self.train,
            pair.b.changed and not pair.a.changed,
            later=([laid_out(x, pair) for x in mine], [laid_out(x, pair) for x in theirs]),
            dtype=fault.dtype,
            bound=laid_out(fault.bound, pair),
            mode=self.mode,
        )

    # compiled

    def compiled(self) -> Comparison:
        """The output of `b` as a graph against that of `a`."""
        if not self.parameters():
            return self.result()
        self.notes.append(f"outputs only of {self.b.title}: it runs as one graph")
        with self.a.told():
            wanted, _ = watched(self.a.net, self.a.arguments())
        arguments = self.b.only_tensors("graphs")
        try:
            with self.b.told(), self.b.backend.compiled(self.b.net) as function:
                found = output_of(self.b.backend, function(*arguments), self.b.net)
        except self.b.refusals as error:
            if self.is_other_size(self.b, error):
                return self.result()
            raise
        self.a.output, self.b.output = wanted, found
        common, rows = self.outputs()
        if self.doubts and self.apart:  # which calls a graph does not show
            seen = Comparing(self.a.net, self.b.net, self.given, "forward", self.names, self.match)
            seen.forward()
            self.reconsider(seen)
        self.different_outputs(common, rows)
        return self.result()


def laid_out(array: Array | None, pair: Pair) -> Any:
    """An array of a call with the channels where causes look for them: first, or what is last."""
    if array is None:
        return None
    if pair.a.kind in OF_THE_LAST_AXIS:
        return taken(array, "last") if "last" in pair.moves[1] else array
    return brought(array, "last") if pair.a.channels == "last" else array


OF_THE_LAST_AXIS = ("Dense", "Embedding", "LayerNorm")
