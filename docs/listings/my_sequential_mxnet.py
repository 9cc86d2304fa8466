# on mxnet
from mxnet import np, npx
from mxnet.gluon import nn

npx.set_np()
X = np.array(x)


class MySequential(nn.Block):
    def add(self, block):
        self.register_child(block)

    def forward(self, X):
        for block in self._children.values():
            X = block(X)
        return X


net = MySequential()
net.add(nn.Dense(256, activation="relu"))
net.add(nn.Dense(10))
net.initialize()
net(X)
ub.initialize(net, seed=0)
print(net(X).shape)
print(list(net._collect_params_with_prefix()))
