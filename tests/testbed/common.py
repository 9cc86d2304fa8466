"""Models, tensors and native layers that many tests need."""

import numpy as np

import unified_blocks as ub

BACKENDS = ("torch", "tensorflow", "mxnet")
DTYPES = ("float64", "float32")
HERE = [name for name in BACKENDS if name in ub.available_backends()]
"""Those that are installed in this environment."""


def make(case, dtype, device="cpu"):
    with ub.use_dtype(dtype):
        net = ub.build(case.make(), case.input_shape)
    return ub.to_device(ub.initialize(net, case.seed, "torch_default"), device)


def graph(backend_name, net):
    """`net` as a graph of its framework, without Python's control flow."""
    if backend_name == "torch":
        import torch

        torch.compiler.reset()  # it gives up on a function after a few recompilations
        torch._dynamo.config.allow_rnn = True  # else it leaves its own recurrent layers out
        return torch.compile(net, backend="eager", fullgraph=True)
    if backend_name == "tensorflow":
        import tensorflow as tf

        return tf.function(net)
    net.hybridize()
    return net


def run(net, x, device="cpu"):
    """The output of a plain call of `net` on an array, as an array."""
    backend = ub.backend_of(net)
    return backend.to_numpy(net(backend.from_numpy(x, device)))


def normal(*shape, dtype="float32", seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def layer(backend_name, units):
    """A native dense layer of the framework."""
    if backend_name == "torch":
        from torch import nn

        return nn.LazyLinear(units)
    if backend_name == "tensorflow":
        import keras

        return keras.layers.Dense(units)
    from unified_blocks_mxnet.compat import mx

    return mx.gluon.nn.Dense(units, flatten=False)


def native_base(backend_name):
    """What a portable block extends."""
    if backend_name == "torch":
        from torch import nn

        return nn.Module
    if backend_name == "tensorflow":
        import keras

        return keras.Model
    from unified_blocks_mxnet.compat import mx

    return mx.gluon.HybridBlock
