"""Seeds of what models of MXNet draw when they are called."""

from __future__ import annotations

from typing import Any

from unified_blocks_mxnet.compat import mx


def seed(net: Any, number: int | None) -> None:
    """See `Backend.seed`. MXNet's generators cannot be read, so none of them gets its state back.

    There is one for each device, which all models draw from.
    """
    if number is not None:
        mx.random.seed(number)
