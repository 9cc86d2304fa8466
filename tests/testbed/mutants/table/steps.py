"""Mistakes in how a network learns: schedules, clipping, accumulation, groups, averages."""

from __future__ import annotations

import unified_blocks as ub
from testbed.mutants import steps
from testbed.mutants.checks import Checked
from testbed.mutants.steps import MOMENTUM, NESTEROV, updates
from testbed.mutants.table.mutant import Mutant

SCHEDULED = Checked(updates(NESTEROV, (1.0, 0.5, 0.25), scheduled=True))
VALUE = Checked(updates(MOMENTUM, clip=ub.Clip(value=0.1)))
NORM = Checked(updates(MOMENTUM, clip=ub.Clip(norm=0.3)))
GLOBAL = Checked(updates(MOMENTUM, clip=ub.Clip(global_norm=0.3)))
LOOSE = Checked(updates(MOMENTUM, clip=ub.Clip(norm=1e3)))
PARTS = Checked(updates(MOMENTUM, batch_size=4, accumulate=3))
AVERAGE = Checked(updates(MOMENTUM, average=0.75))
GROUPS = (
    ub.ParameterGroup("bias", weight_decay=0.0, learning_rate=0.5),
    ub.ParameterGroup("*", weight_decay=0.25),
)
GROUPED = Checked(updates(ub.SGD(0.25, 0.75, weight_decay=0.125), groups=GROUPS))
SCHEDULES, IMPROVEMENT = Checked(steps.schedules), Checked(steps.improvement)
LEARNING = "unified_blocks.training.learning"

STEPS = [
    *(
        Mutant(
            "a rate of a group is the optimizer's",
            backend,  # TensorFlow's is in its graph, below
            f"{LEARNING}.groups:Setting.rate",
            "np.float32(self.factor)",
            "np.float32(1)",
            GROUPED,
        )
        for backend in ("torch", "mxnet")
    ),
    *(
        Mutant(name, None, f"{LEARNING}.{function}", old, new, check)
        for name, function, old, new, check in (
            (
                "a step decay is smooth",
                "schedules:StepDecay.factor",
                "math.floor(t / self.every)",
                "(t / self.every)",
                SCHEDULES,
            ),
            (
                "a cosine begins anew",
                "schedules:CosineDecay.factor",
                "min(t / self.steps, 1)",
                "(t / self.steps)",
                SCHEDULES,
            ),
            (
                "a cosine ends at 0",
                "schedules:CosineDecay.factor",
                "self.floor + (1 - self.floor) * share",
                "share",
                SCHEDULES,
            ),
            ("a warm-up begins at 0", "schedules:WarmUp.factor", "(t + 1)", "t", SCHEDULES),
            (
                "what comes after a warm-up has begun before",
                "schedules:WarmUp.factor",
                "self.then(t - int(self.steps))",
                "self.then(t)",
                SCHEDULES,
            ),
            (
                "epochs of a schedule are updates",
                "schedules:StepDecay.in_steps",
                "self.every * steps_per_epoch",
                "self.every",
                SCHEDULES,
            ),
            (
                "a schedule begins anew each time",
                "schedules:rates",
                "range(first, first + count)",
                "range(count)",
                SCHEDULES,
            ),
            (
                "of several groups the last counts",
                "groups:_setting",
                "for group in groups if",
                "for group in groups[::-1] if",
                GROUPED,
            ),
            (
                "any better value is an improvement",
                "improvement:Improvement.see",
                " - self.min_delta",
                "",
                IMPROVEMENT,
            ),
            (
                "epochs without improvement need not be in a row",
                "improvement:Improvement.see",
                "self.best, self.without = value, 0",
                "self.best = value",
                IMPROVEMENT,
            ),
            (
                "the best accuracy is the least",
                "improvement:Improvement.__init__",
                "-1.0 if largest",
                "1.0 if largest",
                IMPROVEMENT,
            ),
        )
    ),
    *(
        Mutant(name, backend, f"unified_blocks_{backend}.{function}", old, new, check)
        for backend, step, changes in (
            (
                "torch",
                "TorchTrainingStep",
                (
                    ("clipping:clipped", "clamp_(-bound, bound)", "clamp_(max=bound)", VALUE),
                    ("clipping:clipped", "norm.clamp(min=bound)", "norm", LOOSE),
                    ("clipping:clipped", "bound / norm", "1 / norm", NORM),
                    ("clipping:clipped", "torch.linalg.vector_norm(torch", "sum(torch", GLOBAL),
                    ("averages:Averages.update", "1 - self.decay", "self.decay", AVERAGE),
                ),
            ),
            (
                "tensorflow",
                "TensorFlowTrainingStep",
                (
                    ("clipping:clipped", "-bound, bound", "-9e9, bound", VALUE),
                    ("clipping:clipped", "tf.maximum(norm, bound)", "norm", LOOSE),
                    ("clipping:clipped", "bound / tf", "1 / tf", NORM),
                    ("clipping:clipped", "tf.norm(tf", "tf.reduce_sum(tf", GLOBAL),
                    ("averages:Averages.update", "(1 - self.decay)", "self.decay", AVERAGE),
                    ("optimizers:InWhole.setting", "tf.float32) * factor", "tf.float32)", GROUPED),
                    (
                        "optimizers:FreeSGD.update_step",
                        "gradient * tf.cast(rate",
                        "gradient * tf.cast(self.learning_rate.value * 0 + 0.25",
                        SCHEDULED,
                    ),
                    (
                        "optimizers:FreeSGD.update_step",
                        "if self.nesterov else",
                        "if False else",
                        SCHEDULED,
                    ),
                ),
            ),
            (
                "mxnet",
                "MXNetTrainingStep",
                (
                    ("clipping:clipped", "-bound, bound", "-9e9, bound", VALUE),
                    ("clipping:clipped", "mx.np.maximum(norm, bound)", "norm", LOOSE),
                    ("clipping:clipped", "(bound / mx", "(1 / mx", NORM),
                    ("clipping:clipped", "norm_of(mx.np.stack(", "sum((", GLOBAL),
                    ("averages:Averages.update", "(1 - self.decay)", "self.decay", AVERAGE),
                    (
                        "optimizers:FreeSGD.update_multi_precision",
                        "grad * self._get_lr(index)",
                        "grad * 0.25",
                        SCHEDULED,
                    ),
                    (
                        "optimizers:FreeSGD.update_multi_precision",
                        "if self.nesterov else",
                        "if False else",
                        SCHEDULED,
                    ),
                ),
            ),
        )
        for name, (function, old, new, check) in (
            *((f"{change[0]}: {change[2]}", change) for change in changes),
            (
                "all parts of a batch count alike",
                (f"steps:{step}.shares", "count / sum(counts)", "1 / len(counts)", PARTS),
            ),
        )
    ),
]
