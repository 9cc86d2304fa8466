"""The networks in Gluon on MXNet."""

from __future__ import annotations

from contextlib import nullcontext

from benchmarks.native import MOMENTUM, RATE
from unified_blocks_mxnet.compat import mx, nn

mx.npx.set_np()
inference = nullcontext


def compiled(net):
    """What calls a network as a graph: the network itself, from now on."""
    net.hybridize(static_alloc=True, static_shape=True)
    return net


def training_step(net, x, y, as_graph=False):
    """One step of training, as a function without arguments that gives the loss before it."""
    net = compiled(net) if as_graph else net
    options = {"learning_rate": RATE, "momentum": MOMENTUM}
    trainer = mx.gluon.Trainer(net.collect_params(), "sgd", options)

    def step():
        with mx.autograd.record():
            loss = mx.np.square(net(x) - y).mean()
        loss.backward()
        trainer.step(1)
        return loss

    return step


def initialized(cls):
    """A function that makes and initialises one."""

    def make(*args, **kwargs):
        net = cls(*args, **kwargs)
        net.initialize()
        return net

    return make


def dense(units, activation=None, in_units=0):
    return nn.Dense(units, activation=activation, flatten=False, in_units=in_units)


@initialized
def layer(units, in_units):
    return dense(units, in_units=in_units)


def sequential(*layers):
    net = nn.HybridSequential()
    net.add(*layers)
    return net


def stack(layers):
    return sequential(*layers)


@initialized
class MLP(nn.HybridBlock):
    def __init__(self, hidden_units, out_units, in_units):
        super().__init__()
        self.hidden = dense(hidden_units, "relu", in_units)
        self.out = dense(out_units, in_units=hidden_units)

    def hybrid_forward(self, F, X):
        return self.out(self.hidden(X))


@initialized
class MySequential(nn.HybridSequential):
    def __init__(self, hidden_units, out_units, in_units):
        super().__init__()
        self.add(dense(hidden_units, "relu", in_units), dense(out_units, in_units=hidden_units))


@initialized
class FixedHiddenMLP(nn.HybridBlock):
    def __init__(self, units):
        super().__init__()
        value = mx.np.random.uniform(size=(units, units))
        self.rand_weight = self.params.get_constant("rand_weight", value)
        self.dense = dense(units, "relu", units)

    def hybrid_forward(self, F, X, rand_weight):
        H = self.dense(X)
        H = F.npx.relu(F.np.dot(H, rand_weight) + 1)
        H = self.dense(H)
        while F.np.abs(H).sum() > 1:
            H = H / 2
        return H.sum()


@initialized
class NestMLP(nn.HybridBlock):
    def __init__(self, in_units):
        super().__init__()
        self.net = sequential(dense(64, "relu", in_units), dense(32, "relu", 64))
        self.dense = dense(16, "relu", 32)

    def hybrid_forward(self, F, X):
        return self.dense(self.net(X))


@initialized
class MixerBlock(nn.HybridBlock):
    def __init__(self, tokens, channels, hidden):
        super().__init__()
        self.norm1, self.norm2 = (nn.LayerNorm(in_channels=channels) for _ in range(2))
        self.tokens = self.mlp(tokens, hidden)
        self.channels = self.mlp(channels, hidden)

    def mlp(self, units, hidden):
        return sequential(dense(hidden, in_units=units), nn.GELU(), dense(units, in_units=hidden))

    def hybrid_forward(self, F, X):
        X = X + F.np.swapaxes(self.tokens(F.np.swapaxes(self.norm1(X), 1, 2)), 1, 2)
        return X + self.channels(self.norm2(X))


@initialized
class Highway(nn.HybridBlock):
    def __init__(self, units, depth):
        super().__init__()
        self.layers = nn.HybridSequential()
        for _ in range(depth):
            self.layers.add(sequential(dense(units, "tanh", units), dense(units, "sigmoid", units)))

    def hybrid_forward(self, F, X):
        for transform, gate in self.layers:
            T = gate(X)
            X = T * transform(X) + (1 - T) * X
        return X


@initialized
class DeepSets(nn.HybridBlock):
    def __init__(self, units, hidden, in_units):
        super().__init__()
        self.phi = sequential(dense(hidden, "relu", in_units), dense(hidden, "relu", hidden))
        self.rho = sequential(nn.BatchNorm(in_channels=hidden), dense(units, in_units=hidden))

    def hybrid_forward(self, F, X):
        return self.rho(F.np.mean(self.phi(X), axis=1))


@initialized
class BookMLP(nn.Block):
    """In the style of the book's chapter: not a graph, and a call finds its width."""

    def __init__(self, hidden_units, out_units):
        super().__init__()
        self.hidden = nn.Dense(hidden_units, activation="relu")
        self.out = nn.Dense(out_units)

    def forward(self, X):
        return self.out(self.hidden(X))


@initialized
class BookSequential(nn.Block):
    """The chapter's own container: each block is a child, and the children are called in turn."""

    def __init__(self, *blocks):
        super().__init__()
        for block in blocks:
            self.register_child(block)

    def forward(self, X):
        for block in self._children.values():
            X = block(X)
        return X


def book_layer(units):
    return nn.Dense(units)
