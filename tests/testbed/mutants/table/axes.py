"""Mistakes in what has axes: norms of channels, slopes, what is dropped, joined and flattened."""

from __future__ import annotations

import numpy as np

import unified_blocks as ub
from testbed.common import normal
from testbed.mutants.axes import dropped_together, norm_over_two_axes
from testbed.mutants.checks import Checked, Compared
from testbed.mutants.table.mutant import Mutant

IMAGE = normal(3, 6, 2, 5, dtype="float64")
SQUARE = normal(3, 6, 6, dtype="float64")  # in the wrong layout its shapes fit
LARGE = np.linspace(-9, 9, 120).reshape(20, 6)


def after(make):
    """A layer after one that leaves the shape as it is: `0`, `1`."""
    return lambda: ub.MySequential(ub.Softsign(), make())


def in_last(make):
    """The same, in the layout with the channels at the end."""

    def made():
        with ub.use_layout("channels_last"):
            return after(make)()

    return made


def groups():
    return ub.GroupNorm(3)


def local():
    return ub.LocalResponseNorm(3, 0.5, 0.6, 1.5)


def even():
    return ub.LocalResponseNorm(2, 0.5)


def tanh_form():
    return ub.GELU(approximate=True)


def still():
    return ub.BatchNorm(use_global_stats=True)


def joined():
    return ub.Parallel(ub.ReLU(), ub.Tanh(), axis=1)


def mutant(name, backend, function, old, new, make, first="1", cause="unknown", **options):
    """One in an adapter, or in the core for one backend alone."""
    if function.startswith(("norms:", "activations:", "layers:")):
        function = f"unified_blocks_{backend}.{function}"
    options = {"x": IMAGE, **options}
    return Mutant(name, backend, function, old, new, Compared(make, first, cause, **options))


