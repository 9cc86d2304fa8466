"""Losses and training steps of Gluon on MXNet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from unified_blocks.training.losses import apply_loss, check_alike, check_loss
from unified_blocks.training.optimizers import SGD, Adam, Optimizer
from unified_blocks.training.step import Slot, TrainingStep
from unified_blocks_mxnet.compat import mx, numpy_semantics
from unified_blocks_mxnet.variables import walk


def cross_entropy(output, y):
    # Composed: in float32 MXNet's own log_softmax is off by more than twice as much.
    shifted = output - output.max(axis=-1, keepdims=True).detach()
    log_total = mx.np.log(mx.np.exp(shifted).sum(axis=-1))
    # To a label that is no class pick() gives the nearest class: its probability is 0 instead.
    unknown = (y < 0).astype(output.dtype) + (y >= output.shape[-1]).astype(output.dtype)
    return (log_total - mx.npx.pick(shifted, y) - mx.np.log(1 - unknown)).mean()


def mse(output, y):
    check_alike(output, y)
    return mx.np.square(output - y).mean()


LOSSES: dict[str, Callable[..., Any]] = {
    "sum": lambda output: output.sum(),
    "mean": lambda output: output.mean(),
    "mse": mse,
    "cross_entropy": cross_entropy,
}


def loss_function(loss: str | Callable[..., Any]) -> Callable[..., Any]:
    return loss if callable(loss) else LOSSES[check_loss(loss)]


def remembering(optimizer: type[Any]) -> type[Any]:
    """An optimizer of MXNet's that tells what it keeps of each parameter, by number.

    MXNet makes that at the first step; `given` is what it then starts from.
    """

    class Remembering(optimizer):
        def __init__(self, *args, **kwargs):
            self.kept, self.given = {}, {}
            super().__init__(*args, **kwargs)

        def create_state(self, index, weight):
            state = super().create_state(index, weight)
            self.kept[index] = state if isinstance(state, tuple) else (state,)
            for place, array in self.given.pop(index, {}).items():
                self.kept[index][place][:] = array
            return state

        def read(self, index, place):
            """An array of what is kept, or None."""
            if index in self.kept:
                return self.kept[index][place].asnumpy()
            return self.given.get(index, {}).get(place)

        def write(self, index, place, array):
            if index in self.kept:
                self.kept[index][place][:] = array
            else:
                self.given.setdefault(index, {})[place] = array

    return Remembering


RememberingSGD = remembering(mx.optimizer.SGD)
RememberingAdam = remembering(mx.optimizer.Adam)


def make_optimizer(optimizer: Optimizer, count: int = 0) -> mx.optimizer.Optimizer:
    """MXNet's own optimizer, with the hyper-parameters that every backend uses."""
    match optimizer.rounded():
        case SGD(learning_rate, momentum):
            return RememberingSGD(
                learning_rate=learning_rate, momentum=momentum, begin_num_update=count
            )
        case Adam(learning_rate, beta_1, beta_2, epsilon):
            return RememberingAdam(learning_rate, beta_1, beta_2, epsilon, begin_num_update=count)
    raise TypeError(f"optimizer must be ub.SGD or ub.Adam; got {optimizer!r}")


class MXNetTrainingStep(TrainingStep):
    """See `TrainingStep`."""

    def __init__(self, net, optimizer, loss):
        self.net, self.optimizer, self.loss = net, optimizer.rounded(), loss_function(loss)
        self.variables = [v for v in walk(net) if v.trainable]
        self.restart_at(0)

    def __call__(self, x, y):
        with numpy_semantics():
            with mx.autograd.record():
                output = self.net(x)
                value = apply_loss(self.loss, output, y)
            value.backward()
            # The loss is a mean already; a parameter that it does not depend on stays.
            self.trainer.step(1, ignore_stale_grad=True)
            return value

    def restart_at(self, count):
        self.count = count
        with numpy_semantics():
            self.native = make_optimizer(self.optimizer, count)
            self.trainer = mx.gluon.Trainer([v.parameter for v in self.variables], self.native)

    def kept(self):
        if isinstance(self.optimizer, Adam):
            return ("mean", "variance")
        return ("velocity",) if self.optimizer.momentum else ()

    def slots(self):
        return [
            self.slot(v, index, place, name)
            for index, v in enumerate(self.variables)
            for place, name in enumerate(self.kept())
        ]

    def slot(self, v, index, place, name):
        # MXNet holds -lr v, in numbers that would have to change with the learning rate.
        scale = -self.optimizer.learning_rate if name == "velocity" else 1

        def read():
            found = self.native.read(index, place)
            return np.zeros(v.shape, v.dtype) if found is None else (found / scale).astype(v.dtype)

        def write(array):
            self.native.write(index, place, (array * scale).astype(v.dtype))

        return Slot(f"{v.name}.{name}", v.shape, v.dtype, read, write)

    def set_learning_rate(self, learning_rate):
        kept = [slot.read() for slot in self.slots()]
        self.optimizer = replace(self.optimizer, learning_rate=learning_rate)
        self.trainer.set_learning_rate(learning_rate)
        for slot, array in zip(self.slots(), kept, strict=True):
            slot.write(array)
