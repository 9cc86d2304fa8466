"""Mistakes in how the cause of a difference is found where images are padded otherwise."""

from __future__ import annotations

from testbed.mutants import padding
from testbed.mutants.checks import Checked
from testbed.mutants.table.mutant import Mutant

CAUSES = "unified_blocks.equivalence.causes"
PADDING = [
    Mutant(name, None, f"{CAUSES}.{function}", old, new, Checked(check))
    for name, function, old, new, check in (
        (
            "a pooling has no padding",
            "pooling:_ways",
            "range(window // 2 + 1)",
            "range(1)",
            padding.padding_around_a_maximum_is_named,
        ),
        (
            "the padding of a mean never counts",
            "pooling:_pooled",
            "total / whole",
            "total / inside",
            padding.padding_within_a_mean_is_named,
        ),
        (
            "a transposed convolution is cut at its end alone",
            "convolutions:_transposed",
            "for b in range(r + 1)",
            "for b in range(1)",
            padding.the_end_that_is_cut_is_named,
        ),
        (
            "an image is padded with zeros alone",
            "padding:_paddings",
            "for mode in MODES",
            "for mode in ()",
            padding.what_is_around_an_image_is_named,
        ),
        (
            "another window passes for another padding",
            "settings:differ_in_padding",
            "not doubtful and ",
            "",
            padding.a_window_that_may_be_another_is_unknown,
        ),
    )
]