EVERY = ("torch", "tensorflow", "mxnet")
WHOLE = {"first": "(model)", "cause": "another_layout"}
AXES = [
    # norms of channels
    mutant(
        "GroupNorm of one group",
        "torch",
        "norms:GroupNorm.__init__",
        "(self, groups,",
        "(self, 1,",
        after(groups),
    ),
    mutant(
        "GroupNorm of one group",
        "tensorflow",
        "norms:GroupNorm.__init__",
        "self, groups, epsilon",
        "self, 1, epsilon",
        after(groups),
    ),
    mutant(
        "GroupNorm of one group",
        "mxnet",
        "norms:Grouped.__init__",
        "(self, groups, rounded",
        "(self, 1, rounded",
        after(groups),
    ),
    *(
        mutant(
            f"{name} with another epsilon",
            backend,
            f"norms:{'Grouped' if backend == 'mxnet' and name != 'RMSNorm' else name}.__init__",
            "rounded(epsilon)",
            "0.01",
            after(make),
        )
        for name, make in (
            ("GroupNorm", groups),
            ("InstanceNorm", ub.InstanceNorm),
            ("RMSNorm", ub.RMSNorm),
        )
        for backend in EVERY
    ),
    mutant(
        "RMSNorm takes the mean off",
        "mxnet",
        "norms:RMSNorm.hybrid_forward",
        "F.np.square(X)",
        "F.np.square(X - F.np.mean(X, axis=-1, keepdims=True))",
        after(ub.RMSNorm),
    ),
    mutant(
        "GroupNorm without its weight",
        "mxnet",
        "norms:Grouped.hybrid_forward",
        "Y * F.np.expand_dims(sized(F, weight, like), -1)",
        "Y",
        after(groups),
    ),
    mutant(
        "GroupNorm without its bias",
        "torch",
        "norms:GroupNorm.normalised",
        "weight, bias, self.eps",
        "weight, None, self.eps",
        after(groups),
    ),
    *(
        mutant(
            f"{name} takes the channels after the batch for the last",
            backend,
            f"norms:{'Grouped' if backend == 'mxnet' and name == 'InstanceNorm' else name}"
            ".__init__",
            'layout == "channels_last"',
            "layout != layout",
            in_last(make),
            x=SQUARE,
            **WHOLE,
        )
        for name, make in (
            ("InstanceNorm", ub.InstanceNorm),
            ("BatchNorm", ub.BatchNorm),
            ("LocalResponseNorm", local),
        )
        for backend in EVERY
    ),
    mutant(
        "BatchNorm uses the batch, and was told not to",
        "torch",
        "norms:BatchNorm.normalised",
        " and not self.use_global_stats",
        "",
        after(still),
        cause="batch_statistics",
        mode="train",
    ),
    mutant(
        "BatchNorm uses the batch, and was told not to",
        "tensorflow",
        "norms:BatchNorm.call",
        "training and not self.use_global_stats",
        "training",
        after(still),
        cause="batch_statistics",
        mode="train",
    ),
    mutant(
        "BatchNorm uses the batch, and was told not to",
        "mxnet",
        "norms:BatchNorm.__init__",
        "use_global_stats=use_global_stats",
        "use_global_stats=False",
        after(still),
        cause="batch_statistics",
        mode="train",
    ),
    *(
        mutant(
            "BatchNorm without its beta",
            backend,
            "norms:BatchNorm.__init__",
            *change,
            after(ub.BatchNorm),
            first="1.bias",
            cause="bias_missing",
        )
        for backend, *change in (
            ("torch", "scale, center, dtype", "scale, False, dtype"),
            ("tensorflow", "center=center", "center=False"),
        )
    ),
    # of neighbours
    *(
        mutant(
            f"LocalResponseNorm with another {what}",
            backend,
            "norms:LocalResponseNorm.__init__",
            *change,
            after(local),
        )
        for what, backend, *change in (
            ("size", "torch", "(self, size, alpha, beta", "(self, size + 2, alpha, beta"),
            ("alpha", "torch", "alpha, beta, k)", "alpha * size, beta, k)"),
            ("beta", "torch", "alpha, beta, k)", "alpha, 0.75, k)"),
            ("k", "torch", "alpha, beta, k)", "alpha, beta, 1.0)"),
            ("size", "tensorflow", "= size, k", "= size + 2, k"),
            ("alpha", "tensorflow", "alpha / size", "alpha"),
            ("alpha", "mxnet", "alpha / size", "alpha"),
            ("k", "mxnet", "= size, k", "= size, 1.0"),
        )
    ),
    mutant(
        "LocalResponseNorm of an even size sees one more after than before",
        "tensorflow",
        "norms:LocalResponseNorm.call",
        "reach(self.size)",
        "reach(self.size)[::-1]",
        after(even),
    ),
    mutant(
        "LocalResponseNorm of an even size sees one more after than before",
        "mxnet",
        "norms:LocalResponseNorm.hybrid_forward",
        "begin=0, end=-1",
        "begin=1, end=None",
        after(even),
    ),
    *(
        Mutant(
            "LayerNorm over one axis in the place of two",
            backend,
            f"unified_blocks_{backend}.norms:LayerNorm.{function}",
            *change,
            Checked(norm_over_two_axes),
        )
        for backend, function, *change in (
            ("torch", "size_of", "X.shape[-self.axes :]", "X.shape[-1:]"),
            ("tensorflow", "__init__", "if axes > 1", "if axes > 2"),
            ("mxnet", "hybrid_forward", "range(-self.axes, 0)", "range(-1, 0)"),
        )
    ),
    # activations
    *(
        mutant(
            "PReLU takes the channels after the batch for the last",
            backend,
            "activations:PReLU.__init__",
            'layout == "channels_last"',
            "layout != layout",
            in_last(lambda: ub.PReLU(6)),
            x=SQUARE,
            **WHOLE,
        )
        for backend in EVERY
    ),
    mutant(
        "PReLU is bent elsewhere",
        "mxnet",
        "activations:PReLU.hybrid_forward",
        "F.np.greater(X, 0), X, below",
        "F.np.greater(X, 0.1), X, below",
        after(lambda: ub.PReLU(6)),
    ),
    mutant(
        "GELU exact in the place of its approximation",
        "torch",
        "activations:GELU.__init__",
        '"tanh" if approximate else',
        "",
        after(tanh_form),
        cause="gelu_form",
    ),
    mutant(
        "GELU exact in the place of its approximation",
        "tensorflow",
        "activations:GELU.__init__",
        "ub.ops.gelu_tanh if approximate else",
        "",
        after(tanh_form),
        cause="gelu_form",
    ),
    mutant(
        "GELU exact in the place of its approximation",
        "mxnet",
        "unified_blocks.layers.activations:GELU.forward",
        "approximate=self.approximate",
        "approximate=False",
        after(tanh_form),
        cause="gelu_form",
    ),
    *(
        mutant(
            f"{make.__name__} with another function",
            "mxnet",
            f"unified_blocks.ops.neural:{name}",
            *change,
            lambda make=make: ub.MySequential(ub.ReLU(), ub.LeakyReLU(), make()),
            first="2",
            x=LARGE,
            cause=cause,
        )
        for make, name, cause, *change in (
            (
                ub.ReLU6,
                "relu6",
                "activation_missing",
                "namespace.relu(x), 6",
                "namespace.relu(x), 99",
            ),
            (ub.HardSwish, "hard_swish", "another_activation", ").hard_sigmoid(x)", ").sigmoid(x)"),
            (ub.Mish, "mish", "unknown", "namespace.softplus(x)", "x"),
        )
    ),
    # axes
    *(
        Mutant(
            "Dropout drops each number apart",
            backend,
            f"unified_blocks_{backend}.layers:Dropout.{function}",
            *change,
            Checked(dropped_together),
        )
        for backend, function, *change in (
            ("torch", "forward", "X.new_ones(sizes)", "X.new_ones(X.shape)"),
            ("tensorflow", "call", "self.rate, sizes", "self.rate, None"),
            ("mxnet", "__init__", "(self, rate, axes)", "(self, rate)"),
        )
    ),
    *(
        mutant(
            "Flatten keeps the channels last",
            backend,
            f"layers:Flatten.{function}",
            *change,
            in_last(ub.Flatten),
            cause="flatten_order",
        )
        for backend, function, *change in (
            ("torch", "forward", "torch.movedim(X, -1, 1)", "X"),
            ("tensorflow", "call", "to_first(X) if last else X", "X"),
            ("mxnet", "hybrid_forward", "F.np.moveaxis(X, -1, 1) if self.channels_last else", ""),
        )
    ),
    *(
        mutant(
            "an axis is looked for where the other layout has it",
            backend,
            "unified_blocks.layers.axes:Axis.among",
            "return rank - 1 if axis == 1 else axis - 1",
            "return self.given",
            in_last(joined),
        )
        for backend in EVERY
    ),
]
