"""Mistakes in the normalisations."""

from __future__ import annotations

import unified_blocks as ub
from testbed.mutants.checks import Compared
from testbed.mutants.table.mutant import Mutant, of


def norms(backend, layer_norm, batch_norm):
    """The mistakes that are possible in the normalisations of each backend.

    Args:
        layer_norm, batch_norm: a change of the epsilon of each, old and new.
    """
    module = f"unified_blocks_{backend}.norms"
    return [
        Mutant(
            "LayerNorm with Keras' epsilon",
            backend,
            f"{module}:LayerNorm.__init__",
            *layer_norm,
            Compared(of(ub.LayerNorm), "1", "epsilon"),
        ),
        Mutant(
            "BatchNorm with Keras' epsilon",
            backend,
            f"{module}:BatchNorm.__init__",
            *batch_norm,
            Compared(of(ub.BatchNorm), "1", "epsilon"),
        ),
        Mutant(
            "BatchNorm with the momentum the other way round",
            backend,
            f"{module}:BatchNorm.__init__",
            "kept(momentum)",
            "kept(kept(momentum))",
            Compared(of(ub.BatchNorm), "1.running_mean", "momentum", "train"),
        ),
        Mutant(
            "BatchNorm with the momentum the other way round, in steps of training",
            backend,
            f"{module}:BatchNorm.__init__",
            "kept(momentum)",
            "kept(kept(momentum))",
            Compared(of(ub.BatchNorm), "1.running_mean", "momentum", "training"),
        ),
    ]


NORMS = [
    *norms("torch", ("rounded(epsilon)", "1e-3"), ("rounded(epsilon)", "1e-3")),
    *norms("tensorflow", ("rounded(epsilon)", "1e-3"), ("rounded(epsilon)", "1e-3")),
    *norms("mxnet", ("rounded(epsilon)", "1e-3"), ("rounded(epsilon)", "1e-3")),
    Mutant(
        "BatchNorm keeps the unbiased variance",
        "torch",
        "unified_blocks_torch.norms:BatchNorm.normalised",
        "1 / (count - 1)",
        "0.0",
        Compared(of(ub.BatchNorm), "1.running_var", "unbiased_variance", "train"),
    ),
    Mutant(
        "BatchNorm keeps the unbiased variance, in steps of training",
        "torch",
        "unified_blocks_torch.norms:BatchNorm.normalised",
        "1 / (count - 1)",
        "0.0",
        Compared(of(ub.BatchNorm), "1.running_var", "unbiased_variance", "training"),
    ),
    Mutant(
        "BatchNorm does not move its mean",
        "torch",
        "unified_blocks_torch.norms:BatchNorm.normalised",
        "bias, mean, var",
        "bias, mean.clone(), var",
        Compared(of(ub.BatchNorm), "1.running_mean", "statistics_not_updated", "train"),
    ),
    Mutant(
        "BatchNorm without its gamma",
        "torch",
        "unified_blocks_torch.norms:BatchNorm.normalised",
        "X, weight, bias",
        "X, None, bias",
        Compared(of(ub.BatchNorm), "1", "fix_gamma"),
    ),
    Mutant(
        "BatchNorm without its gamma",
        "tensorflow",
        "unified_blocks_tensorflow.norms:BatchNorm.__init__",
        "scale=scale",
        "scale=False",
        Compared(of(ub.BatchNorm), "1.weight", "fix_gamma"),
    ),
    Mutant(
        "BatchNorm without its gamma",
        "mxnet",
        "unified_blocks_mxnet.norms:BatchNorm.__init__",
        "scale=scale",
        "scale=False",
        Compared(of(ub.BatchNorm), "1.weight", "fix_gamma"),
    ),
    Mutant(
        "BatchNorm uses the running statistics in training",
        "mxnet",
        "unified_blocks_mxnet.norms:BatchNorm.__init__",
        "use_global_stats=use_global_stats",
        "use_global_stats=True",
        Compared(of(ub.BatchNorm), "1", "batch_statistics", "train"),
    ),
    Mutant(
        "BatchNorm uses the batch in inference",
        "torch",
        "unified_blocks_torch.norms:BatchNorm.normalised",
        "mean, var, training, momentum",
        "mean, var, True, 0.0",
        Compared(of(ub.BatchNorm), "1", "batch_statistics"),
    ),
    Mutant(
        "BatchNorm uses the running statistics in training",
        "tensorflow",
        "unified_blocks_tensorflow.norms:BatchNorm.call",
        "training=training",
        "training=False",
        Compared(of(ub.BatchNorm), "1", "batch_statistics", "train"),
    ),
]
