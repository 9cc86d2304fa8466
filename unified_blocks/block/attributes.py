"""Assignment to an attribute of a block: what is allowed, and what is registered.

The framework registers layers and blocks itself; this module does what not every framework does:
constants, blocks in lists, tuples and dicts, and errors for parts of another framework.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from unified_blocks.backend.registry import load_backend, owner_of
from unified_blocks.block.constants import Constant
from unified_blocks.block.containers import (
    CONTAINERS,
    Attribute,
    inside,
    is_trackable,
    items_of,
    track,
)
from unified_blocks.block.origin import remember
from unified_blocks.errors import ForeignPartError


def add_constant(net: Any, name: str, constant: Constant) -> None:
    """Make the attribute `name` of `net` a constant of its framework.

    Raises:
        AttributeError: when it is one already, or the framework uses the name itself.
    """
    check_name(net, name)
    if any(v.name == name for v in net._native.backend.variables(net)):
        raise AttributeError(
            f"{type(net).__name__}: a constant is assigned once; got another for {name}: change "
            "its numbers with ub.load_state"
        )
    backend, initializer = net._native.backend, constant.initializer
    if initializer is None:
        backend.add_constant(net, name, constant.array())
        return
    dtype = constant.numpy_dtype()
    backend.add_random_constant(net, name, constant.shape, dtype, initializer)
    object.__setattr__(net, "random_constants", {**net.random_constants, name: initializer})


def check_name(net: Any, name: str) -> None:
    """Check that the framework does not use the name of a part itself.

    Raises:
        AttributeError: when the framework uses it itself.
    """
    backend = net._native.backend
    if name in backend.own_attributes or hasattr(backend.base_class, name):
        raise AttributeError(
            f"{type(net).__name__} on {backend.title}: a part must have a name that "
            f"{backend.base_class.__name__} does not use itself; got {name!r}: choose another"
        )


constructing: ContextVar[bool] = ContextVar("unified_blocks_constructing", default=False)
"""Whether a constructor of a block is running."""


def note_change(net: Any, name: str) -> None:
    """Remember that a block got another part after it was made, which its arguments do not show."""
    if not constructing.get():
        remember(net, changed=name)


def hold(net: Any, name: str, value: Any) -> Any:
    """The value for the attribute `name` of `net`: `value`, with its lists and dicts tracked.

    Raises:
        as `check_part`.
    """
    layer_class = net._native.backend.layer_class
    if not isinstance(value, CONTAINERS):
        check_single(net, name, value)
        if isinstance(value, layer_class):
            note_change(net, name)
        return value
    check_container(net, name, value)
    if next(inside(value, layer_class), None) is not None:
        note_change(net, name)
    tracked = track(value, Attribute(net, name))
    assigned = net._origin.assigned
    if assigned is not None and (tracked is not value or not is_trackable(value)):
        assigned.append((name, value, list(inside(value, layer_class))))
    return tracked


def check_constructed(net: Any) -> None:
    """Check that the block has registered every layer in the lists of its constructor.

    Raises:
        TypeError: when a layer was put into a container that the block does not follow.
    """
    assigned = net._origin.assigned
    remember(net, assigned=None)
    if not assigned:
        return
    backend = net._native.backend
    known = {id(layer) for _, layer in backend.layers(net)}
    for name, container, before in assigned:
        known_then = known | {id(layer) for layer in before}
        for layer in inside(container, backend.layer_class):
            if not is_trackable(container):
                raise untrackable(net, name, container)
            if id(layer) in known_then:
                continue
            kind = type(container).__name__
            raise TypeError(
                f"{type(net).__name__}: a {kind} of blocks must be changed through its attribute, "
                f"which holds a copy; got a {type(layer).__name__} put into the {kind} itself "
                f"after it was assigned to {name}: change self.{name}, or assign it when complete"
            )


def untrackable(net: Any, name: str, container: Any) -> TypeError:
    """The error for layers in a container that a block cannot follow."""
    return TypeError(
        f"{type(net).__name__}: blocks must be in a list, tuple, dict or OrderedDict, for their "
        f"names and their order; got {name}, a {type(container).__name__}: make it one of these"
    )


def check_part(net: Any, name: str, value: Any) -> None:
    """Check that a value for an attribute belongs to the framework of the block.

    Raises:
        ForeignPartError: (a `TypeError`) for a layer, block or tensor of another framework, alone
            or in a container.
        TypeError: for a constant in one, or a layer in one that cannot be tracked.
        ValueError: for keys that cannot be names.
    """
    check = check_container if isinstance(value, CONTAINERS) else check_single
    check(net, name, value)


def check_single(net: Any, name: str, value: Any) -> None:
    """Apply the rules of `check_part` to a value that is not a container."""
    backend = net._native.backend
    if isinstance(value, Constant):
        raise TypeError(
            f"{type(net).__name__}: a constant must be an attribute of its own; got it as {name}"
        )
    owner = owner_of(value)
    if isinstance(value, backend.layer_class) and not name.startswith("_"):
        check_name(net, name.partition(".")[0])
    if owner is not None and owner != backend.name:
        block = type(net).__name__
        raise ForeignPartError(
            f"{block} on {backend.title} must hold parts of {backend.title}; got {name}, a "
            f"{type(value).__name__} of {load_backend(owner).title}: make it in the constructor of "
            f"{block}, or inside `with ub.use_backend({backend.name!r})`"
        )


def check_container(net: Any, name: str, container: Any) -> None:
    """Apply the rules of `check_part` to a container."""
    layer_class = net._native.backend.layer_class
    holding = []
    for key, item in items_of(container):
        check_part(net, f"{name}.{key}", item)
        if next(inside(item, layer_class), None) is not None:
            holding.append(key)
    if not holding:
        return
    if not is_trackable(container):
        raise untrackable(net, name, container)
    if isinstance(container, dict):
        wrong = [
            repr(key)
            for key in container
            if str(key) in holding
            and (holding.count(str(key)) > 1 or not str(key) or "." in str(key))
        ]
        if wrong:
            raise ValueError(
                f"{type(net).__name__}: the keys of a dict of blocks are parts of names, and must "
                "as text be different, not empty and without dots; got "
                f"{name} with {' and '.join(wrong)}: use other keys"
            )


def layer_of(net: Any, value: Any) -> Any:
    """`value`, checked to be a layer of the framework of the block.

    Raises:
        ForeignPartError: (a `TypeError`) when it is one of another framework.
        TypeError: when it is not a layer.
    """
    check_part(net, "a block", value)
    layer_class = net._native.backend.layer_class
    if not isinstance(value, layer_class):
        module = layer_class.__module__.partition(".")[0]
        raise TypeError(
            f"{type(net).__name__}: a block must be a {layer_class.__name__} of {module}; "
            f"got {value!r}"
        )
    note_change(net, "a block")
    return value
