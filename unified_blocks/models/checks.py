"""`check`: the layers in a model that its framework does not find."""

from __future__ import annotations

from typing import Any

from unified_blocks.backend.tensors import backend_of
from unified_blocks.block.containers import CONTAINERS, inside


def check(net: Any) -> list[str]:
    """Look for layers that a native model keeps where its framework does not find them.

    A layer in a plain Python list, tuple, dict or set is not part of a PyTorch or Gluon model: it
    is not trained, saved or moved. (Keras finds such layers, and a block of this library registers
    them.)

    Args:
        net: a model of any framework.

    Returns:
        A list with one sentence for each such attribute, with its name and a remedy.

    Example::

        from torch import nn

        net = nn.Sequential(nn.Linear(4, 8))
        net.heads = [nn.Linear(8, 2), nn.Linear(8, 3)]  # a plain list
        print(*ub.check(net))
    """
    backend = backend_of(net)
    if backend.list_remedy is None:
        return []
    layers = dict(backend.layers(net))
    known = {id(layer) for layer in layers.values()}
    problems = []
    for path, layer in layers.items():
        for attribute, value in vars(layer).items():
            if not isinstance(value, CONTAINERS) or attribute in backend.own_attributes:
                continue
            hidden = [item for item in inside(value, backend.layer_class) if id(item) not in known]
            if hidden:
                name = f"{path}.{attribute}" if path else attribute
                kinds = ", ".join(dict.fromkeys(type(item).__name__ for item in hidden))
                problems.append(
                    f"{type(net).__name__}: {name} is a {type(value).__name__} that holds "
                    f"{len(hidden)} of the model's layers ({kinds}), which {backend.title} does "
                    f"not find there: they are not trained, saved or moved; {backend.list_remedy}"
                )
    return problems
