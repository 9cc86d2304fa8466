"""Deep sets: a function of a set, whatever the order of its elements (Zaheer et al., 2017)."""

import unified_blocks as ub
from unified_blocks import ops


class DeepSets(ub.Block):
    """`ρ(mean φ(x))` over the elements x of each set; `(n, elements, d)` to `(n, units)`."""

    def __init__(self, units, hidden=24):
        super().__init__()
        self.phi = ub.repeat(lambda: ub.Dense(hidden, activation="relu"), 2)
        self.rho = ub.MySequential(ub.BatchNorm(), ub.Dense(units))

    def forward(self, X):
        return self.rho(ops.mean(self.phi(X), axis=1))
