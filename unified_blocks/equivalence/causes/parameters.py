"""Causes that lie in what the models hold."""

from __future__ import annotations

import numpy as np

from unified_blocks.equivalence.causes.evidence import ENOUGH, Evidence
from unified_blocks.reference.numpy_ops import ACTIVATE


def transposed_square_weight(e: Evidence) -> bool:
    """A square weight is used without transposing it; shapes cannot show this."""
    if e.what == "parameter" and e.a is not None and e.a.ndim >= 2:
        return e.a.shape[0] == e.a.shape[1] and e.gives(np.swapaxes(e.a, 0, 1))
    return any(
        (e.right(f(y)) and e.gives(f(z))) or (e.right(f(z)) and e.gives(f(y)))
        for y, z in e.both_ways()
        for f in ACTIVATE.values()
    )


def numbers_of_another(e: Evidence) -> bool:
    """The numbers are those of another parameter of the right model."""
    return owner_of_numbers(e) is not None


def owner_of_numbers(e: Evidence) -> str | None:
    """Whose numbers the wrong model has there: the layer's path, or the array's name."""
    if e.what != "parameter" or e.a is None or e.b is None or len(np.unique(e.b)) < ENOUGH:
        return None
    for name, array in e.others.items():
        if name not in e.names[0] and array.shape == e.b.shape and e.gives(array):
            path, _, attribute = name.rpartition(".")
            return path if path and attribute == e.attribute else name
    return None


def flatten_order(e: Evidence) -> bool:
    """An image is flattened with the channels last in one model and first in the other."""
    if e.what == "call" and e.x is not None and e.x.ndim >= 3:
        last = np.moveaxis(e.x, 1, -1).reshape(len(e.x), -1)
        first = np.moveaxis(e.x, -1, 1).reshape(len(e.x), -1)
        flat = e.x.reshape(len(e.x), -1)
        if e.right(flat) and (e.gives(last) or e.gives(first)):
            return True
    if e.what not in ("parameter", "call") or e.a is None or e.a.ndim != 2:
        return False
    out, width = e.a.shape
    return any(
        e.gives(e.a.reshape(out, c, width // c).swapaxes(1, 2).reshape(out, width))
        for c in range(2, width // 2 + 1)
        if width % c == 0
    )


def shared_layer_duplicated(e: Evidence) -> bool:
    """A layer that the right model uses twice is two layers in the other."""
    return e.names[1] < e.names[0] and bool(e.names[1])


def layers_shared(e: Evidence) -> bool:
    """Two layers of the right model are one layer in the other."""
    return e.names[0] < e.names[1] and bool(e.names[0])


def constant_trained(e: Evidence) -> bool:
    """A constant is a parameter in the other model."""
    return e.roles == ("constant", "parameter")


def parameter_not_trained(e: Evidence) -> bool:
    """A parameter is a constant in the other model."""
    return e.roles == ("parameter", "constant")


def constant_not_moved(e: Evidence) -> bool:
    """A constant is not on the device of the parameters."""
    return e.what == "parameter" and not e.moved


def constant_not_saved(e: Evidence) -> bool:
    """A constant is not in the file, or not what it was."""
    return e.what == "parameter" and e.mode == "saved" and e.roles[0] == "constant" and e.moved
