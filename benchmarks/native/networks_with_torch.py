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


def norm(before):
    return nn.BatchNorm2d(before.out_channels)


class Residual(nn.Module):
    def __init__(self, channels, deep):
        super().__init__()
        narrow = channels // 4
        layers = (
            (conv(channels, narrow, 1), conv(narrow, narrow, 3), conv(narrow, channels, 1))
            if deep
            else (conv(channels, channels, 3), conv(channels, channels, 3))
        )
        normed = [part for each in layers for part in (each, norm(each), nn.ReLU(inplace=True))]
        self.body = nn.Sequential(*normed[:-1])
        self.relu = nn.ReLU(inplace=True)

    def forward(self, X):
        Y = self.body(X)
        Y += X
        return self.relu(Y)


class Group(nn.Sequential):
    def __init__(self, channels, blocks):
        super().__init__(*(Residual(channels, deep=False) for _ in range(blocks)))


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


class Bottleneck(nn.Module):
    def __init__(self, in_channels, channels, stride, projected):
        super().__init__()
        wide = 4 * channels
        self.body = nn.Sequential(
            *(nn.Conv2d(in_channels, channels, 1, stride), nn.BatchNorm2d(channels), nn.ReLU()),
            *(conv(channels, channels, 3), nn.BatchNorm2d(channels), nn.ReLU()),
            *(nn.Conv2d(channels, wide, 1), nn.BatchNorm2d(wide)),
        )
        if projected:
            shortcut = nn.Conv2d(in_channels, wide, 1, stride, bias=False)
            self.shortcut = nn.Sequential(shortcut, nn.BatchNorm2d(wide))
        else:
            self.shortcut = nn.Identity()

    def forward(self, X):
        return F.relu(self.body(X) + self.shortcut(X))


def resnet50():
    """Of Gluon's model zoo: strides in the first convolution of a unit."""
    layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    layers.append(nn.MaxPool2d(3, 2, 1))
    before = 64
    for channels, units, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for unit in range(units):
            layers.append(Bottleneck(before, channels, 1 if unit else stride, not unit))
            before = 4 * channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 1000))


def in_memory(net, x):
    """The network, and its input `(n, h, w, c)`, in PyTorch's memory of channels at the end."""
    return net.to(memory_format=torch.channels_last), x.permute(0, 3, 1, 2)
