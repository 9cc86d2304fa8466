# on torch
class Halving(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(20, 20)

    def forward(self, X):
        H = self.dense(torch.relu(self.dense(X)))  # the same layer twice
        while H.abs().sum() > 1:
            H = H / 2
        return H.sum()


chimera = nn.Sequential(NestMLP(), nn.Linear(16, 20), Halving())
ub.initialize(chimera, seed=0)
print(f"{float(chimera(X)):.5f}")
print(*[name for name, _ in chimera.named_parameters() if "weight" in name], sep="\n")
