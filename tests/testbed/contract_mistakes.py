"""Blocks with one mistake each, in a module that another process can import."""

import numpy as np

import unified_blocks as ub
from unified_blocks import ops


class Right(ub.Block):
    """A block that is right; the mistakes extend it. `bad` is the backend to be wrong on."""

    def __init__(self, bad=None):
        super().__init__()
        self.bad = bad
        self.dense = ub.Dense(3, activation="tanh", in_units=4)
        self.scale = ub.Constant(0.5)

    def forward(self, X):
        return self.dense(X) * self.scale

    def is_bad(self):
        return ub.backend_of(self).name == self.bad

    def reference(self, state, X):
        return np.tanh(X @ state["dense.weight"].T + state["dense.bias"]) * state["scale"]


class WithoutReference(Right):
    def forward(self, X):
        return super().forward(X)


class Rounded(Right):
    """A float32 path inside of a float64 one."""

    def forward(self, X):
        return ops.astype(super().forward(X), "float32")


class Renamed(ub.Block):
    def __init__(self, bad=None):
        super().__init__()
        layer = ub.Dense(3, in_units=4)
        if ub.get_backend().name == bad:
            self.other = layer
        else:
            self.dense = layer

    def forward(self, X):
        return getattr(self, "other" if hasattr(self, "other") else "dense")(X)


class Drawn(Right):
    """Numbers that are drawn when it is made, and are not part of its state."""

    def __init__(self, bad=None):
        super().__init__(bad)
        self.offset = float(np.random.default_rng().random())

    def forward(self, X):
        return super().forward(X) + self.offset


class DrawnConstant(Right):
    """The same, as a constant."""

    def __init__(self, bad=None):
        super().__init__(bad)
        self.offset = ub.Constant(np.random.default_rng().random(3))

    def forward(self, X):
        return super().forward(X) + self.offset


class OffReference(Right):
    def reference(self, state, X):
        return super().reference(state, X) * (1 + 1e-3)


class WrongGradient(Right):
    """The right output, and twice its gradient."""

    def forward(self, X):
        Y = super().forward(X)
        return Y + (Y - ops.stop_gradient(Y)) if self.is_bad() else Y

    def reference(self, state, X):
        return super().reference(state, X)


class Different(Right):
    def forward(self, X):
        Y = super().forward(X)
        return Y * 1.001 if self.is_bad() else Y


class Drifting(Right):
    """A constant that a call changes."""

    def forward(self, X):
        change(self.scale)
        return super().forward(X)


def change(constant):
    if hasattr(constant, "mul_"):
        constant.mul_(2)
    elif hasattr(constant, "assign"):
        constant.assign(constant * 2)
    else:
        from unified_blocks_mxnet.compat import mx

        with mx.autograd.pause():
            constant[()] = constant * 2


class InPlace(Right):
    """A call that changes its input."""

    def forward(self, X):
        if hasattr(X, "add_"):
            X.add_(1)
        else:
            X += 1
        return super().forward(X)


class Counting(Right):
    """A call that depends on how many there were."""

    def forward(self, X):
        object.__setattr__(self, "calls", getattr(self, "calls", 0) + 1)
        return super().forward(X) + self.calls


class SameCopy(Right):
    def __deepcopy__(self, memo):
        return self


class WrongGraph(Right):
    """Right eagerly, and wrong in a graph."""

    def forward(self, X):
        Y = super().forward(X)
        return Y * 1.001 if is_traced(self.bad, X) else Y


def is_traced(name, X):
    if name == "torch":
        import torch

        return torch.compiler.is_compiling()
    if name == "tensorflow":
        import tensorflow as tf

        return not tf.executing_eagerly()
    from unified_blocks_mxnet.compat import mx

    return isinstance(X, mx.sym.Symbol)
