"""The numbers of two models, compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from unified_blocks.equivalence.alignment import Pair
from unified_blocks.equivalence.causes.evidence import Evidence
from unified_blocks.equivalence.causes.images import another_layout
from unified_blocks.equivalence.causes.table import cause_of, detail_of
from unified_blocks.equivalence.comparison import Comparison, FirstDifference
from unified_blocks.equivalence.layouts import (
    Given,
    Move,
    brought,
    in_words,
    refolded,
    remedy,
)
from unified_blocks.equivalence.ordering import by_order
from unified_blocks.equivalence.otherwise import (
    agree_on_others,
    calls_made_up_for,
    is_transposed,
    used_transposed,
)
from unified_blocks.equivalence.renaming import renaming
from unified_blocks.equivalence.sides import Held, Model, Partners, add_up, held_by
from unified_blocks.equivalence.watching import WHOLE
from unified_blocks.models.outputs import Place
from unified_blocks.models.transfer import Rename
from unified_blocks.models.variables import shortened
from unified_blocks.reference.policy import Kind
from unified_blocks.reference.rows import Row, compared
from unified_blocks.types import Array

FEW = 6
"""How many names are told."""


class Numbers:
    """The first step of a comparison: the numbers that both models hold."""

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
        self.folds: dict[str, tuple[Move, int, Evidence]] = {}
        self.doubts: dict[str, tuple[Row, Evidence]] = {}
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
            self.doubts[held.name] = (row, evidence)
            self.differs(held.name, "parameter", row, evidence)

    def refolded(self, e: Evidence) -> Move:
        """How a weight is in another order in each model, if it is and is run."""
        if e.a is None or e.b is None or self.mode in ("saved", "parameters"):
            return None
        if is_transposed(e.a, e.b):
            return "transposed"
        return refolded(e.a, e.b) if e.kind == "Dense" else None

    def settle(self, outputs: Sequence[Row]) -> None:
        """Judge weights that are in another order, by what they are multiplied with."""
        for name, (n, at, e) in self.folds.items():
            calls = [pair for pair in self.pairs if pair.a.path == name.rpartition(".")[0]]
            inputs = [each for p in calls for each in zip(p.inputs, p.moves[0], strict=False)]
            if n == "transposed":
                wrong = not all(used_transposed(e.a, e.b, pair) for pair in calls)
            else:
                wrong = any(row.ok and move != n for row, move in inputs)
            if wrong or not (inputs or (outputs and all(row.ok for row in outputs))):
                self.doubts[name] = (self.rows[at], e)
                self.differs(name, "parameter", self.rows[at], e)
            else:
                row = compared(
                    name, "parameter", e.a, self.of_b(name, e.b), "held", self.rows[at].dtypes
                )
                self.rows[at] = replace(row, layout=in_words(n))

    def reconsider(self, seen: Numbers) -> None:
        """Take back differences of numbers that those of a layer beside theirs make up for.

        Args:
            seen: a comparison of the same models that shows every call.
        """
        other = [
            (held.path, seen.b if held.a is None else seen.a)
            for held in seen.apart
            if None in (held.a, held.b)
        ]
        numbers = {
            name: calls_made_up_for(name.rpartition(".")[0], seen.pairs, other)
            for name, (row, e) in self.doubts.items()
            if row.shapes[0] == row.shapes[1] and not e.is_held_otherwise
        }
        made_up = [name for name, calls in numbers.items() if calls]
        if any(pair.moved is None for name in made_up for pair in numbers[name]):
            alike = agree_on_others(self.a, self.b, self.given)
            made_up = [n for n in made_up if alike or all(pair.moved for pair in numbers[n])]
        if not made_up:
            return
        self.rows = [r for r in self.rows if r.what != "parameter" or r.name not in made_up]
        self.notes.append(
            f"not compared: {shortened(made_up)}, for whose difference makes up what only one "
            "model holds beside them"
        )
        if self.first is not None and self.first.name in made_up:
            self.first = None
            for name, (row, e) in self.doubts.items():
                if name not in made_up:
                    self.differs(name, "parameter", row, e)

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
