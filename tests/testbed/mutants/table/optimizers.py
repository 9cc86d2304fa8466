"""Mistakes in the formulas of optimizers and losses: one for each argument that they have."""

from __future__ import annotations

import numpy as np

import unified_blocks as ub
from testbed.common import normal
from testbed.mutants import suite
from testbed.mutants.checks import Checked, Compared
from testbed.mutants.table.mutant import Mutant, dense, embedding, mlp
from unified_blocks import ops

TARGETS = {"targets": normal(5, 6, dtype="float64", seed=9)}
SHARES = {"targets": np.random.default_rng(9).uniform(size=(5, 6))}
LABELS = {"targets": np.arange(5) % 4}
WORDS = np.arange(10).reshape(5, 2) % 3  # some of them twice
MOMENTUM = ub.SGD(0.125, momentum=0.875)
NESTEROV = ub.SGD(0.125, momentum=0.875, nesterov=True)
DECAYED = ub.SGD(0.125, weight_decay=0.125)
BOTH = ub.SGD(0.125, momentum=0.875, nesterov=True, weight_decay=0.125)
ADAM = ub.Adam(0.125, epsilon=0.01)
COUPLED = ub.Adam(0.125, epsilon=0.01, weight_decay=0.125)
ADAMW = ub.AdamW(0.125, epsilon=0.01, weight_decay=0.125)
RMSPROP = ub.RMSprop(0.125, 0.75, 0.01)
ADAGRAD = ub.Adagrad(0.125, 0.01)


def trained(optimizer, step=2):
    """Training with this optimizer, of which the loss of a step is the first that differs."""
    options = {"optimizer": optimizer, **TARGETS}
    return Compared(dense, f"step {step}", "unknown", "training", options=options)


def of_words(optimizer):
    options = {"optimizer": optimizer, "targets": normal(5, 2, 3, dtype="float64", seed=9)}
    return Compared(embedding, "step 2", "unknown", "training", x=WORDS, options=options)


def of_loss(loss, targets, make=dense, cause="unknown"):
    return Compared(make, "loss", cause, "gradient", options={"loss": loss, **targets})


def in_optimizers(backend, *mutants):
    """Mutants of `make_optimizer`, unless they name another function."""
    return [
        Mutant(
            name,
            backend,
            f"unified_blocks_{backend}.optimizers:{(*function, 'make_optimizer')[0]}",
            old,
            new,
            check,
        )
        for name, old, new, check, *function in mutants
    ]


ALONE = "Adam's weight decay is apart from the gradient"
IN_GRADIENT = "AdamW's weight decay is in the gradient"
NOT_NESTEROV = "Nesterov's momentum is plain momentum"
NO_DECAY = "SGD without weight decay"

OPTIMIZERS = [
    *in_optimizers(
        "torch",
        ("SGD without momentum", "momentum=momentum", "momentum=0", trained(MOMENTUM, 3)),
        (NOT_NESTEROV, "nesterov=nesterov", "nesterov=False", trained(NESTEROV)),
        (NO_DECAY, "weight_decay=decay", "weight_decay=0", trained(DECAYED)),
        (ALONE, "torch.optim.Adam(", "torch.optim.AdamW(", trained(COUPLED)),
        (IN_GRADIENT, "torch.optim.AdamW(", "torch.optim.Adam(", trained(ADAMW)),
        ("RMSprop adds the square in full", "rho, 1 - rho", "rho, 1", trained(RMSPROP)),
        ("RMSprop forgets faster", "rho, 1 - rho", "rho / 2, 1 - rho", trained(RMSPROP, 3)),
        ("Adagrad's sum is a mean", "1, 1, epsilon", "0.5, 0.5, epsilon", trained(ADAGRAD)),
        *(
            (
                f"{name}'s epsilon is outside the root",
                'torch._foreach_add(squares, group["eps"])',
                '[(s.sqrt() + group["eps"]) ** 2 for s in squares]',
                trained(optimizer),
                "OverRoot.update",
            )
            for name, optimizer in (("RMSprop", RMSPROP), ("Adagrad", ADAGRAD))
        ),
    ),
    *in_optimizers(
        "tensorflow",
        ("SGD with Nesterov's momentum", "=nesterov", "=True", trained(MOMENTUM)),
        (NOT_NESTEROV, "=nesterov", "=False", trained(NESTEROV)),
        (NO_DECAY, "made.decay = decay", "made.decay = 0.0", trained(DECAYED)),
        (
            ALONE,
            "made = WholeAdam(lr",
            "made = WholeAdamW(lr, decay",
            trained(COUPLED),
        ),
        (
            IN_GRADIENT,
            "made = WholeAdamW(lr, decay",
            "made = WholeAdam(lr",
            trained(ADAMW),
        ),
        (
            "RMSprop with Keras' rho",
            "WholeRMSprop(lr, rho",
            "WholeRMSprop(lr, 0.9",
            trained(RMSPROP),
        ),
        ("RMSprop with Keras' epsilon", "rho, epsilon=epsilon", "rho", trained(RMSPROP)),
        ("Adagrad starts as Keras' own", "=0.0, epsilon", "=0.1, epsilon", trained(ADAGRAD)),
        ("Adagrad with Keras' epsilon", "=0.0, epsilon=epsilon", "=0.0", trained(ADAGRAD)),
        *(
            (
                f"{type(optimizer).__name__} squares each look-up of a row",
                "tf.convert_to_tensor(gradient)",
                "gradient",
                of_words(optimizer),
                f"{owner}.whole",
            )
            for owner, optimizer in (
                *(("InWhole", each) for each in (ADAM, RMSPROP, ADAGRAD)),
                ("WholeAdamW", ADAMW),
            )
        ),
    ),
    *in_optimizers(
        "mxnet",
        (NOT_NESTEROV, "momentum, True", "momentum, None", trained(NESTEROV)),
        (
            "Nesterov's momentum without weight decay",
            "grad + weight * decay",
            "grad",
            trained(BOTH),
            "Nesterov.update_multi_precision",
        ),
        (
            NO_DECAY,
            "RememberingSGD(momentum, learning_rate=lr, wd=decay",
            "RememberingSGD(momentum, learning_rate=lr, wd=0.0",
            trained(DECAYED),
        ),
        (ALONE, "RememberingAdam(", "RememberingAdamW(", trained(COUPLED)),
        (IN_GRADIENT, "RememberingAdamW(", "RememberingAdam(", trained(ADAMW)),
        (
            "AdamW's weight decay is free of the learning rate",
            "self._get_lr(index) * decay",
            "decay",
            trained(ADAMW),
            "DecoupledAdam.update_multi_precision",
        ),
        ("RMSprop with MXNet's rho", "RMSProp(lr, rho", "RMSProp(lr, 0.9", trained(RMSPROP)),
        ("RMSprop with MXNet's epsilon", "rho, epsilon=epsilon", "rho", trained(RMSPROP)),
        ("Adagrad with MXNet's epsilon", "AdaGrad(epsilon", "AdaGrad(1e-7", trained(ADAGRAD)),
        (
            "a sparse gradient updates its rows only",
            '"lazy_update": False',
            '"lazy_update": True',
            Checked(suite.sparse_gradients_update_all_rows),
        ),
    ),
    Mutant(
        "hyper-parameters are not rounded",
        None,
        "unified_blocks.backend.training_step:Optimizer.rounded",
        "float(np.float32(value))",
        "value",
        Checked(suite.hyper_parameters_are_rounded),
    ),
]

