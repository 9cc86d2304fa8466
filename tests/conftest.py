"""What tests share. `pytest_unified_blocks` gives them `backend_name`, `backend` and `device`.

`pytest --backend=torch` runs on PyTorch alone, and fails when it is not there; `--device=cpu,gpu`
fails when a GPU is not. In the environments of tox a test fails when other frameworks are there
than those that `--backend` names.
"""

import os
import random
import sys

import numpy as np
import pytest

import unified_blocks as ub
from unified_blocks.equivalence.matrix.cases import CASES

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # read when TensorFlow is imported
BACKENDS = ("torch", "tensorflow", "mxnet")
DTYPES = ("float64", "float32")
HERE = [name for name in BACKENDS if name in ub.available_backends()]
"""Those that are installed in this environment."""


@pytest.fixture(autouse=True)
def drawn_alike():
    """What a test does not seed is drawn alike each time: the first numbers of a layer, say.

    Masks of Keras' dropout are not: they come from a generator that lives as long as the process.
    """
    random.seed(0)  # Keras draws the seeds of its layers with it
    np.random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)
    if "tensorflow" in sys.modules:
        sys.modules["tensorflow"].random.set_seed(0)
    if "mxnet" in sys.modules:
        sys.modules["mxnet"].random.seed(0)


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request):
    return request.param


@pytest.fixture(params=DTYPES)
def dtype(request):
    return request.param


@pytest.fixture
def built(case, backend_name, device, dtype):
    """The case's network, built, randomised, on the device."""
    return make(case, dtype, device)


def make(case, dtype, device="cpu"):
    with ub.use_dtype(dtype):
        net = ub.build(case.make(), case.input_shape)
    return ub.to_device(ub.initialize(net, case.seed, "torch_default"), device)


def graph(backend_name, net):
    """`net` as a graph of its framework, without Python's control flow."""
    if backend_name == "torch":
        import torch

        torch.compiler.reset()  # it gives up on a function after a few recompilations
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
