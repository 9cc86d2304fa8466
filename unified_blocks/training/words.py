"""What people write, and what is meant: optimizers and losses by name, and what has no rule yet."""

from __future__ import annotations

from typing import Any

from unified_blocks.backend import Loss, Optimizer
from unified_blocks.errors import UnsupportedError
from unified_blocks.training.losses import check_loss
from unified_blocks.training.optimizers import KINDS


def optimizer_meant(written: Any) -> Optimizer:
    """The optimizer that is meant.

    Raises:
        TypeError: when it is none.
    """
    if not isinstance(written, Optimizer):
        raise TypeError(f"optimizer must be {KINDS}; got {written!r}")
    return written


def loss_meant(written: Any) -> Loss:
    """The loss that is meant: a function as it is, a name in the spelling of `LOSSES`.

    Raises:
        ValueError: when it is none.
    """
    if not callable(written):
        check_loss(written)
    loss: Loss = written
    return loss


def must_be_left_out(where: str, **arguments: tuple[Any, ...]) -> None:
    """Check that arguments for which there is no rule yet have not been given.

    Args:
        where: the function whose arguments they are.
        arguments: by name, what was given and the values that mean nothing.

    Raises:
        UnsupportedError: for the first one that was given.
    """
    for name, (given, *defaults) in arguments.items():
        if not any(type(given) is type(default) and given == default for default in defaults):
            raise UnsupportedError(
                f"{where}: {name} must be left out, because this version has no rule for it; got "
                f"{name}={shown(given)}: leave it out"
            )


def shown(value: Any) -> str:
    """A value in a message: short, and never the numbers of an array."""
    if value is None or isinstance(value, (str, int, float)):
        return repr(value)
    return f"a {type(value).__name__}"
