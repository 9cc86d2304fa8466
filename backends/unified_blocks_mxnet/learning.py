"""Losses and training steps of Gluon on MXNet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unified_blocks.training.losses import apply_loss, check_alike, check_loss
from unified_blocks.training.optimizers import SGD, Adam, Optimizer
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


def make_optimizer(optimizer: Optimizer) -> mx.optimizer.Optimizer:
    """MXNet's own optimizer, with the hyper-parameters that every backend uses."""
    match optimizer.rounded():
        case SGD(learning_rate, momentum):
            return mx.optimizer.SGD(learning_rate=learning_rate, momentum=momentum)
        case Adam(learning_rate, beta_1, beta_2, epsilon):
            return mx.optimizer.Adam(learning_rate, beta_1, beta_2, epsilon)
    raise TypeError(f"optimizer must be ub.SGD or ub.Adam; got {optimizer!r}")


def training_step(net, optimizer, loss):
    """See `Backend.training_step`."""
    function = loss_function(loss)
    with numpy_semantics():
        trainer = mx.gluon.Trainer([v.parameter for v in walk(net)], make_optimizer(optimizer))

    def step(x, y):
        with numpy_semantics():
            with mx.autograd.record():
                output = net(x)
                value = apply_loss(function, output, y)
            value.backward()
            # The loss is a mean already; a parameter that it does not depend on stays.
            trainer.step(1, ignore_stale_grad=True)
            return value

    return step
