"""Recurrent layers that were made by hand, one of each framework, and ours."""

import numpy as np

import unified_blocks as ub

KINDS = ("RNN", "LSTM", "GRU")
UNITS, WIDTH = 5, 4


def native(backend_name, kind, layers=1, both_ways=False, biases=True):
    """A layer of the framework's own that gives the sequence, with a name for it: `rnn`."""
    if backend_name == "torch":
        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                options = {"bidirectional": both_ways, "bias": biases, "batch_first": True}
                self.rnn = getattr(nn, kind)(WIDTH, UNITS, layers, **options).double()

            def forward(self, X):
                return self.rnn(X)[0]

        return Net()
    if backend_name == "tensorflow":
        import keras

        cls = getattr(keras.layers, {"RNN": "SimpleRNN"}.get(kind, kind))

        class Net(keras.Model):
            def __init__(self):
                super().__init__(dtype="float64")
                options = {"use_bias": biases, "dtype": "float64", "return_sequences": True}
                self.rnn = cls(UNITS, **options)
                if both_ways:
                    self.rnn = keras.layers.Bidirectional(self.rnn, dtype="float64")

            def call(self, X):
                return self.rnn(X)

        assert layers == 1, "its layers lie in one layer each"
        return Net()
    from unified_blocks_mxnet.compat import mx, rnn

    class Net(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            options = {"activation": "tanh"} if kind == "RNN" else {}
            self.rnn = getattr(rnn, kind)(
                UNITS, layers, layout="NTC", bidirectional=both_ways, dtype="float64", **options
            )

        def hybrid_forward(self, F, X):
            return self.rnn(X)

    net = Net()
    net.initialize(mx.init.Constant(0.5))  # MXNet draws in float64 with legacy arrays alone
    return net


def ours(backend_name, kind, layers=1, both_ways=False, biases=True):
    """The same of this library's, with the same name."""

    class Recurring(ub.Block):
        def __init__(self):
            super().__init__()
            options = {"bidirectional": both_ways, "use_bias": biases}
            self.rnn = getattr(ub, kind)(UNITS, layers, **options)

        def forward(self, X):
            return self.rnn(X)

    with ub.use_backend(backend_name), ub.use_dtype("float64"):
        return Recurring()


def sequences(n=3, t=6, width=WIDTH, seed=0):
    return np.random.default_rng(seed).normal(size=(n, t, width))


def numbers(kind, layers=1, both_ways=False, biases=True, seed=1):
    """A state with other numbers everywhere."""
    net = ours(ub.available_backends()[0], kind, layers, both_ways, biases)
    state = ub.state(ub.build(net, (1, 2, WIDTH)))
    generator = np.random.default_rng(seed)
    return {name: generator.normal(size=array.shape) for name, array in state.items()}


def evaluated(net, *inputs):
    """The outputs of `net` in inference, as one list of arrays, whatever they are nested in."""
    backend = ub.backend_of(net)
    with backend.inferring(net):
        return flat(backend, backend.run(net, [given(backend, each) for each in inputs]))


def given(backend, value):
    if isinstance(value, tuple):
        return tuple(given(backend, each) for each in value)
    return value if value is None else backend.from_numpy(value)


def flat(backend, value):
    if isinstance(value, tuple | list):
        return [array for each in value for array in flat(backend, each)]
    return [backend.to_numpy(value)]


def plain(value):
    """What a reference gave, as such a list."""
    return [a for each in value for a in plain(each)] if isinstance(value, tuple) else [value]
