# on torch
class MLP(nn.Module):
    def __init__(self, hidden_units=256, out_units=10):
        super().__init__()
        self.hidden = nn.Linear(20, hidden_units)
        self.out = nn.Linear(hidden_units, out_units)

    def forward(self, X):
        H = torch.relu(self.hidden(X))  # (n, hidden_units)
        return self.out(H)  # (n, out_units)


mlp = MLP()
ub.initialize(mlp, seed=0)
print(mlp(X).shape)
print("as the row computes:", torch.equal(mlp(X), row(X)))
