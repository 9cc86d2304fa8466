# on mxnet
from mxnet import np, npx
from mxnet.gluon import nn

npx.set_np()
X = np.array(x)
calls = []


class Counted(nn.HybridBlock):
    def __init__(self):
        super().__init__()
        self.layers = nn.HybridSequential()
        self.layers.add(nn.Dense(256, activation="relu"), nn.Dense(10))

    def hybrid_forward(self, F, X):
        calls.append("Python ran")
        return self.layers(X)


net = Counted()
net.initialize()
Y = net(X)
calls.clear()
for _ in range(3):
    net(X)
print("as Python:", len(calls))

calls.clear()
net.hybridize()
net(X)
recorded = len(calls)
for _ in range(3):
    net(X)
print("as a graph:", len(calls) - recorded)
print("equal:", bool((np.abs(net(X) - Y) < 1e-5).all()))
