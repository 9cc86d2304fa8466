"""Mistakes in losses, optimizers and epochs."""

from __future__ import annotations

import numpy as np

import unified_blocks as ub
from testbed.common import normal
from testbed.mutants import suite
from testbed.mutants.checks import Checked, Compared
from testbed.mutants.table.mutant import Mutant, dense, mlp

TARGETS = {"targets": normal(5, 6, dtype="float64", seed=9)}
LABELS = {"targets": np.arange(5) % 4, "loss": "cross_entropy"}
SGD = {"optimizer": ub.SGD(0.125, momentum=0.875), **TARGETS}
ADAM = {"optimizer": ub.Adam(0.125, epsilon=0.01), **TARGETS}

LEARNING = [
    *(
        Mutant(
            "mse is summed",
            backend,
            f"unified_blocks_{backend}.learning:mse",
            *change,
            Compared(dense, "loss", "loss_summed", "gradient", options=TARGETS),
        )
        for backend, change in {
            "torch": ("F.mse_loss(output, y)", 'F.mse_loss(output, y, reduction="sum")'),
            "tensorflow": ("tf.reduce_mean", "tf.reduce_sum"),
            "mxnet": (".mean()", ".sum()"),
        }.items()
    ),
    *(
        Mutant(
            "cross-entropy is summed",
            backend,
            f"unified_blocks_{backend}.learning:{function}",
            *change,
            Compared(mlp, "loss", "loss_summed", "gradient", options=LABELS),
        )
        for backend, function, *change in (
            ("torch", "cross_entropy", "IGNORED", 'IGNORED, reduction="sum"'),
            ("tensorflow", "cross_entropy", "tf.reduce_mean", "tf.reduce_sum"),
            ("mxnet", "CrossEntropy.hybrid_forward", "F.np.mean", "F.np.sum"),
        )
    ),
    Mutant(
        "Adam with PyTorch's epsilon",
        "torch",
        "unified_blocks_torch.steps:TorchTrainingStep.move_epsilon",
        'self.optimizer.epsilon / math.sqrt(1 - group["betas"][1] ** t)',
        "self.optimizer.epsilon",
        Compared(dense, "step 2", "unknown", "training", options=ADAM),
    ),
    Mutant(
        "the mean gradient is divided by the size of the batch",
        "mxnet",
        "unified_blocks_mxnet.steps:MXNetTrainingStep.update",
        "self.trainer.step(1,",
        "self.trainer.step(len(x),",
        Compared(dense, "step 2", "unknown", "training", options=SGD),
    ),
    *(
        Mutant(
            "an epoch drops the last batch",
            backend,
            f"unified_blocks_{backend}.steps:{function}.epoch",
            *change,
            Checked(suite.an_epoch_keeps_the_partial_batch),
        )
        for backend, function, *change in (
            ("torch", "TorchTrainingStep", "rows.split(batch_size)", "rows.split(batch_size)[:-1]"),
            ("tensorflow", "TensorFlowTrainingStep", "(rest) and many == 1", "(rest) and not many"),
            ("mxnet", "MXNetTrainingStep", "len(some),", "len(some) - batch_size,"),
        )
    ),
    *(
        Mutant(
            "a weighted loss is divided by the number of samples",
            backend,
            f"unified_blocks_{backend}.weighted:by_name",
            *change,
            Checked(suite.weights_make_a_mean),
        )
        for backend, *change in (
            ("torch", "(total + (total == 0))", "len(w)"),
            ("tensorflow", "(total + tf.cast(total == 0, w.dtype))", "len(w)"),
            ("mxnet", "(total + (total == 0))", "len(w)"),
        )
    ),
    Mutant(
        "batches of weighted samples count by their number",
        None,
        "unified_blocks.training.data.arrays:Arrays.begin",
        "self.weights is not None",
        "False",
        Checked(suite.weights_make_a_mean),
    ),
    Mutant(
        "batches of a loader count by their number, whatever the weights",
        None,
        "unified_blocks.training.data.batches:mass",
        "if w is None",
        "if True",
        Checked(suite.weights_make_a_mean),
    ),
    Mutant(
        "fit averages over batches, not samples",
        None,
        "unified_blocks.training.loop:Loop.epoch",
        "np.average(values, axis=0, weights=masses if sum(masses) else None)",
        "np.average(values, axis=0)",
        Checked(suite.fit_sees_every_sample),
    ),
    Mutant(
        "fit does not shuffle",
        None,
        "unified_blocks.training.data.arrays:Arrays.begin",
        "self.generator.permutation(self.samples)",
        "np.arange(self.samples)",
        Checked(suite.fit_shuffles_by_its_seed),
    ),
    Mutant(
        "evaluate runs in training mode",
        None,
        "unified_blocks.training.watching.outputs:Outputs.of",
        "inferred(self.net, inputs_of(x))",
        "run(self.net, inputs_of(x), train=True)",
        Checked(suite.evaluate_infers),
    ),
]
