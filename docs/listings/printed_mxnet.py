# on mxnet
from mxnet import autograd, np, npx
from mxnet.gluon import nn

npx.set_np()
X = np.array(x)


class FixedHiddenMLP(nn.Block):
    def __init__(self):
        super().__init__()
        self.rand_weight = self.params.get_constant("rand_weight", np.array(drawn))
        self.dense = nn.Dense(20, activation="relu")

    def forward(self, X):
        H = self.dense(X)
        H = npx.relu(np.dot(H, self.rand_weight.data()) + 1)
        H = self.dense(H)
        while np.abs(H).sum() > 1:
            H /= 2  # in place
        return H.sum()


net = FixedHiddenMLP()
net.initialize()
net(X)
ub.initialize(net.dense, seed=0)
outputs["MXNet"] = float(net(X))
print(f"output: {outputs['MXNet']:.5f}")
