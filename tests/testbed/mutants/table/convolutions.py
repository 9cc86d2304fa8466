"""Mistakes in convolutions, and in where their channels are."""

from __future__ import annotations

import unified_blocks as ub
from testbed.common import normal
from testbed.mutants.checks import Compared
from testbed.mutants.table.mutant import Mutant

IMAGE = normal(2, 4, 9, 7, dtype="float64")


def convolved(cause="unknown", layout=None, **options):
    """A convolution after another one: `1`."""

    def make():
        with ub.use_layout(layout or "channels_first"):
            return ub.MySequential(
                ub.Conv2D(4, 1), ub.Conv2D(6, **{"kernel_size": (3, 2), **options})
            )

    return Compared(make, "1", cause, x=IMAGE)


UNEVEN = {"padding": ((2, 0), (0, 1))}
SIZES = "for size in (kernel_size, strides, dilation)"
TURNED = 'per_axis("", "", size, self.rank)', 'per_axis("", "", size, self.rank)[::-1]'
PADS = {
    "torch": ("unified_blocks_torch.convolutions:flat", "size in pair", "size in reversed(pair)"),
    "tensorflow": (
        "unified_blocks_tensorflow.convolutions:Convolution.place",
        "((0, 0), *pads, (0, 0))",
        "((0, 0), *(pair[::-1] for pair in pads), (0, 0))",
    ),
    "mxnet": (
        "unified_blocks_mxnet.convolutions:Convolution.hybrid_forward",
        "*self.pads_for(X)",
        "*(pair[::-1] for pair in self.pads_for(X))",
    ),
}


PLACES = {"torch": "__init__", "tensorflow": "place", "mxnet": "__init__"}
"""The methods that settle where the windows are."""


def of_each(name, old, new, check):
    """The same mistake in each adapter."""
    return [
        Mutant(
            name,
            backend,
            f"unified_blocks_{backend}.convolutions:Convolution.{method}",
            old,
            new,
            check,
        )
        for backend, method in PLACES.items()
    ]


CONVOLUTIONS = [
    *(
        Mutant("padding on the other side", backend, *place, convolved("another_padding", **UNEVEN))
        for backend, place in PADS.items()
    ),
    *of_each(
        "steps and dilation exchanged",
        SIZES,
        "for size in (kernel_size, dilation, strides)",
        convolved(strides=2),
    ),
    *of_each(
        "steps of the axes exchanged",
        *TURNED,
        convolved(kernel_size=3, strides=(2, 1)),
    ),
    *of_each(
        "dilation of the axes exchanged",
        *TURNED,
        convolved(kernel_size=2, dilation=(2, 1)),
    ),
    Mutant(
        "no activation after a convolution",
        "torch",
        "unified_blocks_torch.convolutions:Convolution.forward",
        "return Y if self.activation is None else self.activation(Y)",
        "return Y",
        convolved("activation_missing", activation="relu"),
    ),
    Mutant(
        "no activation after a convolution",
        "tensorflow",
        "unified_blocks_tensorflow.convolutions:Convolution.__init__",
        "ACTIVATIONS[activation]",
        "None",
        convolved("activation_missing", activation="relu"),
    ),
    Mutant(
        "no activation after a convolution",
        "mxnet",
        "unified_blocks_mxnet.convolutions:Convolution.__init__",
        "activation if activation in OWN else None",
        "None",
        convolved("activation_missing", activation="relu"),
    ),
    *(
        Mutant(
            "the extra zero of same at the start",
            backend,
            "unified_blocks.layers.geometry:same_pads",
            "(total // 2, total - total // 2)",
            "(total - total // 2, total // 2)",
            convolved(padding="same", strides=(1, 2)),
        )
        for backend in ("torch", "mxnet")
    ),
    Mutant(
        "channels last are not turned for the padding",
        "tensorflow",
        "unified_blocks_tensorflow.convolutions:Convolution.pads_for",
        "return self.pads",
        "return self.pads[1:] + self.pads[:1]",
        convolved(**UNEVEN, layout="channels_last"),
    ),
    Mutant(
        "height and width exchanged where the axes are turned",
        "tensorflow",
        "unified_blocks_tensorflow.images:to_last",
        "turned(x, axes)",
        "turned(x, (0, 3, 2, 1))",
        Compared(lambda: ub.MySequential(ub.Conv2D(4, 3)), "(model)", "unknown", x=IMAGE),
    ),
]
