"""Models that `tf.distribute` has on several devices, or trains with other workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import tensorflow as tf

from unified_blocks.errors import UnsupportedError
from unified_blocks_tensorflow.variables import TensorFlowVariable, device_name


def here(value: tf.Variable) -> tf.Variable:
    """The variable itself; of one that every replica has, the first that is on this worker."""
    return value.values[0] if isinstance(value, tf.distribute.DistributedValues) else value


def active_strategy() -> Any:
    """The strategy in whose scope this runs; None outside."""
    return tf.distribute.get_strategy() if tf.distribute.has_strategy() else None


def strategy_that_made(net: Any, variables: Sequence[TensorFlowVariable]) -> Any:
    """The strategy in whose scope these variables of `net` were made; None when in none.

    Raises:
        UnsupportedError: in the scope of another one, which could not train them.
    """
    value = variables[0].handle.value
    distributed = isinstance(value, tf.distribute.DistributedValues)
    strategy = value.distribute_strategy if distributed else None
    if (active := active_strategy()) not in (None, strategy):
        raise UnsupportedError(
            f"Trainer: in the scope of a strategy a model must have been made in it; got a "
            f"{type(net).__name__} made {'in that of another' if distributed else 'outside'}, and "
            f"a {type(active).__name__}: make and build the model inside `with strategy.scope()`"
        )
    return strategy


def scope_of(strategy: Any) -> AbstractContextManager[Any]:
    return nullcontext() if strategy is None else strategy.scope()


def in_every_replica(strategy: Any, step: Callable[..., Any]) -> Callable[..., Any]:
    """`step`, run by every replica of a strategy, if there is one; the mean of what they give."""
    if strategy is None:
        return step

    def steps(*batch: Any) -> Any:
        if tf.distribute.get_replica_context() is not None and tf.distribute.has_strategy():
            raise UnsupportedError(
                "Trainer: a step must be taken for all replicas at once; got one inside "
                "`strategy.run`: call it outside, or write the step with strategy.run yourself"
            )
        return strategy.reduce("MEAN", strategy.run(step, args=batch), axis=None)

    return steps


def check_device(device: str) -> None:
    """Check that in the scope of a strategy, if there is one, a model can be moved to `device`.

    Raises:
        UnsupportedError: when the strategy makes variables on other devices.
    """
    strategy = active_strategy()
    if strategy is None:
        return
    devices = [device_name(each) for each in strategy.extended.worker_devices]
    if devices != [device_name(device)]:
        raise UnsupportedError(
            f"to_device: in the scope of a {type(strategy).__name__} a model must be on its "
            f"devices, {', '.join(devices)}; got {device_name(device)!r}: move it outside the scope"
        )
