# on torch
import torch
from torch import nn

X = torch.from_numpy(x)
calls = []


class Counted(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(20, 256), nn.ReLU(), nn.Linear(256, 10))

    def forward(self, X):
        calls.append("Python ran")
        return self.layers(X)


net = Counted()
for _ in range(3):
    net(X)
print("as Python:", len(calls))

calls.clear()
graph = torch.export.export(net, (X,)).module()
recorded = len(calls)
for _ in range(3):
    graph(X)
print("as a graph:", len(calls) - recorded)
print("equal:", torch.equal(graph(X), net(X)))
