# on torch
import torch
from torch import nn

X = torch.from_numpy(x)


class FixedHiddenMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("rand_weight", torch.from_numpy(drawn))
        self.dense = nn.Linear(20, 20)

    def forward(self, X):
        H = torch.relu(self.dense(X))  # (n, 20)
        H = torch.relu(H @ self.rand_weight + 1)  # (n, 20)
        H = torch.relu(self.dense(H))  # the same layer
        while H.abs().sum() > 1:
            H = H / 2
        return H.sum()  # ()


net = FixedHiddenMLP()
ub.initialize(net.dense, seed=0)
print(f"{float(net(X)):.5f}")
