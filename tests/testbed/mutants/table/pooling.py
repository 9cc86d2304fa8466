"""Mistakes in pools, in what pads and resizes images, and in transposed convolutions."""

from __future__ import annotations

import numpy as np

import unified_blocks as ub
from testbed.common import normal
from testbed.mutants.checks import Compared
from testbed.mutants.table.mutant import Mutant

BACKENDS = ("torch", "tensorflow", "mxnet")
IMAGE = normal(2, 4, 9, 7, dtype="float64")


def after(layer, cause="unknown", **options):
    """A layer after a convolution: `1`."""
    return Compared(lambda: ub.MySequential(ub.Conv2D(4, 1), layer(**options)), "1", cause, x=IMAGE)


def pooled(layer, cause="unknown", **options):
    return after(layer, cause, **{"pool_size": 3, "strides": 2, **options})


def of_each(name, module, method, old, new, check, backends=BACKENDS):
    """The same mistake in each adapter."""
    return [
        Mutant(name, each, f"unified_blocks_{each}.{module}:{method}", old, new, check)
        for each in backends
    ]


UNEVEN = {"padding": ((2, 0), (0, 1))}
BEYOND = {"padding": ((1, 0), (0, 1)), "ceil_mode": True}
WINDOWS = "windows_over(pool_size, strides, padding, ceil_mode, self.rank)"
FACTORS = 'per_axis("", "", size, 2)'
SPREAD = "strides, padding, output_padding, dilation, self.rank"

MISTAKES = (
    ("steps of its window", "pool_size, None, padding, ceil_mode", {}),
    ("no padding", "pool_size, strides, 0, ceil_mode", {"padding": 1}),
    ("its window turned", "pool_size[::-1], strides, padding, ceil_mode", {"pool_size": (3, 2)}),
    ("padding on the other side", "pool_size, strides, padding[::-1], ceil_mode", UNEVEN),
    ("no window beyond the padding", "pool_size, strides, padding, False", BEYOND),
)

CAUSES = {
    (ub.MaxPool2D, "no padding"): "another_padding",
    (ub.AvgPool2D, "no padding"): "another_padding",
    (ub.MaxPool2D, "no window beyond the padding"): "another_padding",
}
"""What the numbers confirm."""
BELOW = Compared(
    lambda: ub.MySequential(ub.MaxPool2D(3, 2, **UNEVEN)),
    "0",
    "unknown",
    x=-np.abs(IMAGE) - 1,
)
"""A maximum of what is below 0."""

