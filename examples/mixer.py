"""An MLP-Mixer block: tokens are mixed, then channels (Tolstikhin et al., 2021)."""

import unified_blocks as ub
from unified_blocks import ops


class MixerBlock(ub.Block):
    """`Y = X + mlp(norm(X)ᵀ)ᵀ`, then `Y + mlp(norm(Y))`, of `(n, tokens, channels)`."""

    def __init__(self, tokens, channels, hidden=32):
        super().__init__()
        self.norms = [ub.LayerNorm(in_units=channels), ub.LayerNorm(in_units=channels)]
        self.tokens = self.mlp(tokens, hidden)
        self.channels = self.mlp(channels, hidden)

    def mlp(self, units, hidden):
        return ub.MySequential(
            ub.Dense(hidden, in_units=units, activation="gelu"),
            ub.Dense(units, in_units=hidden),
        )

    def forward(self, X):
        mixed = self.tokens(ops.matrix_transpose(self.norms[0](X)))
        X = X + ops.matrix_transpose(mixed)
        return X + self.channels(self.norms[1](X))
