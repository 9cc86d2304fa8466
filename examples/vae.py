"""A small variational autoencoder, its random draw passed in (Kingma and Welling, 2013)."""

import unified_blocks as ub
from unified_blocks import ops


class VAE(ub.Block):
    """Encoder, draw and decoder.

    Input `(n, d + latent)`: data, and beside it a draw from N(0, 1).
    Output `(n, d + 1)`: the reconstruction, and beside it the divergence of the draw from the
    prior, `½ Σ (μ² + σ² - log σ² - 1)`.
    """

    def __init__(self, d, latent, hidden=32):
        super().__init__()
        self.d = d
        self.encoder = ub.Dense(hidden, activation="tanh")
        self.mean, self.log_var = ub.Dense(latent), ub.Dense(latent)
        self.decoder = ub.MLP(hidden, d)

    def forward(self, X):
        X, noise = X[:, : self.d], X[:, self.d :]
        H = self.encoder(X)
        mean, log_var = self.mean(H), self.log_var(H)
        Z = mean + ops.exp(log_var / 2) * noise
        terms = ops.square(mean) + ops.exp(log_var) - log_var - 1
        divergence = ops.sum(terms, axis=-1, keepdims=True) / 2
        return ops.concat([self.decoder(Z), divergence], axis=-1)
