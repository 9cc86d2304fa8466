"""The steps of a comparison of how two models learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from unified_blocks.backend import Loss, Optimizer
from unified_blocks.backend.tensors import to_numpy
from unified_blocks.equivalence.causes.evidence import Evidence
from unified_blocks.equivalence.comparing import Comparing, laid_out
from unified_blocks.equivalence.comparison import Comparison
from unified_blocks.equivalence.layouts import brought
from unified_blocks.equivalence.losses import loss_for
from unified_blocks.equivalence.sides import Model, unchanged
from unified_blocks.reference.rows import compared
from unified_blocks.training.gradients import gradients_of
from unified_blocks.training.trainer import Trainer
from unified_blocks.types import Array, State


class Learning(Comparing):
    """The steps of `"train"`, `"gradient"` and `"training"`, after those of any comparison."""

    def train_pass(self) -> Comparison:
        """A pass in training mode, and the running statistics after it."""
        self.forward()
        if self.first is None:
            self.statistics()
        return self.result()

    def statistics(self) -> None:
        """The running statistics after a pass in training mode."""
        constants = [h for h in self.partners if h.a.role == "constant" and not h.a.optional]
        if not constants:
            return
        after = []
        for model in (self.a, self.b):
            with unchanged(model, True):  # MXNet moves them in the backward pass
                _, loss = self.loss_for(model)
                x = model.only_input()
                gradients_of(model.net, model.variables, x, loss=loss, train=True)
                after.append(model.numbers())
        taken = {p.a.path: [laid_out(x, p) for x in p.a.inputs] for p in self.pairs}
        for held in constants:
            a, b = after[0][held.a.name], after[1][held.b.name]
            row = compared(held.name, "statistic", a, b, "held")  # type: ignore[arg-type]
            self.rows.append(row)
            if not row.ok:
                inputs = taken.get(held.path, [])
                evidence = Evidence(
                    "statistic",
                    held.name,
                    a=a,
                    b=b,
                    x=inputs[0] if len(inputs) == 1 else None,
                    before=self.numbers[held.a.name],
                )
                self.differs(held.name, "statistic", row, evidence)

    def learning(
        self, targets: Array | None, loss: Loss | None, steps: int, optimizer: Optimizer
    ) -> Comparison:
        """Gradients, and in `"training"` the path that training takes."""
        self.forward()
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
        found = Learning(self.a.net, self.b.net, self.given, "train", self.names, self.match)
        if (first := found.train_pass().first_difference) is not None:
            self.first = first
            self.rows.insert(at, first.row)

    def loss_for(
        self, model: Model, targets: Array | None = None, loss: Loss | None = None
    ) -> tuple[Any, Loss]:
        moves = self.output_moves if model is self.b else {}
        return loss_for(model, self.a.leaves, moves, targets, loss)

    def gradients(self, targets: Array | None, loss: Loss | None) -> None:
        """Every parameter's gradient, and the input's, in inference mode.

        In the order of the backward pass: the first that departs is nearest to the output.
        """
        found: list[State] = []
        values = []
        whole_numbers = any(model.inputs[0].dtype.kind != "f" for model in (self.a, self.b))
        for model in (self.a, self.b):
            y, chosen = self.loss_for(model, targets, loss)
            value, gradients = gradients_of(
                model.net,
                model.variables,
                model.only_input(),
                y,
                loss=chosen,
                wrt="parameters" if whole_numbers else "both",
            )
            values.append(np.asarray(value, model.dtype))
            found.append(gradients)
        counts = [n for leaf in self.a.leaves for n in (leaf.array.size, *leaf.array.shape[:1])]
        row = compared("loss", "loss", values[0], values[1])
        self.rows.append(row)
        if not row.ok:
            evidence = Evidence("loss", "loss", a=values[0], b=values[1], counts=counts)
            self.differs("loss", "loss", row, evidence)
        rows = []
        pairs = [
            (p.name, found[0].get(p.a.name), self.of_b(p.name, found[1].get(p.b.name)))
            for p in self.partners
        ]
        pairs = [(name, x, y) for name, x, y in reversed(pairs) if x is not None or y is not None]
        if self.given.taking is None:
            self.notes.append("the input's gradient is not compared: the inputs are not the same")
        elif not whole_numbers:
            move = self.given.taking.of(self.given.a[0])
            pairs.append(("x", found[0]["x"], brought(found[1]["x"], move)))
        for name, x, y in pairs:
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
            y, chosen = self.loss_for(model, targets, loss)
            with unchanged(model, True):
                trainer = Trainer(model.net, optimizer, chosen)
                x = model.only_input()
                curves.append([to_numpy(trainer.step(x, y), copy=True) for _ in range(steps)])
                after.append(model.sums())
        for i, (x, y) in enumerate(zip(*curves, strict=True)):
            row = compared(f"step {i + 1}", "loss", x, y, "trained")
            self.rows.append(row)
            if not row.ok:
                self.differs(f"step {i + 1}", "loss", row, Evidence("loss", "loss", a=x, b=y))
        for held in self.partners:
            if held.a.optional:
                continue
            what = "statistic" if held.a.role == "constant" else "parameter"
            a, b = after[0][held.a.name], self.of_b(held.name, after[1][held.b.name])
            row = compared(f"{held.name}, trained", what, a, b, "trained")  # type: ignore[arg-type]
            self.rows.append(row)
            if not row.ok:
                evidence = Evidence(what, held.name, a=a, b=b, before=self.numbers[held.a.name])
                self.differs(f"{held.name}, trained", what, row, evidence)
