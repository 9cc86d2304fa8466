"""The processes and devices with which TensorFlow trains one model, by `tf.distribute`."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from unified_blocks.backend import Group
from unified_blocks.errors import UnsupportedError
from unified_blocks.training.workers.shares import Sharing, cut
from unified_blocks_tensorflow.bind import placed
from unified_blocks_tensorflow.steps import TensorFlowTrainingStep
from unified_blocks_tensorflow.variables import walk


class TensorFlowGroup(Group):
    """The replicas of a strategy, of which each process has some.

    From its beginning until `close` all that is made is made in the scope of the strategy.
    """

    def __init__(self, strategy: tf.distribute.Strategy, rank: int, processes: int) -> None:
        self.strategy, self.rank, self.processes = strategy, rank, processes
        self.size = strategy.num_replicas_in_sync
        here = self.size // processes
        self.mine = range(rank * here, (rank + 1) * here)
        self.host = socket.gethostname()
        tf.distribute.experimental_set_strategy(strategy)

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


def join(how: Any) -> Group | None:
    """See `Backend.join`."""
    if how is None:
        return None
    if isinstance(how, str) and how != "auto" or not isinstance(how, (str, Sequence)):
        raise UnsupportedError(
            "distributed must be 'auto', a list of devices or None on TensorFlow; got "
            f"distributed={how!r}: set TF_CONFIG for each worker, or list devices, "
            "['gpu:0', 'gpu:1']"
        )
    if how == "auto" and not JOINED:
        rank, processes = place()
        if processes > 1:
            JOINED.append(TensorFlowGroup(with_workers(), rank, processes))
    elif how != "auto" and not JOINED:
        JOINED.append(TensorFlowGroup(tf.distribute.MirroredStrategy(list(how)), 0, 1))
    return JOINED[0] if JOINED else None


def place() -> tuple[int, int]:
    """The number of this process among the workers of TF_CONFIG, and how many they are."""
    config = json.loads(os.environ.get("TF_CONFIG") or "{}")
    cluster, task = config.get("cluster", {}), config.get("task", {})
    chiefs, workers = len(cluster.get("chief", [])), len(cluster.get("worker", []))
    if task.get("type") not in ("chief", "worker"):
        return 0, 1
    return int(task["index"]) + (chiefs if task["type"] == "worker" else 0), chiefs + workers


def with_workers() -> tf.distribute.Strategy:
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise UnsupportedError(
            "distributed='auto' must be known before TensorFlow's first operation, because TF_CONFIG "
            f"names other workers; got {error}: call ub.join() at the top of the program"
        ) from error


class TensorFlowSharedStep(Sharing, TensorFlowTrainingStep):
    """See `Sharing`. Each replica computes a share, and Keras' optimizer adds up gradients."""

    takes: ClassVar = TensorFlowTrainingStep.takes | {"group"}
    takes_means: ClassVar = True  # as `one` divides by the number of replicas

    def __init__(self, net, optimizer, loss, options):
        super().__init__(net, optimizer, loss, options)
        if self.strategy is not self.group.strategy:
            made = "outside" if self.strategy is None else f"in a {type(self.strategy).__name__}"
            raise UnsupportedError(
                "Trainer: a model must be made and built by the strategy that trains it; got a "
                f"{type(net).__name__} made {made}: make it after ub.join()"
            )

    def times(self, value, part):
        return value * tf.cast(part, value.dtype)

    def share(self, trainable, parts, x, *given):
        """`one`, of a share: `parts` are `part` and `part_of_loss`."""
        self.part, self.part_of_loss = tf.unstack(parts)
        return self.one(trainable, x, *given)

    def graph(self, function, *specs):
        trainable = tuple(v.trainable for v in self.variables)
        key = (self.kind, trainable, *specs)
        if key not in self.graphs:
            strategy = self.strategy

            @tf.function
            def every_share(*batch):
                values = strategy.run(partial(self.share, trainable), args=batch)
                return tf.add_n(strategy.experimental_local_results(values))

            self.graphs[key] = every_share.get_concrete_function(*specs)
        return self.graphs[key]

    def of_shares(self, batches, parts):
        """An update of a batch and its part for each replica here; their part of what it gives."""
        given = []
        for part in parts:
            self.take_part(float(part))
            given.append(tf.constant([self.part, self.part_of_loss], tf.float64))
        batch = [self.group.on_each(given)]
        batch += [self.group.on_each(each) for each in zip(*batches, strict=True)]
        specs = [tf.type_spec_from_value(each) for each in batch]
        return self.graph(self.share, *specs)(*batch)

    def share_of(self, data, rows, weights, rate):
        dealt, parts = cut(rows, self.group.size, weights)
        data = [each for each in data if each is not None]
        mine = self.group.mine
        return self.of_shares([self.gather(data, dealt[i]) for i in mine], [parts[i] for i in mine])

    def hooked(self, x, y, w=None, rate=None):
        """An update of the batches of all workers; each cuts its own for its replicas."""
        part = self.part_of([(x, y, w)])
        weights = None if w is None else w.numpy()
        dealt, parts = cut(np.arange(len(x)), len(self.group.mine), weights)
        batch = [tf.convert_to_tensor(each) for each in (x, y, w) if each is not None]
        return self.summed(self.of_shares([self.gather(batch, r) for r in dealt], parts * part))

    def __call__(self, x, y=None, w=None):
        if w is not None:
            self.check_given(w)
        with placed(self.net):
            return self.update(x, y, w)

    def summed(self, value):
        if self.group.processes > 1:
            zeros = [tf.zeros_like(value)] * (len(self.group.mine) - 1)
            value = self.strategy.reduce("SUM", self.group.on_each([value, *zeros]), axis=None)
        return value / self.k
