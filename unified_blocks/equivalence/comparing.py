"""The steps of a comparison of two models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unified_blocks import ops
from unified_blocks.backend import Loss, Optimizer
from unified_blocks.backend.tensors import to_numpy
from unified_blocks.equivalence.alignment import Fault, Pair, after, align, first_fault
from unified_blocks.equivalence.causes.evidence import Evidence
from unified_blocks.equivalence.causes.table import cause_of
from unified_blocks.equivalence.comparison import Comparison, FirstDifference
from unified_blocks.equivalence.renaming import renaming
from unified_blocks.equivalence.sides import Held, Model, held_by, unchanged
from unified_blocks.equivalence.watching import WHOLE, watched
from unified_blocks.errors import UnsupportedError
from unified_blocks.models.outputs import in_numpy
from unified_blocks.models.transfer import Rename
from unified_blocks.models.variables import shortened
from unified_blocks.reference.policy import TOLERANCES, Kind
from unified_blocks.reference.rows import Row, compared, rows_of
from unified_blocks.training.gradients import gradients_of
from unified_blocks.training.trainer import Trainer
from unified_blocks.types import Array, State


class Comparing:
    """The steps of a comparison; each stops at the first difference."""

    def __init__(
        self,
        a: Any,
        b: Any,
        arrays: Sequence[Array],
        mode: str,
        rename: Rename | None,
    ) -> None:
        self.a, self.b, self.arrays, self.mode = Model(a, arrays), Model(b, arrays), arrays, mode
        paths = [path for path, _ in self.a.backend.layers(a)]
        self.rename = renaming(rename, [*self.a.names(), *paths])
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
            self.first = FirstDifference(name, what, row, cause_of(evidence), after)

    # parameters

    def parameters(self) -> bool:
        """Every number that the models hold; whether they are alike enough to be run."""
        alike = True
        for held in held_by(self.a, self.b, self.rename):
            in_place = self.b.has_in_place(held.b)
            row = self.parameter(held, in_place)
            alike &= in_place and row.shapes[0] == row.shapes[1]
        if not alike:
            self.notes.append("parameters only: the models do not hold the same ones in one place")
        return alike

    def parameter(self, held: Held, in_place: bool) -> Row:
        """One array of the models, its numbers and how each holds it."""
        kind: Kind = "copied" if self.mode == "saved" else "summed"
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
            names=held.names,
            roles=held.roles,
            moved=in_place,
            mode=self.mode,
        )
        if not row.ok or (evidence.is_held_otherwise and not held.optional):
            self.differs(held.name, "parameter", row, evidence)
        return row

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
            with unchanged(model, self.train):
                arrays, dtypes, model.runs = watched(
                    model.net, model.tensors(self.arrays), self.train
                )
            outputs.append((arrays, dtypes))
            if model.dtype is None:  # it holds no numbers
                model.dtype = next((name for name in dtypes if name in TOLERANCES), None)
            if len(model.runs) <= 1 < len(list(model.backend.layers(model.net))):
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
        (found, found_types), (wanted, wanted_types) = outputs
        rows = rows_of("output", "output", found, wanted, (found_types, wanted_types))
        self.rows += rows
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

    def statistics(self) -> None:
        """The running statistics after a pass in training mode."""
        constants = [v.name for v in self.a.variables if v.role == "constant" and not v.optional]
        if not constants:
            return
        after = []
        for model in (self.a, self.b):
            with unchanged(model, True):  # MXNet moves them in the backward pass
                gradients_of(
                    model.net,
                    model.variables,
                    self._only_input(model),
                    loss=weighted,
                    train=True,
                    y=self._weights(model),
                )
                after.append(model.numbers())
        taken = {pair.a.path: pair.a.inputs for pair in self.pairs}
        for name in constants:
            other = {self.rename(n): array for n, array in after[1].items()}
            if name not in other:
                continue
            row = compared(name, "statistic", after[0][name], other[name])  # type: ignore[arg-type]
            self.rows.append(row)
            if not row.ok:
                path = name.rpartition(".")[0]
                inputs = taken.get(path, [])
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
        wanted, types, _ = watched(self.a.net, self.a.tensors(self.arrays))
        with self.b.backend.compiled(self.b.net) as function:
            found, found_types = in_numpy(self.b.backend, function(*self.b.tensors(self.arrays)))
        rows = rows_of("output", "output", wanted, found, (types, found_types))
        self.rows += rows
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
            self.training(targets, loss, steps, optimizer)
        return self.result()

    def _chosen(self, model: Model, targets: Array | None, loss: Loss | None) -> tuple[Any, Loss]:
        if targets is not None:
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
        weights = generator.normal(size=whole.outputs[0].shape)
        return model.backend.from_numpy(np.asarray(weights), model.device, model.dtype)

    def _only_input(self, model: Model) -> Any:
        if len(self.arrays) != 1:
            raise UnsupportedError(
                "compare: gradients are taken of models of one input; got "
                f"{len(self.arrays)}: compare with mode='forward'"
            )
        return model.tensors(self.arrays)[0]

    def gradients(self, targets: Array | None, loss: Loss | None) -> None:
        """Every parameter's gradient, and the input's, in inference mode.

        In the order of the backward pass: the first that departs is nearest to the output.
        """
        found: list[State] = []
        values = []
        whole_numbers = self.arrays[0].dtype.kind != "f"
        for model in (self.a, self.b):
            y, chosen = self._chosen(model, targets, loss)
            value, gradients = gradients_of(
                model.net,
                model.variables,
                self._only_input(model),
                y,
                loss=chosen,
                wrt="parameters" if whole_numbers else "both",
            )
            values.append(np.asarray(value, model.dtype))
            found.append(gradients)
        theirs = {self.rename(name): array for name, array in found[1].items()}
        outputs = next(call.outputs for call in self.a.runs if not call.path)
        counts = [n for array in outputs for n in (array.size, *array.shape[:1])]
        row = compared("loss", "loss", values[0], values[1])
        self.rows.append(row)
        if not row.ok:
            evidence = Evidence("loss", "loss", a=values[0], b=values[1], counts=counts)
            self.differs("loss", "loss", row, evidence)
        rows = []
        names = dict.fromkeys(name for name in (*found[0], *theirs) if name != "x")
        for name in [*reversed(names), *([] if whole_numbers else ["x"])]:
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
        theirs = {self.rename(name): array for name, array in after[1].items()}
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


def weighted(output: Any, weights: Any) -> Any:
    return ops.sum(output * weights)
