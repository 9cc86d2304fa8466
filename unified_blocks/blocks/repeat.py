"""`repeat`: fresh blocks of one kind in a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unified_blocks.blocks.my_sequential import MySequential


def repeat(factory: Callable[[], Any], n: int) -> MySequential:
    """A `MySequential` of n blocks that `factory` makes, each with its own parameters.

    To use one block n times, with one set of parameters, put the same instance n times into a
    `MySequential`.

    Args:
        factory: makes a new block at each call, on the default backend.
        n: how many, at least 0.

    Raises:
        TypeError: a `factory` that returns the same block twice, or that is a block itself.
        ValueError: n below 0.

    Source:
        Dive into Deep Learning, "Layers and Modules", exercise 3.

    Example::

        net = ub.repeat(lambda: ub.Dense(16, activation="relu"), 3)
        net(ub.from_numpy(np.ones((2, 20), "float32")))  # (2, 16)
        len(net)  # 3
    """
    if n < 0:
        raise ValueError(f"repeat: n must be at least 0; got n={n}")
    blocks = [factory() for _ in range(n)]
    if len({id(block) for block in blocks}) < n:
        raise TypeError(
            "repeat: factory must make a new block at each call; got the same one again: write "
            "`lambda: ub.Dense(8)`, with the block made inside"
        )
    return MySequential(*blocks)
