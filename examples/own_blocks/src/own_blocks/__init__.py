"""Blocks of one's own."""

import numpy as np

import unified_blocks as ub


class Gated(ub.Block):
    """`scale · sigmoid(gate(X)) ⊙ tanh(body(X))`; `(n, d)` to `(n, units)`."""

    def __init__(self, units):
        super().__init__()
        self.gate = ub.Dense(units, activation="sigmoid")
        self.body = ub.Dense(units, activation="tanh")
        self.scale = ub.Constant(0.5)  # saved and moved, never trained

    def forward(self, X):
        return self.scale * self.gate(X) * self.body(X)

    def reference(self, state, X):
        """The same in NumPy, which its outputs and gradients are compared with; optional."""
        gate = X @ state["gate.weight"].T + state["gate.bias"]
        body = X @ state["body.weight"].T + state["body.bias"]
        return state["scale"] / (1 + np.exp(-gate)) * np.tanh(body)
