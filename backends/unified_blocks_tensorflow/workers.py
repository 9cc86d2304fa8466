"""The processes and devices with which TensorFlow trains one model, by `tf.distribute`."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from unified_blocks.backend import Group
from unified_blocks.errors import UnsupportedError
from unified_blocks.training.data.batches import mapped
from unified_blocks.training.workers.shares import Sharing
from unified_blocks_tensorflow.replicas import strategy_that_made
from unified_blocks_tensorflow.steps import TensorFlowTrainingStep, given, key_of
from unified_blocks_tensorflow.variables import walk


class TensorFlowGroup(Group):
    """The replicas of a strategy, of which each process has some.

    When the program has joined it, all that is made until `close` is made in the scope of the
    strategy; a strategy of the user's own has the scope that he gives it.
    """

    def __init__(
        self, strategy: tf.distribute.Strategy, rank: int = 0, processes: int = 1, meeting: str = ""
    ) -> None:
        self.strategy, self.rank, self.processes = strategy, rank, processes
        self.size = strategy.num_replicas_in_sync
        here = self.size // processes
        self.mine = range(rank * here, (rank + 1) * here)
        self.host = socket.gethostname()
        self.meeting = meeting or self.meeting

    def on_each(self, values: Sequence[Any]) -> Any:
        """One of the values for each replica of this process."""
        if len(values) == 1:
            return values[0]
        following = iter(values)
        return self.strategy.experimental_distribute_values_from_function(lambda _: next(following))

    def sum(self, array):
        array = np.asarray(array, "float64")
        if self.processes == 1:
            return array.copy()
        zeros = [np.zeros_like(array)] * (len(self.mine) - 1)
        each = self.on_each([tf.constant(a) for a in (array, *zeros)])
        return self.strategy.reduce("SUM", each, axis=None).numpy()

    def agree(self, net):
        if self.processes > 1:
            self.agree_on(walk(net))

    def close(self):
        if self in JOINED:
            JOINED.remove(self)
            tf.distribute.experimental_set_strategy(None)


JOINED: list[TensorFlowGroup] = []
"""The group of this process, if it is in one."""
FOUND: dict[tf.distribute.Strategy, TensorFlowGroup] = {}
"""The groups of strategies that the user made."""


def join(how: Any) -> Group | None:
    """See `Backend.join`."""
    if how is None:
        return None
    if (isinstance(how, str) and how != "auto") or not isinstance(how, (str, Sequence)):
        raise UnsupportedError(
            "distributed must be 'auto', a list of devices or None on TensorFlow; got "
            f"distributed={how!r}: set TF_CONFIG for each worker, or list devices, "
            "['gpu:0', 'gpu:1']"
        )
    if how == "auto" and not JOINED:
        rank, hosts = place()
        if len(hosts) > 1:
            enter(TensorFlowGroup(with_workers(), rank, len(hosts), hosts[0]))
    elif how != "auto" and not JOINED:
        enter(TensorFlowGroup(tf.distribute.MirroredStrategy(list(how))))
    return JOINED[0] if JOINED else None


def enter(group: TensorFlowGroup) -> None:
    JOINED.append(group)
    tf.distribute.experimental_set_strategy(group.strategy)


def devices_of(net: Any) -> Group | None:
    """See `Backend.devices_of`."""
    variables = walk(net)
    strategy = strategy_that_made(net, variables) if variables else None
    kinds = (tf.distribute.MirroredStrategy, tf.distribute.MultiWorkerMirroredStrategy)
    if not isinstance(strategy, kinds) or strategy.num_replicas_in_sync == 1:
        return None
    if strategy not in FOUND:
        several = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        rank, hosts = place() if several else (0, [])
        FOUND[strategy] = TensorFlowGroup(strategy, rank, max(len(hosts), 1), *hosts[:1])
    return FOUND[strategy]


def place() -> tuple[int, list[str]]:
    """The number of this process among the workers of TF_CONFIG, and the host of each."""
    config = json.loads(os.environ.get("TF_CONFIG") or "{}")
    cluster, task = config.get("cluster", {}), config.get("task", {})
    chiefs, workers = cluster.get("chief", []), cluster.get("worker", [])
    if task.get("type") not in ("chief", "worker"):
        return 0, []
    hosts = [address.rpartition(":")[0] for address in (*chiefs, *workers)]
    return int(task["index"]) + (len(chiefs) if task["type"] == "worker" else 0), hosts


def with_workers() -> tf.distribute.Strategy:
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise UnsupportedError(
            "distributed='auto' must be known before TensorFlow's first operation where TF_CONFIG "
            f"names other workers; got {error}: call ub.join() at the top of the program"
        ) from error


def of_a_replica(name: str) -> property:
    """An attribute that each thread has for itself."""

    def get(step: Any) -> Any:
        return getattr(step.replica, name)

    def put(step: Any, value: Any) -> None:
        setattr(step.replica, name, value)

    return property(get, put)


class TensorFlowSharedStep(Sharing, TensorFlowTrainingStep):
    """See `Sharing`. Each replica computes a share, and Keras' optimizer adds up gradients."""

    takes: ClassVar = TensorFlowTrainingStep.takes | {"group"}
    takes_means: ClassVar = True  # as `one` divides by the number of replicas

    def __init__(self, net, optimizer, loss, options):
        self.replica = threading.local()
        super().__init__(net, optimizer, loss, options)
        if self.strategy is not self.group.strategy:
            made = "outside" if self.strategy is None else f"in a {type(self.strategy).__name__}"
            raise UnsupportedError(
                "Trainer: a model must be made and built by the strategy that trains it; got a "
                f"{type(net).__name__} made {made}: make it after ub.join()"
            )

    # A strategy runs its replicas in threads of their own, by turns: each has its own counts.
    part, part_of_loss, inner = (of_a_replica(name) for name in ("part", "part_of_loss", "inner"))

    def times(self, value, part):
        return value * tf.cast(part, value.dtype)

    def graph(self, function, *specs):
        trainable = tuple(v.trainable for v in self.variables)
        key = (self.kind, function.__name__, trainable, *map(key_of, specs))
        if key not in self.graphs:
            self.graphs[key] = tf.function(
                partial(self.every_share, partial(function, trainable))
            ).get_concrete_function(*specs)
        return self.graphs[key]

    def every_share(self, function, *given):
        """`function` in each replica of this process; the sum of what they give."""
        values = self.strategy.run(partial(self.share, function), args=given)
        return tf.add_n(self.strategy.experimental_local_results(values))

    def share(self, function, counts, *given):
        """`function` of a share: `counts` are `part`, `part_of_loss` and `inner`."""
        self.part, self.part_of_loss, *self.inner = tf.unstack(counts)
        return function(*given)

    def computed(self, batches, masses, total, rate):
        """See `Sharing`. This process cuts its batches for its replicas."""
        counts: list[Any] = []
        shares: list[list[Any]] = [[] for _ in self.group.mine]
        of_each = [self.pieces(batch, own) for batch, own in zip(batches, masses, strict=True)]
        for i, share in enumerate(shares):
            self.take([own[i] for _, own in of_each], total)
            counts.append(tf.constant([self.part, self.part_of_loss, *self.inner], tf.float64))
            share += [given(*pieces[i]) for pieces, _ in of_each]
        following = [counts, *(list(each) for each in zip(*shares, strict=True))]
        arguments = [self.on_each(each) for each in following]
        if len(batches) == 1:
            arguments[1:] = arguments[1]
        if rate is not None:
            arguments.append(tf.constant(rate, tf.float32))
        function = self.one if len(batches) == 1 else self.summed
        specs = [mapped(tf.type_spec_from_value, each) for each in arguments]
        return self.graph(function, *specs)(*arguments)

    def on_each(self, shares):
        """Of the structures of some replicas one of values that each replica has another of."""
        first = shares[0]
        if isinstance(first, (list, tuple)):
            return [self.on_each(each) for each in zip(*shares, strict=True)]
        if isinstance(first, dict):
            return {name: self.on_each([each[name] for each in shares]) for name in first}
        return self.group.on_each(shares)

    def over_all(self, value):
        if self.group.processes > 1:
            zeros = [tf.zeros_like(value)] * (len(self.group.mine) - 1)
            value = self.strategy.reduce("SUM", self.group.on_each([value, *zeros]), axis=None)
        return value / self.k