POOLS = [
    *(
        mutant
        for layer, method in ((ub.MaxPool2D, "Maximum"), (ub.AvgPool2D, "Mean"))
        for name, given, options in MISTAKES
        for mutant in of_each(
            f"{layer.__name__} with {name}",
            "pooling",
            f"{method}.__init__",
            WINDOWS,
            f"windows_over({given}, self.rank)",
            pooled(layer, CAUSES.get((layer, name), "unknown"), **options),
        )
    ),
    *(
        Mutant(
            "a window that would start after the image is kept",
            backend,
            "unified_blocks.layers.geometry:windows_over",
            'if ceil_mode == "full"',
            "if ceil_mode",
            after(ub.MaxPool2D, pool_size=2, strides=3, padding=1, ceil_mode=True),
        )
        for backend in ("tensorflow", "mxnet")  # PyTorch's own leaves it out
    ),
    Mutant(
        "MaxPool2D with zeros around",
        "torch",
        "unified_blocks_torch.pooling:Maximum.forward",
        "-torch.inf",
        "0.0",
        BELOW,
    ),
    Mutant(
        "MaxPool2D with zeros around",
        "tensorflow",
        "unified_blocks_tensorflow.pooling:Maximum.call",
        "-np.inf",
        "0.0",
        BELOW,
    ),
    Mutant(
        "MaxPool2D with zeros around",
        "mxnet",
        "unified_blocks_mxnet.pooling:Maximum.hybrid_forward",
        "-np.inf",
        "0.0",
        BELOW,
    ),
    *of_each(
        "AvgPool2D that counts its padding the other way",
        "pooling",
        "Mean.__init__",
        "windows = ",
        "count_include_pad = not count_include_pad; windows = ",
        pooled(ub.AvgPool2D, "another_padding", padding=1),
    ),
    *of_each(
        "AvgPool2D that counts what is beyond the padding",
        "pooling",
        "Mean.__init__",
        "if any(map(any, rest))",
        "if not any(map(any, rest))",
        pooled(ub.AvgPool2D, **BEYOND),
    ),
    *of_each(
        "AdaptiveAvgPool2D of other sizes",
        "pooling",
        "AdaptiveAvgPool2D.__init__",
        'per_axis("", "", output_size, 2)',
        'per_axis("", "", output_size, 2)[::-1]',
        after(ub.AdaptiveAvgPool2D, output_size=(2, 3)),
        ("tensorflow", "mxnet"),
    ),
    *of_each(
        "a padding turned",
        "padding",
        "Padding.__init__",
        'pads_in_numbers("", padding, self.rank)',
        'pads_in_numbers("", padding, self.rank)[::-1]',
        after(ub.ReflectPad2D, "another_padding", padding=(1, 2)),
        ("torch", "mxnet"),
    ),
    Mutant(
        "a reflection that repeats the edge",
        "tensorflow",
        "unified_blocks_tensorflow.padding:Reflection.call",
        "REFLECT",
        "SYMMETRIC",
        after(ub.ReflectPad2D, "another_padding", padding=1),
    ),
    *of_each(
        "sizes exchanged",
        "resizing",
        "UpSampling2D.__init__",
        FACTORS,
        f"{FACTORS}[::-1]",
        after(ub.UpSampling2D, size=(2, 3)),
    ),
    Mutant(
        "the corners stay where they are",
        "torch",
        "unified_blocks_torch.resizing:UpSampling2D.__init__",
        'if interpolation == "nearest" else align_corners',
        'if interpolation == "nearest" else True',
        after(ub.UpSampling2D, size=2, interpolation="bilinear"),
    ),
    Mutant(
        "the corners stay where they are",
        "tensorflow",
        "unified_blocks_tensorflow.image_ops:resize",
        "if align_corners:",
        "if True:",
        after(ub.UpSampling2D, size=2, interpolation="bilinear"),
    ),
    Mutant(
        "the corners stay where they are",
        "mxnet",
        "unified_blocks_mxnet.image_ops:sampled",
        "if align_corners:",
        "if True:",
        after(ub.UpSampling2D, size=2, interpolation="bilinear"),
    ),
    Mutant(
        "pixels turned",
        "tensorflow",
        "unified_blocks_tensorflow.resizing:PixelShuffle.call",
        "(0, 1, 4, 2, 5, 3)",
        "(0, 1, 5, 2, 4, 3)",
        Compared(
            lambda: ub.MySequential(ub.Conv2D(8, 1), ub.PixelShuffle(2)), "1", "unknown", x=IMAGE
        ),
    ),
    *(
        mutant
        for name, given, options in (
            (
                "the steps for the dilation",
                "dilation, padding, output_padding, strides",
                {"strides": 2},
            ),
            ("no padding", "strides, 0, output_padding, dilation", {"padding": 1}),
            (
                "padding on the other side",
                "strides, [pair[::-1] for pair in padding], output_padding, dilation",
                UNEVEN,
            ),
            (
                "no output padding",
                "strides, padding, 0, dilation",
                {"strides": 2, "padding": 1, "output_padding": 1},
            ),
        )
        for mutant in of_each(
            f"a transposed convolution with {name}",
            "transposed",
            "Transposed.__init__",
            SPREAD,
            f"{given}, self.rank",
            after(
                ub.Conv2DTranspose,
                "another_padding" if "padding" in options else "unknown",
                channels=3,
                kernel_size=3,
                **options,
            ),
        )
    ),
    *of_each(
        "a depthwise convolution with its steps for the dilation",
        "depthwise",
        "DepthwiseConv2D.__init__",
        "strides,\n        padding,\n        dilation,",
        "dilation,\n        padding,\n        strides,",
        after(ub.DepthwiseConv2D, kernel_size=2, strides=2),
    ),
]
