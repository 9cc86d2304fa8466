"""A block of this library and the block of Gluon's that was written by hand, alike."""

import unified_blocks as ub
from unified_blocks_mxnet.compat import mx, nn, numpy_semantics

WIDTH, UNITS, CLASSES = 4, 6, 3


class Ours(ub.Block):
    def __init__(self):
        super().__init__()
        self.hidden = ub.Dense(UNITS, in_units=WIDTH, activation="relu")
        self.norm = ub.BatchNorm(in_units=UNITS)
        self.out = ub.Dense(CLASSES, in_units=UNITS)

    def forward(self, X):
        return self.out(self.norm(self.hidden(X)))


class Native(mx.gluon.HybridBlock):
    def __init__(self, **options):
        super().__init__(**options)
        with self.name_scope():
            self.hidden = nn.Dense(UNITS, in_units=WIDTH, activation="relu")
            self.norm = nn.BatchNorm(in_channels=UNITS)
            self.out = nn.Dense(CLASSES, in_units=UNITS)

    def hybrid_forward(self, F, X):
        return self.out(self.norm(self.hidden(X)))


def pair(ctx=None):
    """The two with the same numbers: ours, and the native one."""
    with numpy_semantics():
        native = Native()
        native.initialize(ctx=ctx)
    ours = Ours.on("mxnet")()
    ours.initialize(ctx=ctx)
    ub.initialize(ours, 1)
    return ours, ub.transfer(ours, native)
