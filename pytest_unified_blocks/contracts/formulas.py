"""The formulas of the optimizers and of the losses by name, in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

import unified_blocks as ub
from unified_blocks.types import Array

OPTIMIZERS: list[Any] = [
    ub.SGD(0.1),
    ub.SGD(0.1, momentum=0.9),
    ub.SGD(0.1, weight_decay=0.05),
    ub.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.05),
    ub.Adam(0.01, 0.8, 0.95, 1e-3),
    ub.Adam(0.01, weight_decay=0.05),
    ub.AdamW(0.01, weight_decay=0.05),
    ub.RMSprop(0.01, 0.8, 0.01),
    ub.Adagrad(0.1, 0.01),
]
"""One of each kind, with numbers all of which matter."""


def updated(optimizer: Any, t: int, w: Array, g: Array, kept: dict[str, Array]) -> Array:
    """The parameter `w` after its `t`-th step, from 1, in which its gradient is `g`.

    Args:
        kept: what the optimizer keeps of it, by the names of `Slot`; what is new is put there.
    """
    o = optimizer.rounded()
    lr = o.learning_rate
    if isinstance(o, ub.AdamW):
        w = w - lr * o.weight_decay * w
    elif isinstance(o, ub.SGD | ub.Adam):
        g = g + o.weight_decay * w
    before = {name: kept.get(name, np.zeros_like(w)) for name in ("velocity", *o.keeps)}
    if isinstance(o, ub.SGD):
        v = o.momentum * before["velocity"] + g
        kept.update({"velocity": v} if o.momentum else {})
        return np.asarray(w - lr * (g + o.momentum * v if o.nesterov else v))
    if isinstance(o, ub.Adam):
        m = o.beta_1 * before["mean"] + (1 - o.beta_1) * g
        v = o.beta_2 * before["variance"] + (1 - o.beta_2) * g**2
        kept.update(mean=m, variance=v)
        rate = lr * np.sqrt(1 - o.beta_2**t) / (1 - o.beta_1**t)
        return np.asarray(w - rate * m / (np.sqrt(v) + o.epsilon))
    (name,) = o.keeps
    if isinstance(o, ub.RMSprop):
        v = o.rho * before[name] + (1 - o.rho) * g**2
    else:
        v = before[name] + g**2
    kept[name] = v
    return np.asarray(w - lr * g / np.sqrt(v + o.epsilon))


def loss_of(name: str, output: Array, y: Any) -> Any:
    """The loss of this name, of complex numbers too, for a derivative by the complex step."""
    if name in ("sum", "mean"):
        return getattr(output, name)()
    if name == "cross_entropy":
        shifted = output - output.real.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return -logs[np.arange(len(y)), y].mean()
    if name == "binary_cross_entropy":
        size: Any = output * np.where(output.real < 0, -1, 1)
        positive = (output + size) / 2
        return (positive - output * y + np.log1p(np.exp(-size))).mean()
    d = output - y
    size = d * np.where(d.real < 0, -1, 1)
    return {
        "mse": d * d,
        "l1": size,
        "huber": np.where(size.real <= 1, d * d / 2, size - 0.5),
    }[name].mean()
