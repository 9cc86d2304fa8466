"""Losses, the formulas of the optimizers, and training steps."""

from dataclasses import replace

import numpy as np
from numpy_tape import Tape, Tensor

import unified_blocks as ub
from unified_blocks import ops
from unified_blocks.backend import Slot, TrainingStep
from unified_blocks.training.losses import apply_loss, check_loss
from unified_blocks.training.optimizers import KINDS


def loss_function(loss):
    return loss if callable(loss) else getattr(ops, check_loss(loss))


def updated(optimizer, t, w, g, kept):
    """The parameter `w` after the step number `t`, and what the optimizer keeps of it then."""
    match optimizer:
        case ub.SGD(lr, momentum, nesterov, decay):
            g = g + decay * w
            if not momentum:
                return w - lr * g, {}
            v = momentum * kept["velocity"] + g
            return w - lr * (g + momentum * v if nesterov else v), {"velocity": v}
        case ub.Adam(lr, beta_1, beta_2, epsilon, decay):
            if isinstance(optimizer, ub.AdamW):
                w = w - lr * decay * w
            else:
                g = g + decay * w
            m = beta_1 * kept["mean"] + (1 - beta_1) * g
            v = beta_2 * kept["variance"] + (1 - beta_2) * g * g
            rate = lr * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
            return w - rate * m / (np.sqrt(v) + epsilon), {"mean": m, "variance": v}
        case ub.RMSprop(lr, rho, epsilon):
            v = rho * kept["mean_of_squares"] + (1 - rho) * g * g
            return w - lr * g / np.sqrt(v + epsilon), {"mean_of_squares": v}
        case ub.Adagrad(lr, epsilon):
            v = kept["sum_of_squares"] + g * g
            return w - lr * g / np.sqrt(v + epsilon), {"sum_of_squares": v}
    raise TypeError(f"optimizer must be {KINDS}; got {optimizer!r}")


class TapeTrainingStep(TrainingStep):
    count = 0

    def __init__(self, net, variables, optimizer, loss, options):
        super().__init__(options)
        self.net, self.optimizer, self.loss = net, optimizer.rounded(), loss_function(loss)
        self.trained = [v for v in variables if v.trainable]
        self.kept = [
            {name: np.zeros(v.shape, v.dtype) for name in optimizer.keeps} for v in self.trained
        ]

    def __call__(self, x, y, w=None):
        self.check_given(w)
        with Tape() as tape:
            loss = apply_loss(self.loss, self.net(x), y)
        gradients = tape.gradient(loss, [v.tensor for v in self.trained])
        self.count += 1
        for v, g, kept in zip(self.trained, gradients, self.kept, strict=True):
            if g is not None:  # else the loss does not depend on it, and it does not decay either
                w, new = updated(self.optimizer, self.count, v.view(), g, kept)
                v.write(np.asarray(w, v.dtype))
                kept.update({name: np.asarray(array, v.dtype) for name, array in new.items()})
        return loss

    def epoch(self, x, y, order, batch_size, w=None, rates=None):
        self.check_given(w, rates)
        batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
        return self.fetched([self(*self.gather((x, y), rows)) for rows in batches])

    def gather(self, data, rows):
        return tuple(None if part is None else Tensor(part.array[rows]) for part in data)

    def fetched(self, values):
        return np.array([value.array for value in values], "float64")

    def slots(self):
        return [
            Slot(
                f"{v.name}.{name}",
                v.shape,
                v.dtype,
                lambda kept=kept, name=name: kept[name].copy(),
                lambda array, kept=kept, name=name: kept.update({name: np.array(array)}),
            )
            for v, kept in zip(self.trained, self.kept, strict=True)
            for name in kept
        ]

    def restart_at(self, count):
        self.count = count

    def set_learning_rate(self, learning_rate):
        self.optimizer = replace(self.optimizer, learning_rate=learning_rate)
