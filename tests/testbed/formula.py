"""Training steps in NumPy: what an update with options is, by the formulas."""

from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

import numpy as np

import unified_blocks as ub
from pytest_unified_blocks.contracts.formulas import updated
from testbed.common import normal
from unified_blocks.backend import PLAIN, Optimizer, StepOptions

X, Y = normal(10, 3, dtype="float64"), normal(10, 2, dtype="float64", seed=1)
START = {
    "weight": normal(2, 3, dtype="float64", seed=2),
    "bias": normal(2, dtype="float64", seed=3),
}


def rounded(number):
    return float(np.float32(number))


@dataclass
class Formula:
    """A dense layer that learns `X` and `Y` by the mean squared error."""

    optimizer: Optimizer
    options: StepOptions = PLAIN
    numbers: dict = field(default_factory=lambda: dict(START))

    def __post_init__(self):
        self.kept = {name: {} for name in self.numbers}
        self.average, self.t = dict(self.numbers), 0

    def loss(self, rows):
        return np.mean((self.output(rows) - Y[rows]) ** 2)

    def output(self, rows):
        return X[rows] @ self.numbers["weight"].T + self.numbers["bias"]

    def update(self, rows, factor=1.0):
        """The loss of these rows, and one update."""
        loss, error = self.loss(rows), 2 * (self.output(rows) - Y[rows]) / Y[rows].size
        gradients = self.clipped({"weight": error.T @ X[rows], "bias": error.sum(0)})
        self.t += 1
        for name, gradient in gradients.items():
            now = self.of_group(name, rounded(self.optimizer.learning_rate * factor))
            if now is not None:
                number = updated(now, self.t, self.numbers[name], gradient, self.kept[name])
                self.numbers[name] = number
        if self.options.average is not None:
            d = rounded(self.options.average)
            self.average = {
                name: d * e + (1 - d) * self.numbers[name] for name, e in self.average.items()
            }
        return loss

    def clipped(self, gradients):
        clip = self.options.clip
        if clip is None:
            return gradients
        if clip.value is not None:
            c = rounded(clip.value)
            return {name: np.minimum(np.maximum(g, -c), c) for name, g in gradients.items()}
        c = rounded(clip.norm or clip.global_norm)
        norms = {name: np.sqrt((g**2).sum()) for name, g in gradients.items()}
        if clip.global_norm is not None:
            norms = dict.fromkeys(norms, np.sqrt(sum(norm**2 for norm in norms.values())))
        return {name: g * c / max(norms[name], c) for name, g in gradients.items()}

    def of_group(self, name, rate):
        optimizer = replace(self.optimizer, learning_rate=rate)
        for group in self.options.groups:
            if fnmatchcase(name, group.pattern):
                rate = float(np.float32(rate) * np.float32(group.learning_rate))
                if rate == 0:  # which an optimizer by itself may not have
                    return None
                optimizer = replace(optimizer, learning_rate=rate)
                if group.weight_decay is not None:
                    optimizer = replace(optimizer, weight_decay=group.weight_decay)
                break
        return optimizer


def dense(dtype="float64", **more):
    net = ub.Dense(2, in_units=3, dtype=dtype, **more)
    return ub.load_state(net, {name: array.astype(dtype) for name, array in START.items()})


def step_of(optimizer, options=PLAIN, loss="mse"):
    """The layer of the formula, and the framework's own step on it."""
    net = dense()
    return net, ub.backend_of(net).training_step(net, optimizer, loss, options)


def tolerance(optimizer, backend_name):
    """MXNet's own Adam has the learning rate of a step in float32, which is off by 6e-8 of it."""
    inexact = isinstance(optimizer, ub.Adam) and backend_name == "mxnet"
    return 6e-7 * optimizer.learning_rate if inexact else 1e-12


def check(net, formula, backend_name):
    """Check that the numbers of a network are the formula's."""
    found = ub.state(net)
    for name, expected in formula.numbers.items():
        atol = tolerance(formula.optimizer, backend_name)
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=atol, err_msg=name)
