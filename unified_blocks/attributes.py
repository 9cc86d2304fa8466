"""What may be assigned to an attribute of a block, and what becomes of it.

Layers and blocks are the framework's own business; here is what no framework does by itself, or
not all of them: constants, blocks in lists, tuples and dicts, and parts of another framework.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from unified_blocks.constants import Constant
from unified_blocks.errors import ForeignPartError
from unified_blocks.registry import load_backend
from unified_blocks.tensors import owner_of


def add_constant(net: Any, name: str, constant: Constant) -> None:
    """Make the attribute `name` of `net` a constant of its framework.

    Raises:
        AttributeError: when it is one already, or the framework uses the name itself.
    """
    check_name(net, name)
    if any(v.name == name for v in net._block_backend.variables(net)):
        raise AttributeError(
            f"{type(net).__name__}: a constant is assigned once; got another for {name}: change "
            "its numbers with ub.load_state"
        )
    net._block_backend.add_constant(net, name, constant.array())
    if constant.initializer is not None:
        random = {**net.random_constants, name: constant.initializer}
        object.__setattr__(net, "random_constants", random)


def check_name(net: Any, name: str) -> None:
    """Hold the name of a part to what the framework leaves free.

    Raises:
        AttributeError: when the framework uses it itself.
    """
    backend = net._block_backend
    if name in backend.own_attributes or hasattr(backend.base_class, name):
        raise AttributeError(
            f"{type(net).__name__} on {backend.title}: a part must have a name that "
            f"{backend.base_class.__name__} does not use itself; got {name!r}: choose another"
        )


def check_part(net: Any, name: str, value: Any) -> None:
    """Hold what is assigned to an attribute to the framework of the block.

    Raises:
        ForeignPartError: (a `TypeError`) for a layer, block or tensor of another framework, alone
            or in a list, tuple or dict.
        TypeError: for a constant in one.
    """
    if isinstance(value, list | tuple | dict):
        for key, item in items_of(value):
            check_part(net, f"{name}.{key}", item)
        return
    block, backend = type(net).__name__, net._block_backend
    if isinstance(value, Constant):
        raise TypeError(f"{block}: a constant must be an attribute of its own; got it as {name}")
    owner = owner_of(value)
    if isinstance(value, backend.layer_class) and not name.startswith("_"):
        check_name(net, name.partition(".")[0])
    if owner is not None and owner != backend.name:
        raise ForeignPartError(
            f"{block} on {backend.title} must hold parts of {backend.title}; got {name}, a "
            f"{type(value).__name__} of {load_backend(owner).title}: make it in the constructor of "
            f"{block}, or inside `with ub.use_backend({backend.name!r})`"
        )


def items_of(container: Any) -> Iterator[tuple[str, Any]]:
    """Each item of a list, tuple or dict, with the name that it gets there."""
    pairs = container.items() if isinstance(container, dict) else enumerate(container)
    return ((str(key), item) for key, item in pairs)


def layer_of(net: Any, value: Any) -> Any:
    """`value`, if it is a layer of the framework of the block.

    Raises:
        ForeignPartError: (a `TypeError`) when it is one of another framework.
        TypeError: when it is none.
    """
    check_part(net, "a block", value)
    layer_class = net._block_backend.layer_class
    if not isinstance(value, layer_class):
        module = layer_class.__module__.partition(".")[0]
        raise TypeError(
            f"{type(net).__name__}: a block must be a {layer_class.__name__} of {module}; "
            f"got {value!r}"
        )
    return value
