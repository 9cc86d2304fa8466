# on torch
import torch
from torch import nn

X = torch.from_numpy(x)


class Listed(nn.Module):
    def __init__(self, *blocks):
        super().__init__()
        self.blocks = list(blocks)

    def forward(self, X):
        for block in self.blocks:
            X = block(X)
        return X


net = Listed(nn.Linear(20, 8), nn.ReLU(), nn.Linear(8, 4))
print("computes:", tuple(net(X).shape))
print("parameters:", len(list(net.parameters())))
print(*ub.check(net) or ["hidden: nothing"])

net.blocks = nn.ModuleList(net.blocks)
print("parameters now:", len(list(net.parameters())))
