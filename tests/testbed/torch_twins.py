"""A portable block, and the same network written by hand for PyTorch, with the same names."""

import numpy as np
import torch
from torch import nn

import unified_blocks as ub
from unified_blocks import ops


class Towers(ub.Block):
    """Blocks in lists, tuples and dicts, and a constant."""

    def __init__(self):
        super().__init__()
        self.in_list = [ub.Dense(4, in_units=4), [ub.Dense(4, in_units=4)]]
        self.in_tuple = (ub.Dense(4, in_units=4), ub.ReLU())
        self.in_dict = {"a": ub.Dense(4, in_units=4), "b": {"c": ub.LayerNorm(in_units=4)}}
        self.scale = ub.Constant(0.5)

    def forward(self, X):
        X = self.in_list[1][0](self.in_list[0](X))
        for block in self.in_tuple:
            X = block(X)
        return ops.multiply(self.in_dict["b"]["c"](self.in_dict["a"](X)), self.scale)


class TowersByHand(nn.Module):
    def __init__(self):
        super().__init__()
        self.in_list = nn.ModuleList([nn.Linear(4, 4), nn.ModuleList([nn.Linear(4, 4)])])
        self.in_tuple = nn.ModuleList([nn.Linear(4, 4), nn.ReLU()])
        norm = nn.LayerNorm(4, float(np.float32(1e-5)))
        self.in_dict = nn.ModuleDict({"a": nn.Linear(4, 4), "b": nn.ModuleDict({"c": norm})})
        self.register_buffer("scale", torch.tensor(0.5))

    def forward(self, X):
        X = self.in_list[1][0](self.in_list[0](X))
        for block in self.in_tuple:
            X = block(X)
        return torch.multiply(self.in_dict["b"]["c"](self.in_dict["a"](X)), self.scale)


def towers():
    """A `Towers` and its twin, with the same numbers."""
    net, twin = Towers.on("torch")(), TowersByHand()
    twin.load_state_dict(net.state_dict())
    return net, twin


def normed():
    """A dense layer and a batch norm, ours and by hand, with the same numbers."""
    with ub.use_backend("torch"):
        net = ub.MySequential(ub.Dense(4, in_units=3), ub.BatchNorm(in_units=4))
    twin = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4, net[1].eps, net[1].momentum))
    twin.load_state_dict(dict(net.state_dict()))
    return net, twin
