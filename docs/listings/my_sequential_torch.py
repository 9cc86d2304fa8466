# on torch
import torch
from torch import nn

X = torch.from_numpy(x)


class MySequential(nn.Module):
    def __init__(self, *blocks):
        super().__init__()
        for number, block in enumerate(blocks):
            self.add_module(str(number), block)

    def forward(self, X):
        for block in self.children():
            X = block(X)
        return X


net = MySequential(nn.Linear(20, 256), nn.ReLU(), nn.Linear(256, 10))
ub.initialize(net, seed=0)
print(net(X).shape)
print([name for name, _ in net.named_parameters()])
