# on torch
import torch
from torch import nn

X = torch.from_numpy(x)


class NestMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.dense = nn.Linear(32, 16)

    def forward(self, X):
        return torch.relu(self.dense(self.net(X)))


nest = ub.initialize(NestMLP(), seed=0)
print(nest(X).shape)
