"""A planted mistake for each cause that `ub.compare` knows, in portable blocks.

What no portable block can do is in `tests/mutants`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import unified_blocks as ub
from testbed.common import normal
from unified_blocks import ops

X = normal(5, 6, dtype="float64")
IMAGE = normal(3, 4, 2, 5, dtype="float64")


@dataclass(frozen=True)
class Planted:
    """A model that is right, one that is not, and what has to be named.

    Attributes:
        right, wrong: make them; `wrong` gets the numbers of `right`.
        both: changes these first, by name, for both.
        spoil: changes them for `wrong`.
        on: the backends where the mistake is possible.
    """

    cause: str
    first: str
    right: Callable[[], Any]
    wrong: Callable[[], Any]
    mode: str = "forward"
    x: np.ndarray = field(default_factory=lambda: X)
    both: Callable[[dict[str, Any]], None] = lambda numbers: None
    spoil: Callable[[dict[str, Any]], None] = lambda numbers: None
    on: tuple[str, ...] = ("torch", "tensorflow", "mxnet")
    options: dict[str, Any] = field(default_factory=dict)


def after(*layers):
    """These after a dense layer: `1`, `2`."""
    return lambda: ub.MySequential(ub.Dense(6), *(make() for make in layers))


def dense(**options):
    return lambda: ub.MySequential(ub.Dense(6, **options), ub.Dense(3))


def function(f):
    return lambda: ub.Lambda(f)


def twice(shared):
    def make():
        layer = ub.Dense(6, activation="tanh")
        return ub.MySequential(layer, layer if shared else ub.Dense(6, activation="tanh"))

    return make


def channels_last(X):
    return ops.reshape(ops.permute_dims(X, (0, 2, 3, 1)), (ops.KEEP, -1))


def gelu_tanh(X):
    return X * (1 + ops.tanh(0.7978845608028654 * (X + 0.044715 * X * X * X))) / 2


def forgetful(X):
    """Right, but it leaves zeros where its input was."""
    Y = X + 0
    X[...] = 0
    return Y


class Constants(ub.Block):
    """A dense layer without a bias, of constants."""

    def __init__(self):
        super().__init__()
        self.weight = ub.Constant(shape=(6, 6))

    def forward(self, X):
        return ops.matmul(X, ops.permute_dims(self.weight, (1, 0)))


class Repeated(ub.Block):
    def __init__(self, times):
        super().__init__()
        self.times, self.dense = times, ub.Dense(6)

    def forward(self, X):
        for _ in range(self.times):
            X = self.dense(X)
        return X


class NoBias(ub.Dense):
    """Without its bias, which is 0.5."""

    def forward(self, X):
        return super().forward(X) - 0.5


class Gamma(ub.BatchNorm):
    """With gamma, which is 2, left out."""

    def forward(self, X):
        return super().forward(X) / 2


class Unbiased(ub.LayerNorm):
    def forward(self, X):
        var, n = ops.var(X, axis=-1, keepdims=True), 6
        return super().forward(X) * ops.sqrt((var + 1e-5) / (var * n / (n - 1) + 1e-5))


class OfTheBatch(ub.BatchNorm):
    def forward(self, X):
        mean, var = ops.mean(X, axis=0), ops.var(X, axis=0)
        return (X - mean) / ops.sqrt(var + float(np.float32(1e-5)))


class SmallEpsilon(ub.LayerNorm):
    """An epsilon that is added to the square root: in no form that is known."""

    def forward(self, X):
        centred = X - ops.mean(X, axis=-1, keepdims=True)
        return centred / (ops.sqrt(ops.var(X, axis=-1, keepdims=True)) + 0.1)


def leaky(X):
    return ops.where(X > 0, X, 0.2 * X)


def elu_of_half(X):
    return ops.where(X > 0, X, 0.5 * (ops.exp(ops.minimum(X, 0)) - 1))


def sloped_dense():
    class Sloped(ub.Dense):
        def forward(self, X):
            return leaky(super().forward(X))

    return ub.MySequential(Sloped(6), ub.Dense(3))


class Product(ub.Block):
    """A dense layer of a user's own, under names of its own."""

    transposes = False

    def __init__(self):
        super().__init__()
        self.kernel = ub.Constant(shape=(6, 6), initializer="normal")
        self.shift = ub.Constant(shape=(6,), initializer="normal")

    def forward(self, X):
        kernel = ops.permute_dims(self.kernel, (1, 0)) if self.transposes else self.kernel
        return ops.matmul(X, kernel) + self.shift


