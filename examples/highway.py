"""A highway network: each layer chooses how much to change (Srivastava et al., 2015)."""

import unified_blocks as ub


class Highway(ub.Block):
    """`X = t ⊙ h(X) + (1 - t) ⊙ X` in each layer, `t = sigmoid(…)`; `(n, units)` to the same."""

    def __init__(self, units, depth=3):
        super().__init__()
        self.layers_of_change = [
            {
                "transform": ub.Dense(units, in_units=units, activation="tanh"),
                "gate": ub.Dense(units, in_units=units, activation="sigmoid"),
            }
            for _ in range(depth)
        ]

    def forward(self, X):
        for layer in self.layers_of_change:
            T = layer["gate"](X)
            X = T * layer["transform"](X) + (1 - T) * X
        return X
