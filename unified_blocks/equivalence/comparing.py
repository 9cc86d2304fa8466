"""The steps of a comparison of two models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from unified_blocks.equivalence.alignment import Fault, Pair, align, first_fault
from unified_blocks.equivalence.causes.evidence import Evidence
from unified_blocks.equivalence.causes.images import another_layout
from unified_blocks.equivalence.causes.table import UNKNOWN, cause_of, detail_of
from unified_blocks.equivalence.comparison import Comparison, FirstDifference
from unified_blocks.equivalence.layouts import (
    Given,
    Move,
    brought,
    in_words,
    refolded,
    remedy,
    side_of,
    taken,
)
from unified_blocks.equivalence.ordering import by_order
from unified_blocks.equivalence.pairing import Common, in_common
from unified_blocks.equivalence.renaming import renaming
from unified_blocks.equivalence.rounding import numbers_of
from unified_blocks.equivalence.sides import Held, Model, Partners, add_up, held_by, unchanged
from unified_blocks.equivalence.watching import WHOLE, watched
from unified_blocks.models.outputs import Place, output_of
from unified_blocks.models.transfer import Rename
from unified_blocks.models.variables import shortened
from unified_blocks.reference.policy import TOLERANCES, Kind
from unified_blocks.reference.rows import Row, compared
from unified_blocks.types import Array

FEW = 6
"""How many names are told."""


class Comparing:
    """The steps of a comparison; each stops at the first difference."""

    def __init__(
        self,
        a: Any,
        b: Any,
        given: Given,
        mode: str,
        rename: Rename | None = None,
        match: str = "name",
    ) -> None:
        if match not in ("name", "order") or (rename is not None and match == "order"):
            raise ValueError(
                'compare: match must be "name" or, without rename, "order"; got '
                f"match={match!r}, rename={rename!r}"
            )
        self.a = Model(a, given.a, given.forms[0], "inputs")
        self.b = Model(b, given.b, given.forms[1], given.source)
        self.given, self.mode, self.names, self.match = given, mode, rename, match
        self.output_moves: dict[Place, Move] = {}
        self.folds: dict[str, tuple[int, int, Evidence]] = {}
        names = by_order(self.a, self.b) if match == "order" else rename
        theirs = [*self.b.names(), *self.b.paths()]
        self.rename = renaming(names, self.a.names(), self.a.paths(), theirs)
        add_up(self.a, self.b, self.rename)
        self.partners: list[Partners] = []
        self.apart: list[Held] = []
        self.order: list[str] = []
        self.train = mode == "train"
        self.rows: list[Row] = []
        self.notes = [
            f"not compared of {model.title}: {shortened(model.left_out)}, of layers of a kind "
            "that this library does not know"
            for model in (self.a, self.b)
            if model.left_out
        ]
        self.first: FirstDifference | None = None
        self.pairs: list[Pair] = []
        self.numbers = self.a.numbers()

    def result(self) -> Comparison:
        title = self.mode if self.mode != "forward" else "in inference"
        return Comparison(
            self.a.title, self.b.title, title, tuple(self.rows), self.first, tuple(self.notes)
        )

    def differs(
        self, name: str, what: str, row: Row, evidence: Evidence, after: str | None = None
    ) -> None:
        if self.first is None:
            evidence.dtypes = row.dtypes
            cause = cause_of(evidence)
            detail = detail_of(cause, evidence)
            self.first = FirstDifference(name, what, row, cause, after, detail)
            outside = name == WHOLE or what == "parameter"
            if outside and cause == another_layout.__name__:
                self.notes.append(remedy(self.given.a))

    # parameters

    def parameters(self) -> bool:
        """Every number that both models hold; whether they can be run.

        What only one holds, or in another shape, is a difference only where numbers alone are
        compared. Otherwise what is computed with it decides.
        """
        placed = True
        for held in held_by(self.a, self.b, self.rename):
            self.order.append(held.name)
            in_place = self.b.has_in_place(held.b)
            partners = held.partners
            if partners is not None:
                self.partners.append(partners)
            elif in_place and self.mode != "parameters":
                self.apart.append(held)
                continue
            self.parameter(held, in_place)
            placed &= in_place
        if not placed:
            self.notes.append("parameters only: the models do not hold the same ones in one place")
        self.tell_apart()
        return placed

    def numbers_alone(self) -> Comparison:
        self.parameters()
        return self.result()

    def tell_apart(self) -> None:
        """A remark on the parameters that were not compared."""
        lacking = []
        for model, names in (
            (self.a, [h.a.name for h in self.apart if h.a is not None and h.b is None]),
            (self.b, [h.b.name for h in self.apart if h.b is not None and h.a is None]),
        ):
            if names:
                more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
                lacking.append(f"{', '.join(names[:FEW])}{more} of {model.title}")
        if lacking:
            hint = "; where only names differ, pair them by rename= or match=" * (len(lacking) > 1)
            self.notes.append(
                "without a partner, and compared by what is computed with them: "
                f"{'; '.join(lacking)}{hint}"
            )
        for held in self.apart:
            if held.a is not None and held.b is not None:
                self.notes.append(
                    f"{held.name} has shape {held.a.shape} in one model and {held.b.shape} in the "
                    "other, and is compared by what is computed"
                )

    def blame(self, held: Held) -> None:
        """A parameter that was not compared is what differs, if none before it does."""
        first = None if self.first is None else self.first.name
        if (
            first is not None
            and first in self.order
            and self.order.index(held.name) < self.order.index(first)
        ):
            self.first = None
        self.parameter(held, in_place=True)
        at = sum(row.what == "parameter" for row in self.rows) - 1
        self.rows.insert(at, self.rows.pop())  # they come before what is computed

    def parameter(self, held: Held, in_place: bool) -> None:
        """One array of the models, its numbers and how each holds it."""
        kind: Kind = "copied" if self.mode == "saved" else "held"
        evidence = self.evidence_of_held(held, in_place)
        row = compared(held.name, "parameter", evidence.a, evidence.b, kind, held.dtypes)
        self.rows.append(row)
        otherwise = evidence.is_held_otherwise and not held.optional
        n = None if row.ok or otherwise else self.refolded(evidence)
        if n is not None:
            self.folds[held.name] = (n, len(self.rows) - 1, evidence)
        elif not row.ok or otherwise:
            self.differs(held.name, "parameter", row, evidence)

    def refolded(self, e: Evidence) -> int | None:
        """How a dense weight is in the order of another flattening, if it is and is run."""
        if e.kind != "Dense" or e.a is None or e.b is None or self.mode in ("saved", "parameters"):
            return None
        return refolded(e.a, e.b)

    def settle(self, outputs: Sequence[Row]) -> None:
        """Judge weights in the order of another flattening, by what they are multiplied with."""
        for name, (n, at, e) in self.folds.items():
            calls = [pair for pair in self.pairs if pair.a.path == name.rpartition(".")[0]]
            inputs = [each for p in calls for each in zip(p.inputs, p.moves[0], strict=False)]
            wrong = any(row.ok and move != n for row, move in inputs)
            if wrong or not (inputs or (outputs and all(row.ok for row in outputs))):
                self.differs(name, "parameter", self.rows[at], e)
            else:
                row = compared(
                    name, "parameter", e.a, self.of_b(name, e.b), "held", self.rows[at].dtypes
                )
                self.rows[at] = replace(row, layout=in_words(n))

    def of_b(self, name: str, array: Array | None) -> Any:
        """An array of `b`, under its name in `a`, in the order of `a`."""
        fold = self.folds.get(name)
        return array if fold is None or array is None else brought(array, fold[0])

    def evidence_of_held(self, held: Held, in_place: bool = True) -> Evidence:
        # On PyTorch's device without numbers, "meta", there is nothing to read.
        both = ((self.a, held.a), (self.b, held.b))
        a, b = (model.read(v) if v is not None and in_place else None for model, v in both)
        owner, model = (held.a, self.a) if held.a is not None else (held.b, self.b)
        return Evidence(
            "parameter",
            held.name,
            None if owner is None else model.backend.kind_of(owner.owner),
            a,
            b,
            names=held.names,
            roles=held.roles,
            moved=in_place,
            mode=self.mode,
            others=self.numbers,
            x=self.b.inputs[0] if len(self.b.inputs) == 1 else None,
        )

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
        flattened = {name.rpartition(".")[0]: n for name, (n, *_) in self.folds.items()}
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
        self.different_outputs(*self.outputs())
        return self.result()


def laid_out(array: Array | None, pair: Pair) -> Any:
    """An array of a call with the channels where causes look for them: first, or what is last."""
    if array is None:
        return None
    if pair.a.kind in OF_THE_LAST_AXIS:
        return taken(array, "last") if "last" in pair.moves[1] else array
    return brought(array, "last") if pair.a.channels == "last" else array


OF_THE_LAST_AXIS = ("Dense", "Embedding", "LayerNorm")
