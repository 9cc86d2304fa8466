"""The rules that arguments of constructors are held to, by the names of their parameters."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from operator import index
from typing import Any

ACTIVATIONS = (
    *("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "sigmoid", "hard_sigmoid", "tanh"),
    *("softplus", "softsign", "relu6", "hard_swish", "mish", "gelu_tanh"),
)
COUNTS = ("groups", "num_layers", "num_heads", "num_parameters", "multiplier", "factor")
"""Parameters that are whole numbers of at least 1, as sizes are."""
INFERRED = ("in_", "key_", "value_")
"""What sizes begin with that the first input tells if they are left out."""
RANGES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "rate": ("in [0, 1)", lambda value: 0 <= value < 1),
    "dropout": ("in [0, 1)", lambda value: 0 <= value < 1),
    "momentum": ("in [0, 1]", lambda value: 0 <= value <= 1),
    "epsilon": ("above 0", lambda value: value > 0),
}

widest: ContextVar[int | None] = ContextVar("unified_blocks_widest", default=None)
"""The widest that a layer may be while one is made from a file; None when there is no bound."""


def rule_of(parameter: str) -> Callable[[str, str, Any], None] | None:
    """The check that the name of a constructor's parameter stands for; None for most names.

    It is given the class's name, the parameter's and the argument.
    """
    if parameter.endswith(("units", "_dim", "channels")) or parameter in COUNTS:
        return check_size
    if parameter in RANGES:
        return check_range
    return check_activation if parameter.endswith("activation") else None


def check(block: str, **values: Any) -> None:
    """Check arguments by the names of their parameters, for a constructor that is portable.

    Raises:
        TypeError, ValueError: for one that its rule forbids.
    """
    for parameter, value in values.items():
        rule = rule_of(parameter)
        if rule is not None:
            rule(block, parameter, value)


def check_size(block: str, parameter: str, value: Any) -> None:
    """Raise `TypeError` for a size that is no whole number, `ValueError` for one below 1."""
    if value is None and parameter.startswith(INFERRED):
        return
    if value is None or isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{block}: {parameter} must be a whole number; got {value!r}")
    size = index(value)
    if size < 1:
        raise ValueError(f"{block}: {parameter} must be at least 1; got {parameter}={value}")
    bound = widest.get()
    if bound is not None and size > bound:
        raise ValueError(
            f"{block}: {parameter} must be a size of an array in the file, {bound} at most; "
            f"got {parameter}={value}"
        )


def check_range(block: str, parameter: str, value: Any) -> None:
    """Raise `ValueError` for a number out of its range."""
    rule, holds = RANGES[parameter]
    if not holds(value):
        raise ValueError(f"{block}: {parameter} must be {rule}; got {parameter}={value!r}")


def check_activation(block: str, parameter: str, value: Any) -> None:
    """Raise `ValueError` for an activation that is not known."""
    if value is not None and value not in ACTIVATIONS:
        raise ValueError(
            f"{block}: {parameter} must be None or one of {', '.join(ACTIVATIONS)}; "
            f"got {parameter}={value!r}"
        )
