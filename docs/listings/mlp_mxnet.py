# on mxnet
class MLP(nn.Block):
    def __init__(self, hidden_units=256, out_units=10):
        super().__init__()
        self.hidden = nn.Dense(hidden_units, activation="relu")
        self.out = nn.Dense(out_units)

    def forward(self, X):
        H = self.hidden(X)  # (n, hidden_units)
        return self.out(H)  # (n, out_units)


mlp = MLP()
mlp.initialize()
mlp(X)
ub.initialize(mlp, seed=0)
print(mlp(X).shape)
print("as the row computes:", bool((mlp(X) == row(X)).all()))
