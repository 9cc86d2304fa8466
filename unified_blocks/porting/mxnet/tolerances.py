"""How far MXNet's own numbers may be from exact ones, in float64, for each operator."""

from __future__ import annotations

from collections.abc import Mapping

DEFAULT = 1e-9
"""Relative to the largest number of what an operator gives, or to 1."""

FLOAT32_ONLY = frozenset(
    {
        *("SoftmaxActivation", "Crop", "InstanceNorm", "LRN", "_contrib_SyncBatchNorm"),
        *("amp_cast", "_contrib_MultiBoxPrior"),
        *(
            f"_contrib_interleaved_matmul_{kind}_{part}"
            for kind in ("selfatt", "encdec")
            for part in ("qk", "valatt")
        ),
    }
)
"""Operators that MXNet refuses to compute in float64."""

TOLERANCES: dict[str, float] = {
    **dict.fromkeys(FLOAT32_ONLY, 1e-6),
    # These compute in float32, or hold their options in it, whatever they are given.
    "LeakyReLU": 2e-7,  # each factor and the product is rounded
    "hard_sigmoid": 1e-7,
    "_contrib_BilinearResize2D": 5e-5,  # places between pixels: 1e-7 of the size of an image
    "_contrib_box_decode": 1e-6,
    "SequenceMask": 1e-7,
    "RNN": 1e-7,  # of rnn_relu
}
"""Of the operators that are less exact."""


def tolerance_of(operator: str, options: Mapping[str, str] | None = None) -> float:
    """The tolerance of an operator of MXNet with these options; without them, as if it had all."""
    if operator == "BatchNorm" and options is not None and "eps" not in options:
        return 1e-7  # its own epsilon is the float32 next to 0.001
    return TOLERANCES.get(operator, DEFAULT)
