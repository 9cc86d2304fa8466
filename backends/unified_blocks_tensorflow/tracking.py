"""What the lists, tuples and dicts of a block hold, as `tf.train.Checkpoint` sees it.

TensorFlow saves what is reached from a model through named children. Keras names those in
attributes, and says nothing of those in the lists and dicts of a subclassed model: their weights
are not saved.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from unified_blocks.block.containers import CONTAINERS, items_of
from unified_blocks_tensorflow.variables import is_keras_own

Trackable = tf.__internal__.tracking.Trackable


def contained(net: Any) -> dict[str, Any]:
    """What the containers in the attributes of `net` hold, by name: `layers.0`, `heads.a.1`."""
    found: dict[str, Any] = {}
    for name, value in vars(net).items():
        if isinstance(value, CONTAINERS) and not is_keras_own(name):
            found.update(inside(name, value))
    return found


def inside(name: str, container: Any) -> Iterator[tuple[str, Any]]:
    """What TensorFlow can save in a container under that name, in containers of any depth."""
    for key, item in items_of(container):
        if isinstance(item, CONTAINERS):
            yield from inside(f"{name}.{key}", item)
        elif isinstance(item, Trackable):
            yield f"{name}.{key}", item


def restore_deferred(net: Any, name: str, container: Any) -> None:
    """Restore what a container just got, if a checkpoint was restored before it was there."""
    for child, value in inside(name, container):
        net._handle_deferred_dependencies(child, value)
