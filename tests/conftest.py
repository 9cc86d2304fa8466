"""Every test that takes `backend_name` runs on each installed framework; `device` adds GPUs.

A framework that is not installed, and a GPU that is not there, are visible skips with the reason.
`UNIFIED_BLOCKS_TEST_BACKENDS=torch` names the frameworks that must be there, and no others: tests
run on these alone, and one of them fails when the environment holds anything else.
`UNIFIED_BLOCKS_DEVICES=cpu,gpu` promises a GPU: tests on it then fail when none is seen.
"""

import os

import numpy as np
import pytest

import unified_blocks as ub
from unified_blocks.equivalence.cases import CASES

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # read when TensorFlow is imported
BACKENDS = ("torch", "tensorflow", "mxnet")
DTYPES = ("float64", "float32")
PROMISED_DEVICES = os.environ.get("UNIFIED_BLOCKS_DEVICES", "cpu").split(",")
PROMISE = os.environ.get("UNIFIED_BLOCKS_TEST_BACKENDS")
PROMISED_BACKENDS = [name for name in (PROMISE or "").split(",") if name]
HERE = [
    name
    for name in (BACKENDS if PROMISE is None else PROMISED_BACKENDS)
    if name in ub.available_backends()
]
"""The backends that tests run on in this environment."""


def targets():
    """A parameter (backend, device) for each device of each backend."""
    installed = ub.available_backends()
    for name in BACKENDS if PROMISE is None else PROMISED_BACKENDS:
        if name not in installed:
            skip = pytest.mark.skip(reason=f"{name} is not installed")
            yield pytest.param((name, "cpu"), id=f"{name}-cpu", marks=skip)
            continue
        yield pytest.param((name, "cpu"), id=f"{name}-cpu")
        gpus = [device for device in ub.devices(name) if device.startswith("gpu")]
        if gpus and name == "tensorflow":  # else float32 is rounded to 10 bits in products
            import tensorflow as tf

            tf.config.experimental.enable_tensor_float_32_execution(False)
        for device in gpus:
            yield pytest.param((name, device), id=f"{name}-{device}")
        if not gpus:
            skip = pytest.mark.skipif(
                "gpu" not in PROMISED_DEVICES, reason=f"{name} sees no GPU on this machine"
            )
            yield pytest.param((name, "gpu:0"), id=f"{name}-gpu:0", marks=skip)


def pytest_generate_tests(metafunc):
    names = metafunc.fixturenames
    if "device" in names:
        metafunc.parametrize("target", list(targets()), indirect=True)
    elif "backend_name" in names:
        on_cpu = [p for p in targets() if p.values[0][1] == "cpu"]
        metafunc.parametrize("target", on_cpu, indirect=True)
    if "case" in names:
        metafunc.parametrize("case", CASES, ids=lambda case: case.name)
    if "dtype" in names:
        metafunc.parametrize("dtype", DTYPES)


@pytest.fixture
def target(request):
    """(backend, device), the backend being the default during the test."""
    name, device = request.param
    if device not in ub.devices(name):
        pytest.fail(f"UNIFIED_BLOCKS_DEVICES promises a GPU, and {name} sees none")
    with ub.use_backend(name):
        yield name, device


@pytest.fixture
def backend_name(target):
    return target[0]


@pytest.fixture
def device(target):
    return target[1]


@pytest.fixture
def backend(backend_name):
    return ub.get_backend(backend_name)


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
