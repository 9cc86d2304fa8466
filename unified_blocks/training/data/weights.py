"""The weight of each sample, of what is given for samples and for classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unified_blocks.training.words import must_be_left_out
from unified_blocks.types import Array

ClassWeight = Mapping[int, float] | Array
"""A weight for each label: by label, or an array of them `(classes,)`."""


def weights_of(
    y: Any, sample_weight: Any = None, class_weight: ClassWeight | None = None
) -> Array | None:
    """The weight of each sample, `(n,)` in float64: that of its class times its own.

    Args:
        y: labels `(n,)`, or one-hot `(n, classes)`, which are read by their largest number.
        sample_weight: `(n,)`, an array or a tensor, none below 0; None for ones.
        class_weight: None for ones.

    Returns:
        None when neither is given.

    Raises:
        UnsupportedError: for either, in this version.
    """
    must_be_left_out("fit", sample_weight=(sample_weight, None), class_weight=(class_weight, None))
    return None
