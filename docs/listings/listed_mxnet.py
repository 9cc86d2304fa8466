# on mxnet
from mxnet import np, npx
from mxnet.gluon import nn

npx.set_np()
X = np.array(x)


class Listed(nn.Block):
    def __init__(self, *blocks):
        super().__init__()
        self.blocks = list(blocks)

    def forward(self, X):
        for block in self.blocks:
            X = block(X)
        return X


net = Listed(nn.Dense(8, activation="relu"), nn.Dense(4))
print("parameters:", len(net._collect_params_with_prefix()))
net.initialize()
print("computes:", tried(lambda: net(X)))
print(*ub.check(net) or ["hidden: nothing"])

for block in net.blocks:
    net.register_child(block)
net.initialize()
print("computes now:", net(X).shape)
print("parameters now:", len(net._collect_params_with_prefix()))
