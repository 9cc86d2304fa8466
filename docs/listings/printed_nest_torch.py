# on torch
class NestMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.dense = nn.Linear(32, 16)

    def forward(self, X):
        return self.dense(self.net(X))  # no activation at the end


nest = ub.initialize(NestMLP(), seed=0)
print(f"smallest output: {float(nest(X).min()):.4f}")
