"""The steps of a comparison of how two models learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from unified_blocks.backend import Loss, Optimizer
from unified_blocks.backend.tensors import to_numpy
from unified_blocks.equivalence.causes.evidence import Evidence
from unified_blocks.equivalence.comparing import Comparing
from unified_blocks.equivalence.comparison import Comparison
from unified_blocks.equivalence.losses import loss_for
from unified_blocks.equivalence.sides import Model, unchanged
from unified_blocks.reference.rows import compared
from unified_blocks.training.gradients import value_and_grad
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
                value_and_grad(model.net, model.only_input(), loss=loss, train=True)
                after.append(model.numbers())
        taken = {pair.a.path: pair.a.inputs for pair in self.pairs}
        for held in constants:
            a, b = after[0][held.a.name], after[1][held.b.name]
            row = compared(held.name, "statistic", a, b)  # type: ignore[arg-type]
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
            self.training(targets, loss, steps, optimizer)
        return self.result()

    def loss_for(
        self, model: Model, targets: Array | None = None, loss: Loss | None = None
    ) -> tuple[Any, Loss]:
        return loss_for(model, self.a.leaves, targets, loss)

    def gradients(self, targets: Array | None, loss: Loss | None) -> None:
        """Every parameter's gradient, and the input's, in inference mode.

        In the order of the backward pass: the first that departs is nearest to the output.
        """
        found: list[State] = []
        values = []
        whole_numbers = self.arrays[0].dtype.kind != "f"
        for model in (self.a, self.b):
            y, chosen = self.loss_for(model, targets, loss)
            value, gradients = value_and_grad(
                model.net,
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
        pairs = [(p.name, found[0].get(p.a.name), found[1].get(p.b.name)) for p in self.partners]
        pairs = [(name, x, y) for name, x, y in reversed(pairs) if x is not None or y is not None]
        if not whole_numbers:
            pairs.append(("x", found[0]["x"], found[1]["x"]))
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
                after.append(model.numbers())
        for i, (x, y) in enumerate(zip(*curves, strict=True)):
            row = compared(f"step {i + 1}", "loss", x, y, "trained")
            self.rows.append(row)
            if not row.ok:
                self.differs(f"step {i + 1}", "loss", row, Evidence("loss", "loss", a=x, b=y))
        for held in self.partners:
            if held.a.optional:
                continue
            what = "statistic" if held.a.role == "constant" else "parameter"
            a, b = after[0][held.a.name], after[1][held.b.name]
            row = compared(f"{held.name}, trained", what, a, b, "trained")  # type: ignore[arg-type]
            self.rows.append(row)
            if not row.ok:
                evidence = Evidence(what, held.name, a=a, b=b, before=self.numbers[held.a.name])
                self.differs(f"{held.name}, trained", what, row, evidence)
