"""Which samples of a batch each worker has."""

from __future__ import annotations

import numpy as np

from unified_blocks.types import Array


def shares(rows: Array, size: int) -> list[Array]:
    """The rows of a batch, dealt to `size` workers in order, as evenly as it goes.

    The first ones have one more where it does not come out even; with fewer rows than workers the
    last ones have none.
    """
    return np.array_split(rows, size)
