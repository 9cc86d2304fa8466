# on mxnet
class Halving(nn.Block):
    def __init__(self):
        super().__init__()
        self.dense = nn.Dense(20)

    def forward(self, X):
        H = self.dense(npx.relu(self.dense(X)))  # the same layer twice
        while np.abs(H).sum() > 1:
            H = H / 2
        return H.sum()


chimera = nn.Sequential()
chimera.add(NestMLP(), nn.Dense(20), Halving())
chimera.initialize()
chimera(X)
ub.initialize(chimera, seed=0)
print(f"{float(chimera(X)):.5f}")
names = chimera._collect_params_with_prefix()
print(*[name for name in names if "weight" in name], sep="\n")