LOSSES = [
    *(
        Mutant(name, backend, f"unified_blocks_{backend}.learning:{function}", old, new, check)
        for name, function, check, changes in (
            (
                "l1 is another loss",
                "l1",
                of_loss("l1", TARGETS),
                {
                    "torch": ("F.l1_loss", "F.smooth_l1_loss"),
                    "tensorflow": ("tf.abs", "tf.square"),
                    "mxnet": ("mx.np.abs", "mx.np.square"),
                },
            ),
            (
                "huber by its name has another bend",
                "huber",
                of_loss("huber", TARGETS),
                {
                    "torch": ("F.huber_loss(output, y", "F.huber_loss(output, y, delta=0.5"),
                    "tensorflow": ("ops.huber(output, y", "ops.huber(output, y, delta=0.5"),
                    "mxnet": ("ops.huber(output, y", "ops.huber(output, y, delta=0.5"),
                },
            ),
            (
                "binary cross-entropy takes logits for probabilities",
                "binary_cross_entropy",
                of_loss("binary_cross_entropy", SHARES),
                {
                    "torch": ("logits(output", "logits(output.sigmoid()"),
                    "tensorflow": ("logits=output", "logits=tf.sigmoid(output)"),
                    "mxnet": (
                        "cross_entropy(output, y)  #",
                        "cross_entropy(ops.sigmoid(output), y)  #",
                    ),
                },
            ),
        )
        for backend, (old, new) in changes.items()
    ),
    Mutant(
        "the graph of a loss is of another one",
        "mxnet",
        "unified_blocks_mxnet.learning:in_graphs",
        "getattr(ops, loss)",
        "ops.mse",
        Compared(dense, "step 1", "unknown", "training", options={"loss": "huber", **TARGETS}),
    ),
    *(
        Mutant(name, None, f"unified_blocks.ops.losses:{function}", old, new, check)
        for name, function, old, new, check in (
            (
                "huber's delta is ignored",
                "huber",
                "minimum(distance, delta)",
                "minimum(distance, 1.0)",
                of_loss(lambda o, y: ops.huber(o, y, delta=0.25), TARGETS),
            ),
            (
                "huber is over its delta, as Gluon's",
                "huber",
                "(distance - near) * delta",
                "(distance - near)",
                of_loss(lambda o, y: ops.huber(o, y, delta=0.25), TARGETS),
            ),
            ("l1 is half of it", "l1", "mean(", "0.5 * mean(", of_loss(ops.l1, TARGETS)),
            (
                "the targets of a binary cross-entropy are turned round",
                "binary_cross_entropy",
                "logits * y",
                "logits * (1 - y)",
                of_loss(ops.binary_cross_entropy, SHARES),
            ),
            *(
                (
                    name,
                    "cross_entropy",
                    old,
                    new,
                    of_loss(
                        lambda o, y: ops.cross_entropy(o, y, label_smoothing=0.25), LABELS, mlp
                    ),
                )
                for name, old, new in (
                    ("label smoothing is ignored", "if label_smoothing:", "if False:"),
                    (
                        "label smoothing is over the other classes",
                        "mean(logs, axis=-1) * label_smoothing",
                        "(sum(logs, axis=-1) - likelihood) * label_smoothing / 3",
                    ),
                    (
                        "label smoothing leaves the label in full",
                        "likelihood * (1 - label_smoothing)",
                        "likelihood",
                    ),
                )
            ),
        )
    ),
]
