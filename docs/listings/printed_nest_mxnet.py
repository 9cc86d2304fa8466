# on mxnet
class NestMLP(nn.Block):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential()
        self.net.add(nn.Dense(64, activation="relu"), nn.Dense(32, activation="relu"))
        self.dense = nn.Dense(16, activation="relu")

    def forward(self, X):
        return self.dense(self.net(X))


nest = NestMLP()
nest.initialize()
nest(X)
ub.initialize(nest, seed=0)
print(f"smallest output: {float(nest(X).min()):.4f}")
