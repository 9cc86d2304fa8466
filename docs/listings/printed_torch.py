# on torch
import torch
from torch import nn

X = torch.from_numpy(x)


class FixedHiddenMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.rand_weight = torch.from_numpy(drawn)  # a plain tensor
        self.dense = nn.Linear(20, 20)  # and no activation after it

    def forward(self, X):
        H = self.dense(X)
        H = torch.relu(H @ self.rand_weight + 1)
        H = self.dense(H)
        while H.abs().sum() > 1:
            H /= 2  # in place
        return H.sum()


net = FixedHiddenMLP()
ub.initialize(net.dense, seed=0)
outputs["PyTorch"] = float(net(X))
print(f"output: {outputs['PyTorch']:.5f}")
