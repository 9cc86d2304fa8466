"""Mistakes in metrics, and in how batches are put together."""

from __future__ import annotations

from testbed.mutants import watching
from testbed.mutants.checks import Checked
from testbed.mutants.table.mutant import Mutant

ROOM = "unified_blocks.training.watching"

WATCHING = [
    Mutant(name, None, f"{ROOM}.{function}", old, new, Checked(check))
    for name, function, old, new, check in (
        (
            "a label is not among the largest",
            "metrics:TopK.__call__",
            "ops.less_equal(output, logit)",
            "ops.less(output, logit)",
            watching.metrics_are_their_formulas,
        ),
        (
            "the k largest are one more",
            "metrics:TopK.__call__",
            "float(classes - self.k)",
            "float(classes - self.k - 1)",
            watching.metrics_are_their_formulas,
        ),
        (
            "metrics heed no weights",
            "metrics:mean_of",
            "ops.sum(ops.multiply(w, values))",
            "ops.multiply(ops.sum(w), ops.mean(values))",
            watching.metrics_are_their_formulas,
        ),
        (
            "batches count alike",
            "measuring:Measuring.means",
            "weights=masses",
            "weights=None",
            watching.metrics_are_their_formulas,
        ),
        (
            "a single logit is taken for a probability",
            "metrics:Accuracy.__call__",
            "ops.greater(output, 0.0)",
            "ops.greater(output, 0.5)",
            watching.a_single_logit_is_told_by_its_sign,
        ),
        (
            "batches are fetched in another order",
            "predict:Fetched.fetch",
            "for each in self.waiting]",
            "for each in reversed(self.waiting)]",
            watching.outputs_are_in_order,
        ),
    )
]
