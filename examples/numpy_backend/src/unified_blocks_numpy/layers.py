"""The one layer that is written for the tape."""

import math

from numpy_tape import Module, Parameter, generator

import unified_blocks as ub
from unified_blocks import ops


@ub.Dense.native("numpy_tape")
class Dense(ub.Dense, Module):
    def __init__(self, units, *, in_units=None, activation=None, use_bias=True, dtype=None):
        self.activation = activation
        self.weight = Parameter((units, in_units), dtype)
        self.bias = Parameter((units,), dtype) if use_bias else None
        if in_units is not None:
            self.draw(in_units)

    def draw(self, in_units):
        bound = 1 / math.sqrt(in_units)
        numbers = generator.uniform(-bound, bound, (self.weight.sizes[0], in_units))
        self.weight.write(numbers.astype(self.weight.dtype))

    def forward(self, X):
        if None in self.weight.sizes:  # the first input tells the width
            self.draw(X.shape[-1])
        Y = ops.matmul(X, ops.matrix_transpose(self.weight))  # (*, units)
        if self.bias is not None:
            Y = Y + self.bias
        return Y if self.activation is None else getattr(ops, self.activation)(Y)
