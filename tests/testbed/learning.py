"""A small problem and the networks that learn it."""

import unified_blocks as ub
from testbed.common import normal


def problem(dtype="float64"):
    """A small classification problem: inputs (40, 6), labels (40,) of 4 classes."""
    x = normal(40, 6, dtype=dtype)
    return x, (x[:, :4] + 0.1 * normal(40, 4, seed=1)).argmax(axis=1)


def classifier(dtype="float64"):
    with ub.use_dtype(dtype):
        net = ub.MLP(16, 4, in_units=6)
    return ub.initialize(net, 5)


class HalfUsed(ub.MLP):
    def forward(self, X):
        return self.hidden(X)


OPTIMIZERS = [
    ub.SGD(0.1),
    ub.SGD(0.1, momentum=0.9),
    ub.SGD(0.1, weight_decay=0.05),
    ub.SGD(0.1, momentum=0.9, weight_decay=0.05),
    ub.SGD(0.1, momentum=0.9, nesterov=True),
    ub.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.05),
    ub.Adam(0.001),
    ub.Adam(0.001, 0.8, 0.95, 1e-3),
    ub.Adam(0.001, weight_decay=0.05),
    ub.AdamW(0.001, 0.8, 0.95, 1e-3, weight_decay=0.05),
    ub.RMSprop(0.01, 0.8, 0.01),
    ub.Adagrad(0.1, 0.01),
]
"""Of each kind, with numbers all of which matter.

The rate of those of Adam's kind is such that ten steps on MXNet are within 1e-9 of the formula.
"""


def squares(dtype="float64"):
    """A regression from three numbers to two."""
    return normal(8, 3, dtype=dtype), normal(8, 2, dtype=dtype, seed=1)


def slope(w):
    """The gradient of the mean squared error of a dense layer on `squares()`."""
    x, y = squares()
    return 2 * (x @ w.T - y).T @ x / y.size


START = normal(2, 3, dtype="float64", seed=2)


def trainer_of(optimizer, backend_name, weight=START, dtype="float64", loss="mse"):
    """Of a dense layer without a bias, for `squares()`."""
    with ub.use_backend(backend_name):
        net = ub.Dense(2, in_units=3, use_bias=False, dtype=dtype)
    return ub.Trainer(ub.load_state(net, {"weight": weight.astype(dtype)}), optimizer, loss)
