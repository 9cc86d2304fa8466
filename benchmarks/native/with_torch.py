"""The networks in PyTorch."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.native import MOMENTUM, RATE

inference = torch.no_grad


compiled = torch.compile
"""What calls a network as a graph."""


def training_step(net, x, y, as_graph=False):
    """One step of training, as a function without arguments that gives the loss before it."""
    net.train()
    net = compiled(net) if as_graph else net
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE, momentum=MOMENTUM)

    def step():
        optimizer.zero_grad()
        loss = F.mse_loss(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def layer(units, in_units):
    return nn.Linear(in_units, units)


def stack(layers):
    return nn.Sequential(*layers)


class MLP(nn.Module):
    def __init__(self, hidden_units, out_units, in_units):
        super().__init__()
        self.hidden = nn.Linear(in_units, hidden_units)
        self.out = nn.Linear(hidden_units, out_units)

    def forward(self, X):
        return self.out(F.relu(self.hidden(X)))


class MySequential(nn.Sequential):
    def __init__(self, hidden_units, out_units, in_units):
        super().__init__(
            nn.Linear(in_units, hidden_units), nn.ReLU(), nn.Linear(hidden_units, out_units)
        )


class FixedHiddenMLP(nn.Module):
    def __init__(self, units):
        super().__init__()
        self.register_buffer("rand_weight", torch.rand(units, units))
        self.dense = nn.Linear(units, units)

    def forward(self, X):
        H = F.relu(self.dense(X))
        H = F.relu(H @ self.rand_weight + 1)
        H = F.relu(self.dense(H))
        while H.abs().sum() > 1:
            H = H / 2
        return H.sum()


class NestMLP(nn.Module):
    def __init__(self, in_units):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(in_units, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.dense = nn.Linear(32, 16)

    def forward(self, X):
        return F.relu(self.dense(self.net(X)))


class MixerBlock(nn.Module):
    def __init__(self, tokens, channels, hidden):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.tokens = self.mlp(tokens, hidden)
        self.channels = self.mlp(channels, hidden)

    def mlp(self, units, hidden):
        return nn.Sequential(nn.Linear(units, hidden), nn.GELU(), nn.Linear(hidden, units))

    def forward(self, X):
        X = X + self.tokens(self.norm1(X).transpose(1, 2)).transpose(1, 2)
        return X + self.channels(self.norm2(X))


class Highway(nn.Module):
    def __init__(self, units, depth):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.ModuleList([nn.Linear(units, units), nn.Linear(units, units)]) for _ in range(depth)
        )

    def forward(self, X):
        for transform, gate in self.layers:
            T = torch.sigmoid(gate(X))
            X = T * torch.tanh(transform(X)) + (1 - T) * X
        return X


class DeepSets(nn.Module):
    def __init__(self, units, hidden, in_units):
        super().__init__()
        self.phi = nn.Sequential(
            nn.Linear(in_units, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()
        )
        self.rho = nn.Sequential(nn.BatchNorm1d(hidden), nn.Linear(hidden, units))

    def forward(self, X):
        return self.rho(self.phi(X).mean(1))


class BookMLP(nn.Module):
    """In the style of the book's chapter: the width of the input is found at the first call."""

    def __init__(self, hidden_units, out_units):
        super().__init__()
        self.hidden = nn.LazyLinear(hidden_units)
        self.out = nn.LazyLinear(out_units)

    def forward(self, X):
        return self.out(F.relu(self.hidden(X)))


class BookSequential(nn.Module):
    """The chapter's own container: each block is a child, and the children are called in turn."""

    def __init__(self, *blocks):
        super().__init__()
        for i, block in enumerate(blocks):
            self.add_module(str(i), block)

    def forward(self, X):
        for block in self.children():
            X = block(X)
        return X


def book_layer(units):
    return nn.LazyLinear(units)
