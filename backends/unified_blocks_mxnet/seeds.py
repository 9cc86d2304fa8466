"""Seeds of what models of MXNet draw when they are called."""

from __future__ import annotations

from typing import Any

import numpy as np

from unified_blocks_mxnet.compat import mx

before: list[Any] = []
"""The state of NumPy's generator before the first seed."""


def seed(net: Any, number: int | None) -> None:
    """See `Backend.seed`. MXNet has one generator for each device, which all models draw from.

    They cannot be read, so none of them gets its state back. Gluon's loaders draw their order from
    NumPy's global generator, which is seeded too, and which gets it back.
    """
    if number is not None:
        if not before:
            before.append(np.random.get_state())
        np.random.seed(number)
        mx.random.seed(number)
    elif before:
        np.random.set_state(before.pop())
