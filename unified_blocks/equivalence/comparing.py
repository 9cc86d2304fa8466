"""The steps of a comparison of two models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from unified_blocks import ops
from unified_blocks.backend import Loss, Optimizer
from unified_blocks.backend.tensors import to_numpy
from unified_blocks.equivalence.alignment import Fault, Pair, align, first_fault
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
    side_of,
    taken,
)
from unified_blocks.equivalence.renaming import renaming
from unified_blocks.equivalence.rounding import numbers_of
from unified_blocks.equivalence.sides import Held, Model, held_by, unchanged
from unified_blocks.equivalence.watching import WHOLE, watched
from unified_blocks.errors import UnsupportedError
from unified_blocks.models.outputs import in_numpy
from unified_blocks.models.transfer import Rename
from unified_blocks.reference.policy import TOLERANCES, Kind
from unified_blocks.reference.rows import Row, compared
from unified_blocks.training.gradients import value_and_grad
from unified_blocks.training.trainer import Trainer
from unified_blocks.types import Array, State


class Comparing:
    """The steps of a comparison; each stops at the first difference."""

    def __init__(
        self,
        a: Any,
        b: Any,
        given: Given,
        mode: str,
        rename: Rename | None,
    ) -> None:
        self.a, self.b = Model(a, given.a, "inputs"), Model(b, given.b, given.source)
        self.given, self.mode, self.names = given, mode, rename
        self.output_moves: Sequence[Move] = ()
        self.folds: dict[str, tuple[int, int, Evidence]] = {}
        paths = [path for path, _ in self.a.backend.layers(a)]
        self.rename = renaming(rename, [*self.a.names(), *paths])
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
            evidence.dtypes = row.dtypes
            cause = cause_of(evidence)
            detail = detail_of(cause, evidence)
            self.first = FirstDifference(name, what, row, cause, after, detail)
            outside = name == WHOLE or what == "parameter"
            if outside and cause == another_layout.__name__:
                self.notes.append(remedy(self.given.a))

    # parameters

    def parameters(self) -> bool:
        """Every number that the models hold; whether they are alike enough to be run."""
        alike = True
        for held in held_by(self.a, self.b, self.rename):
            in_place = self.b.has_in_place(held.b)
            row = self.parameter(held, in_place)
            alike &= in_place and row.shapes[0] == row.shapes[1]
        if not alike:
            self.settle([])
            self.notes.append("parameters only: the models do not hold the same ones in one place")
        return alike

    def parameter(self, held: Held, in_place: bool) -> Row:
        """One array of the models, its numbers and how each holds it."""
        kind: Kind = "copied" if self.mode == "saved" else "held"
        # On PyTorch's device without numbers, "meta", there is nothing to read.
        a, b = (v.read() if v is not None and in_place else None for v in (held.a, held.b))
        row = compared(held.name, "parameter", a, b, kind, held.dtypes)
        self.rows.append(row)
        owner, model = (held.a, self.a) if held.a is not None else (held.b, self.b)
        evidence = Evidence(
            "parameter",
            held.name,
            None if owner is None else model.backend.kind_of(owner.owner),
            a,
            b,
            x=self.b.inputs[0] if len(self.b.inputs) == 1 else None,
            names=held.names,
            roles=held.roles,
            moved=in_place,
            mode=self.mode,
            others=self.numbers,
        )
        n = None if a is None or b is None or row.ok else refolded(a, b)
        otherwise = evidence.is_held_otherwise and not held.optional
        if n is not None and evidence.kind == "Dense" and kind == "held" and not otherwise:
            self.folds[held.name] = (n, len(self.rows) - 1, evidence)
        elif not row.ok or otherwise:
            self.differs(held.name, "parameter", row, evidence)
        return row

    def settle(self, outputs: Sequence[Row]) -> None:
        """Judge weights in the order of another flattening, by what they are multiplied with."""
        for name, (n, at, e) in self.folds.items():
            calls = [pair for pair in self.pairs if pair.a.path == name.rpartition(".")[0]]
            inputs = [each for p in calls for each in zip(p.inputs, p.moves[0], strict=True)]
            wrong = any(row.ok and move != n for row, move in inputs)
            if wrong or not (inputs or (outputs and all(row.ok for row in outputs))):
                self.differs(name, "parameter", self.rows[at], e)
            elif e.a is not None and e.b is not None:
                row = compared(
                    name, "parameter", e.a, brought(e.b, n), "held", self.rows[at].dtypes
                )
                self.rows[at] = replace(row, layout=in_words(n))

    def of_b(self, arrays: State) -> State:
        """Arrays of `b`, by their names in `a`, in the order of `a`."""
        named = {self.rename(name): array for name, array in arrays.items()}
        moved = {name: brought(named[name], self.folds[name][0]) for name in self.folds}
        return named | moved

    # calls

    def forward(self) -> Comparison:
        """Parameters, every call, the output; in `"train"`, the running statistics after it."""
        if self.parameters():
            self.calls()
        if self.mode == "train" and self.first is None:
            self.statistics()
        return self.result()

    def calls(self) -> None:
        outputs = []
        for model in (self.a, self.b):
            with unchanged(model, self.train), model.told():
                arrays, dtypes, model.runs = watched(model.net, model.tensors(), self.train)
            outputs.append((arrays, dtypes))
            if model.dtype is None:  # it holds no numbers
                model.dtype = next((name for name in dtypes if name in TOLERANCES), None)
            if len(model.runs) <= 1 < len(list(model.backend.layers(model.net))):
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
        (found, found_types), (wanted, wanted_types) = outputs
        rows, wanted, self.output_moves = self.outputs(found, wanted, (found_types, wanted_types))
        self.rows += rows
        self.settle(rows)
        fault = first_fault(self.pairs, self.a.runs, self.b.runs)
        if fault is not None:
            self.differs(fault.name, "call", fault.row, self.evidence_of(fault), fault.after)
        for pair in self.pairs:
            if pair.b.changed and not pair.a.changed:
                evidence = Evidence("call", pair.name, changed=True)
                self.differs(pair.name, "call", pair.outputs[0], evidence)
        for i, row in enumerate(rows):
            if not row.ok:
                a, b = (each[i] if i < len(each) else None for each in (found, wanted))
                self.differs(WHOLE, "output", row, Evidence("call", WHOLE, a=a, b=b))

    def outputs(
        self, a: Sequence[Array], b: Sequence[Array], dtypes: tuple[Sequence[str], Sequence[str]]
    ) -> tuple[list[Row], list[Array], list[Move]]:
        """Rows of the models' outputs, those of `b` in the layout of `a`, how they got there."""
        side = side_of("output", "output", a, b, dtypes, (None, self.given.giving.move))
        return side.rows, side.b, side.moves

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

    def statistics(self) -> None:
        """The running statistics after a pass in training mode."""
        constants = [v.name for v in self.a.variables if v.role == "constant" and not v.optional]
        if not constants:
            return
        after = []
        for model in (self.a, self.b):
            with unchanged(model, True):  # MXNet moves them in the backward pass
                value_and_grad(
                    model.net,
                    self._only_input(model),
                    loss=weighted,
                    train=True,
                    y=self._weights(model),
                )
                after.append(model.numbers())
        inputs_of = {pair.a.path: [laid_out(x, pair) for x in pair.a.inputs] for pair in self.pairs}
        for name in constants:
            other = {self.rename(n): array for n, array in after[1].items()}
            if name not in other:
                continue
            row = compared(name, "statistic", after[0][name], other[name], "held")  # type: ignore[arg-type]
            self.rows.append(row)
            if not row.ok:
                path = name.rpartition(".")[0]
                inputs = inputs_of.get(path, [])
                evidence = Evidence(
                    "statistic",
                    name,
                    a=after[0][name],
                    b=other[name],
                    x=inputs[0] if len(inputs) == 1 else None,
                    before=self.numbers[name],
                )
                self.differs(name, "statistic", row, evidence)

    # compiled

    def compiled(self) -> Comparison:
        """The output of `b` as a graph against that of `a`."""
        if not self.parameters():
            return self.result()
        self.notes.append(f"outputs only of {self.b.title}: it runs as one graph")
        with self.a.told():
            wanted, types, _ = watched(self.a.net, self.a.tensors())
        with self.b.told(), self.b.backend.compiled(self.b.net) as function:
            found, found_types = in_numpy(self.b.backend, function(*self.b.tensors()))
        rows, found, _ = self.outputs(wanted, found, (types, found_types))
        self.rows += rows
        self.settle(rows)
        for i, row in enumerate(rows):
            if not row.ok:
                a, b = (each[i] if i < len(each) else None for each in (wanted, found))
                self.differs(
                    WHOLE, "output", row, Evidence("call", WHOLE, a=a, b=b, mode=self.mode)
                )
        return self.result()

    # learning

    def learning(
        self, targets: Array | None, loss: Loss | None, steps: int, optimizer: Optimizer
    ) -> Comparison:
        """Gradients, and in `"training"` the path that training takes."""
        if self.parameters():
            self.calls()
        if self.first is None:
            self.gradients(targets, loss)
        if self.first is None and self.mode == "training":
            computed = len(self.rows)
            self.training(targets, loss, steps, optimizer)
            if self.first is not None:
                self.one_pass(computed)
        return self.result()

    def one_pass(self, at: int) -> None:
        """Name what differs after one pass in training mode already, before any step of training.

        It shows which layer differs, and from what it computed; after several steps all may.
        """
        found = Comparing(self.a.net, self.b.net, self.given, "train", self.names).forward()
        if (first := found.first_difference) is not None:
            self.first = first
            self.rows.insert(at, first.row)

    def _chosen(self, model: Model, targets: Array | None, loss: Loss | None) -> tuple[Any, Loss]:
        if targets is not None:
            targets = self._laid_out(model, targets)
            if targets.dtype.kind == "f" and model.dtype:
                return model.backend.from_numpy(targets, model.device, model.dtype), loss or "mse"
            return targets, loss or "mse"
        if loss is not None:
            return None, loss
        return self._weights(model), weighted

    def _weights(self, model: Model) -> Any:
        """Fixed random numbers, as many as the output has."""
        whole = next(call for call in self.a.runs if not call.path)
        if len(whole.outputs) != 1:
            raise UnsupportedError(
                f"compare: gradients are taken of one output; got {len(whole.outputs)} of "
                f"{self.a.title}: give a loss that makes one number of them"
            )
        generator = np.random.default_rng(0)
        weights = self._laid_out(model, generator.normal(size=whole.outputs[0].shape))
        return model.backend.from_numpy(np.asarray(weights), model.device, model.dtype)

    def _laid_out(self, model: Model, array: Array) -> Array:
        """An array that belongs to the output of `a`, in the layout of the output of `model`."""
        outputs = next(call.outputs for call in self.a.runs if not call.path)
        if model is self.a or not outputs or array.ndim != outputs[0].ndim:
            return array
        return np.asarray(taken(array, self.output_moves[0]), order="C")

    def _only_input(self, model: Model) -> Any:
        if len(model.inputs) != 1:
            raise UnsupportedError(
                "compare: gradients are taken of models of one input; got "
                f"{len(model.inputs)}: compare with mode='forward'"
            )
        return model.tensors()[0]

    def gradients(self, targets: Array | None, loss: Loss | None) -> None:
        """Every parameter's gradient, and the input's, in inference mode.

        In the order of the backward pass: the first that departs is nearest to the output.
        """
        found: list[State] = []
        values = []
        whole_numbers = any(model.inputs[0].dtype.kind != "f" for model in (self.a, self.b))
        for model in (self.a, self.b):
            y, chosen = self._chosen(model, targets, loss)
            value, gradients = value_and_grad(
                model.net,
                self._only_input(model),
                y,
                loss=chosen,
                wrt="parameters" if whole_numbers else "both",
            )
            values.append(np.asarray(value, model.dtype))
            found.append(gradients)
        theirs = self.of_b(found[1])
        if self.given.taking is None:
            self.notes.append("the input's gradient is not compared: the inputs are not the same")
        elif "x" in theirs:
            theirs["x"] = brought(theirs["x"], self.given.taking.of(self.given.a[0]))
        outputs = next(call.outputs for call in self.a.runs if not call.path)
        counts = [n for array in outputs for n in (array.size, *array.shape[:1])]
        row = compared("loss", "loss", values[0], values[1])
        self.rows.append(row)
        if not row.ok:
            evidence = Evidence("loss", "loss", a=values[0], b=values[1], counts=counts)
            self.differs("loss", "loss", row, evidence)
        rows = []
        names = dict.fromkeys(name for name in (*found[0], *theirs) if name != "x")
        with_input = self.given.taking is not None and not whole_numbers
        for name in [*reversed(names), *(["x"] if with_input else [])]:
            x, y = found[0].get(name), theirs.get(name)
            row = compared(name, "gradient", x, y)
            rows.append(row)
            if not row.ok:
                evidence = Evidence("gradient", name, a=x, b=y, counts=counts)
                self.differs(name, "gradient", row, evidence)
        self.rows += rows

    def training(
        self, targets: Array | None, loss: Loss | None, steps: int, optimizer: Optimizer
    ) -> None:
        """The loss of each step, and every number after the last."""
        curves, after = [], []
        for model in (self.a, self.b):
            y, chosen = self._chosen(model, targets, loss)
            with unchanged(model, True):
                trainer = Trainer(model.net, optimizer, chosen)
                x = self._only_input(model)
                curves.append([to_numpy(trainer.step(x, y), copy=True) for _ in range(steps)])
                after.append(model.numbers())
        for i, (x, y) in enumerate(zip(*curves, strict=True)):
            row = compared(f"step {i + 1}", "loss", x, y, "trained")
            self.rows.append(row)
            if not row.ok:
                self.differs(f"step {i + 1}", "loss", row, Evidence("loss", "loss", a=x, b=y))
        theirs = self.of_b(after[1])
        for v in self.a.variables:
            if v.optional or v.name not in theirs:
                continue
            what = "statistic" if v.role == "constant" else "parameter"
            a, b = after[0][v.name], theirs[v.name]
            row = compared(f"{v.name}, trained", what, a, b, "trained")  # type: ignore[arg-type]
            self.rows.append(row)
            if not row.ok:
                evidence = Evidence(what, v.name, a=a, b=b, before=self.numbers[v.name])
                self.differs(f"{v.name}, trained", what, row, evidence)


def laid_out(array: Array | None, pair: Pair) -> Any:
    """An array of a call with the channels where causes look for them: first, or what is last."""
    if array is None:
        return None
    if pair.a.kind in OF_THE_LAST_AXIS:
        return taken(array, "last") if "last" in pair.moves[1] else array
    return brought(array, "last") if pair.a.channels == "last" else array


OF_THE_LAST_AXIS = ("Dense", "Embedding", "LayerNorm")


def weighted(output: Any, weights: Any) -> Any:
    return ops.sum(output * weights)
