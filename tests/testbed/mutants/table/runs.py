"""Mistakes in how a training is kept, and goes on."""

from __future__ import annotations

from testbed.mutants import runs
from testbed.mutants.checks import Checked
from testbed.mutants.table.mutant import Mutant

WITHIN, AFTER = Checked(runs.goes_on_in_an_epoch), Checked(runs.goes_on_after_an_epoch)
STATE = "unified_blocks.training.runs.state"

RUNS = [
    *(
        Mutant(name, None, function, old, new, check)
        for name, function, old, new, check in (
            (
                "the next epoch has the order of the last",
                f"{STATE}:restore",
                "if kept[",
                "if not kept[",
                AFTER,
            ),
            (
                "an epoch begins anew in the middle",
                f"{STATE}:restore",
                'kept["updates"], values if run.names else values[:, 0], masses)',
                'kept["updates"], values[:0, 0], [])',
                WITHIN,
            ),
            (
                "what the optimizer keeps is lost",
                f"{STATE}:restore",
                "slot.hold(array)",
                "slot.hold(array * 0)",
                WITHIN,
            ),
            (
                "the learning rate is that of the beginning",
                f"{STATE}:restore",
                'trainer.learning_rate = kept["learning_rate"]',
                "pass",
                WITHIN,
            ),
            (
                "callbacks begin anew",
                f"{STATE}:restore",
                "callback.load(unpacked(state, captured.read))",
                "pass",
                WITHIN,
            ),
            (
                "nothing is seeded where it is saved",
                "unified_blocks.training.runs.checkpoint:Checkpoint.step",
                "run.sow(run.updates)",
                "pass",
                WITHIN,
            ),
            (
                "nothing is seeded where it goes on",
                "unified_blocks.training.loop:Loop.epoch",
                "if done:",
                "if False:",
                WITHIN,
            ),
        )
    ),
    Mutant(
        "the velocity is divided by its scale, and multiplied again",
        "mxnet",
        f"{STATE}:restore",
        "if slot.scale == scale:",
        "if slot.scale == scale == 1:",
        WITHIN,
    ),
    Mutant(
        "layers are not seeded",
        "tensorflow",
        "unified_blocks_tensorflow.seeds:seed",
        "() if net is None else net.variables",
        "()",
        WITHIN,
    ),
    Mutant(
        "PyTorch is not seeded",
        "torch",
        "unified_blocks_torch.seeds:seed",
        "torch.manual_seed(number)",
        "pass",
        WITHIN,
    ),
    Mutant(
        "MXNet is not seeded",
        "mxnet",
        "unified_blocks_mxnet.seeds:seed",
        "mx.random.seed(number)",
        "pass",
        WITHIN,
    ),
]
