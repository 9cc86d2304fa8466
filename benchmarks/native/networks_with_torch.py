"""Networks of images and sequences in PyTorch."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


class LeNet(nn.Sequential):
    def __init__(self):
        super().__init__(
            *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
            *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten()),
            *(nn.Linear(576, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid()),
            nn.Linear(84, 10),
        )


def conv(in_channels, channels, size):
    return nn.Conv2d(in_channels, channels, size, padding=size // 2, bias=False)


class Residual(nn.Module):
    def __init__(self, channels, deep=False):
        super().__init__()
        narrow = channels // 4 if deep else channels
        self.conv1 = conv(channels, narrow, 1 if deep else 3)
        self.norm1 = nn.BatchNorm2d(narrow)
        self.conv2 = conv(narrow, narrow, 3)
        self.norm2 = nn.BatchNorm2d(narrow)
        if deep:
            self.conv3, self.norm3 = conv(narrow, channels, 1), nn.BatchNorm2d(channels)
        self.deep, self.relu = deep, nn.ReLU(inplace=True)

    def forward(self, X):
        Y = self.relu(self.norm1(self.conv1(X)))
        Y = self.norm2(self.conv2(Y))
        if self.deep:
            Y = self.norm3(self.conv3(self.relu(Y)))
        Y += X
        return self.relu(Y)


class LSTM(nn.LSTM):
    def __init__(self, units, in_units):
        super().__init__(in_units, units, batch_first=True)

    def forward(self, X):
        return super().forward(X)[0]


class GRU(nn.GRU):
    def __init__(self, units, in_units):
        super().__init__(in_units, units, batch_first=True)

    def forward(self, X):
        return super().forward(X)[0]


class Encoder(nn.Module):
    def __init__(self, units, heads, hidden):
        super().__init__()
        self.attention = nn.MultiheadAttention(units, heads, batch_first=True)
        self.hidden, self.out = nn.Linear(units, hidden), nn.Linear(hidden, units)
        self.norm1, self.norm2 = nn.LayerNorm(units), nn.LayerNorm(units)

    def forward(self, X):
        X = self.norm1(X + self.attention(X, X, X, need_weights=False)[0])
        return self.norm2(X + self.out(F.relu(self.hidden(X))))


def in_layout(net, x):
    """The network and its input, `(n, h, w, c)`, in the memory that PyTorch has for that."""
    return net.to(memory_format=torch.channels_last), x.permute(0, 3, 1, 2)