class TransposedProduct(Product):
    transposes = True


def times_weight():
    return ub.MySequential(Product(), ub.Tanh())


def times_transposed():
    return ub.MySequential(TransposedProduct(), ub.Tanh())


def towers():
    return ub.Parallel(ub.Dense(4), ub.Dense(4))


def exchanged(numbers):
    for name in ("weight", "bias"):
        numbers[f"0.{name}"], numbers[f"1.{name}"] = numbers[f"1.{name}"], numbers[f"0.{name}"]


def transposed(numbers):
    numbers["0.weight"] = numbers["0.weight"].T.copy()


def by_channels_last(numbers):
    weight = numbers["0.weight"]
    numbers["0.weight"] = weight.reshape(3, 2, 3).swapaxes(1, 2).reshape(3, 6).copy()


def scaled(numbers):
    numbers["1.weight"] = numbers["1.weight"] * 0 + 2


def offset(numbers):
    numbers["0.bias"] = numbers["0.bias"] * 0 + 0.5


def norm(**options):
    return after(lambda: ub.BatchNorm(**options))


PLANTED = (
    Planted("not_finite", "1", after(function(ops.abs)), after(function(lambda X: ops.abs(X) / 0))),
    Planted(
        "another_dtype",
        "1",
        after(function(ops.abs)),
        after(function(lambda X: ops.astype(ops.abs(X), "float32"))),
    ),
    Planted(
        "constant_trained",
        "1.weight",
        after(Constants),
        after(lambda: ub.Dense(6, use_bias=False)),
    ),
    Planted(
        "parameter_not_trained",
        "1.weight",
        after(lambda: ub.Dense(6, use_bias=False)),
        after(Constants),
    ),
    Planted("shared_layer_duplicated", "0.weight", twice(True), twice(False)),
    Planted("layers_shared", "0.weight", twice(False), twice(True)),
    Planted("transposed_square_weight", "0.weight", dense(), dense(), spoil=transposed),
    Planted("fix_gamma", "1.weight", norm(), norm(), spoil=scaled),
    Planted("fix_gamma", "1", norm(), after(Gamma), both=scaled),
    Planted(
        "flatten_order",
        "0.weight",
        lambda: ub.MySequential(ub.Dense(3)),
        lambda: ub.MySequential(ub.Dense(3)),
        spoil=by_channels_last,
    ),
    Planted(
        "flatten_order",
        "1",
        lambda: ub.MySequential(ub.ReLU(), ub.Flatten()),
        lambda: ub.MySequential(ub.ReLU(), ub.Lambda(channels_last)),
        x=IMAGE,
    ),
    Planted(
        "another_layout",
        "1",
        lambda: ub.MySequential(ub.ReLU(), ub.Lambda(ops.exp)),
        lambda: ub.MySequential(
            ub.ReLU(), ub.Lambda(lambda X: ops.permute_dims(ops.exp(X), (0, 2, 3, 1)))
        ),
        x=IMAGE,
    ),
    Planted("call_missing", "dense#2", lambda: Repeated(2), lambda: Repeated(1)),
    Planted("call_extra", "dense#2", lambda: Repeated(1), lambda: Repeated(2)),
    Planted(
        "dropout_active",
        "1",
        after(lambda: ub.Dropout(0.0)),
        after(lambda: ub.Dropout(0.5)),
        mode="train",
    ),
    Planted("gelu_form", "1", after(ub.GELU), after(function(gelu_tanh))),
    Planted("gelu_form", "1", after(function(gelu_tanh)), after(ub.GELU)),
    Planted("softmax_axis", "1", after(lambda: ub.Softmax(-1)), after(lambda: ub.Softmax(0))),
    Planted("bias_missing", "0.bias", dense(), dense(use_bias=False)),
    Planted(
        "bias_missing",
        "0",
        dense(),
        lambda: ub.MySequential(NoBias(6), ub.Dense(3)),
        both=offset,
    ),
    Planted("batch_statistics", "1", norm(), after(lambda: OfTheBatch(in_units=6))),
    Planted("unbiased_variance", "1", after(ub.LayerNorm), after(Unbiased)),
    Planted("epsilon", "1", after(ub.LayerNorm), after(lambda: ub.LayerNorm(epsilon=1e-3))),
    Planted("epsilon", "1", norm(), norm(epsilon=1e-3)),
    Planted("statistics_not_updated", "1.running_mean", norm(), norm(momentum=0.0), mode="train"),
    Planted("momentum", "1.running_mean", norm(), norm(momentum=0.3), mode="train"),
    Planted(
        "statistics_not_updated", "1.running_mean", norm(), norm(momentum=0.0), mode="training"
    ),
    Planted("momentum", "1.running_mean", norm(), norm(momentum=0.3), mode="training"),
    Planted("unbiased_variance", "1", after(ub.LayerNorm), after(Unbiased), mode="training"),
    Planted(
        "dropout_active",
        "1",
        after(lambda: ub.Dropout(0.0)),
        after(lambda: ub.Dropout(0.5)),
        mode="training",
    ),
    Planted(
        "input_changed",
        "1",
        after(function(lambda X: X + 0)),
        after(function(forgetful)),
        on=("torch", "mxnet"),
    ),
    Planted(
        "gradient_missing",
        "0.bias",
        after(function(lambda X: X * 2), lambda: ub.Dense(2)),
        after(function(lambda X: ops.stop_gradient(X * 2)), lambda: ub.Dense(2)),
        mode="gradient",
    ),
    Planted("another_activation", "0", dense(activation="tanh"), dense(activation="sigmoid")),
    Planted("another_activation", "1", after(ub.Tanh), after(ub.SiLU)),
    Planted("activation_missing", "0", dense(activation="relu"), dense()),
    Planted("activation_extra", "0", dense(), dense(activation="relu")),
    Planted(
        "activation_extra",
        "1",
        dense(),
        lambda: ub.MySequential(ub.Dense(6), ub.Dense(3, activation="selu")),
    ),
    Planted(
        "float32_inside",
        "1",
        after(function(ops.exp)),
        after(function(lambda X: ops.astype(ops.exp(ops.astype(X, "float32")), "float64"))),
    ),
    Planted(
        "constant_factor", "1", after(function(ops.abs)), after(function(lambda X: abs(X) * 3))
    ),
    Planted(
        "constant_factor",
        "0.bias",
        after(function(ops.tanh)),
        after(function(lambda X: ops.tanh(X) / 2 + ops.stop_gradient(ops.tanh(X) / 2))),
        mode="gradient",
    ),
    Planted(
        "constant_offset", "1", after(function(ops.abs)), after(function(lambda X: abs(X) + 1))
    ),
    Planted("unknown", "1", after(function(ops.sin)), after(function(ops.cos))),
    Planted("unknown", "1", after(ub.LayerNorm), after(lambda: SmallEpsilon(in_units=6))),
    *(
        Planted("another_slope", "1", after(first), after(second))
        for first, second in (
            (ub.LeakyReLU, function(leaky)),
            (function(leaky), ub.LeakyReLU),
            (ub.ELU, function(elu_of_half)),
            (function(elu_of_half), ub.ELU),
        )
    ),
    Planted("another_slope", "0", dense(activation="leaky_relu"), sloped_dense),
    Planted("another_slope", "0", sloped_dense, dense(activation="leaky_relu")),
    Planted("another_activation", "1", after(ub.ReLU), after(function(leaky))),
    Planted("another_activation", "1", after(function(elu_of_half)), after(ub.ReLU)),
    Planted(
        "unknown",
        "1",
        after(ub.LeakyReLU),
        after(function(lambda X: ops.where(X > 0, X, -0.1 * X * X))),
    ),
    Planted("transposed_square_weight", "0", times_weight, times_transposed),
    Planted("transposed_square_weight", "0", times_transposed, times_weight),
    Planted("numbers_of_another", "0.weight", towers, towers, spoil=exchanged),
    Planted(
        "another_dtype",
        "1",
        after(function(ops.tanh)),
        after(function(lambda X: ops.astype(ops.astype(ops.tanh(X), "float16"), "float64"))),
    ),
)
