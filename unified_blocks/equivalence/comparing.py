"""The steps of a comparison of two models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unified_blocks.equivalence.alignment import Fault, Pair, after, align, first_fault
from unified_blocks.equivalence.causes.evidence import Evidence
from unified_blocks.equivalence.causes.table import UNKNOWN, cause_of
from unified_blocks.equivalence.comparison import Comparison, FirstDifference
from unified_blocks.equivalence.inputs import Form
from unified_blocks.equivalence.ordering import by_order
from unified_blocks.equivalence.pairing import Common, in_common
from unified_blocks.equivalence.renaming import renaming
from unified_blocks.equivalence.sides import Held, Model, Partners, held_by, unchanged
from unified_blocks.equivalence.watching import WHOLE, watched
from unified_blocks.models.outputs import output_of
from unified_blocks.models.transfer import Rename
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
        arrays: Sequence[Array],
        mode: str,
        rename: Rename | None = None,
        form: Form | None = None,
        match: str = "name",
    ) -> None:
        if match not in ("name", "order") or (rename is not None and match == "order"):
            raise ValueError(
                'compare: match must be "name" or, without rename, "order"; got '
                f"match={match!r}, rename={rename!r}"
            )
        self.a, self.b, self.arrays = Model(a, arrays, form), Model(b, arrays, form), arrays
        self.mode = mode
        names = by_order(self.a, self.b) if match == "order" else rename
        theirs = [*self.b.names(), *self.b.paths()]
        self.rename = renaming(names, self.a.names(), self.a.paths(), theirs)
        self.partners: list[Partners] = []
        self.apart: list[Held] = []
        self.order: list[str] = []
        self.train = mode == "train"
        self.rows: list[Row] = []
        self.notes: list[str] = []
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
            self.first = FirstDifference(name, what, row, cause_of(evidence), after)

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
        kind: Kind = "copied" if self.mode == "saved" else "summed"
        evidence = self.evidence_of_held(held, in_place)
        row = compared(held.name, "parameter", evidence.a, evidence.b, kind, held.dtypes)
        self.rows.append(row)
        if not row.ok or (evidence.is_held_otherwise and not held.optional):
            self.differs(held.name, "parameter", row, evidence)

    def evidence_of_held(self, held: Held, in_place: bool = True) -> Evidence:
        # On PyTorch's device without numbers, "meta", there is nothing to read.
        a, b = (v.read() if v is not None and in_place else None for v in (held.a, held.b))
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
        self.pairs = align(self.a.runs, self.b.runs, self.rename)
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
        rows = common.rows("output", "output")
        self.rows += rows
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
        start = f"{pair.a.path}." if pair.a.path else ""
        numbers = {
            name.removeprefix(start): array
            for name, array in self.numbers.items()
            if name.startswith(start) and "." not in name.removeprefix(start)
        }
        return Evidence(
            "call",
            fault.name,
            pair.a.kind,
            fault.a,
            fault.b,
            fault.x,
            numbers,
            self.train,
            pair.b.changed and not pair.a.changed,
            later=(after(pair.a, self.a.runs), after(pair.b, self.b.runs)),
            dtype=fault.dtype,
            mode=self.mode,
        )

    # compiled

    def compiled(self) -> Comparison:
        """The output of `b` as a graph against that of `a`."""
        if not self.parameters():
            return self.result()
        self.notes.append(f"outputs only of {self.b.title}: it runs as one graph")
        wanted, _ = watched(self.a.net, self.a.arguments())
        arguments = self.b.only_tensors("graphs")
        try:
            with self.b.backend.compiled(self.b.net) as function:
                found = output_of(self.b.backend, function(*arguments), self.b.net)
        except self.b.refusals as error:
            if self.is_other_size(self.b, error):
                return self.result()
            raise
        self.a.output, self.b.output = wanted, found
        self.different_outputs(*self.outputs())
        return self.result()
