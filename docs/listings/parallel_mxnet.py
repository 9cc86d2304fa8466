# on mxnet
class Parallel(nn.Block):
    def __init__(self, first, second):
        super().__init__()
        self.first, self.second = first, second

    def forward(self, X):
        return np.concatenate([self.first(X), self.second(X)], axis=-1)


net = Parallel(nn.Dense(3), nn.Dense(5))
net.initialize()
print(net(X).shape, len(net._collect_params_with_prefix()), "parameters")
