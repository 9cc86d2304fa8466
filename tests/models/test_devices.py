"""Placement: every parameter, constant, output and gradient is where the block was moved.

MXNet and TensorFlow mix devices without an error, so each tensor's device is looked at. Machines
without a GPU test this on stand-ins: PyTorch's `meta` device, a second CPU context of MXNet, two
logical CPUs of TensorFlow (in a process that configures them before TensorFlow starts).
"""

import subprocess
import sys

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal, run
from testbed.placement import LeftBehind, assert_placed
from testbed.where import TESTBED
from unified_blocks.equivalence.matrix.cases import CASES

STAND_INS = {"torch": "meta", "mxnet": "cpu:1"}


@pytest.fixture
def stand_in(backend_name):
    if backend_name not in STAND_INS:
        pytest.skip(f"{backend_name}'s stand-in needs a process of its own: see below")
    return STAND_INS[backend_name]


def test_everything_is_on_the_device(built, case, dtype, device):
    assert_placed(built, device, case, dtype)


def test_everything_is_on_the_stand_in(stand_in, case, backend_name):
    net = ub.to_device(ub.build(case.make(), case.input_shape), stand_in)
    assert_placed(net, stand_in, case, "float32")


def test_a_constant_that_stays_behind_is_seen(stand_in, backend_name, backend):
    net = ub.to_device(LeftBehind(20), stand_in)
    if backend_name == "torch":
        net.rand_weight = net.rand_weight.new_ones(20, 20, device="cpu")
    else:
        from unified_blocks_mxnet.compat import mx, numpy_semantics

        with numpy_semantics():
            constant = next(v for v in backend.variables(net) if v.name == "rand_weight")
            constant.parameter.reset_ctx(mx.cpu(0))
    with pytest.raises(AssertionError, match="rand_weight"):
        assert_placed(net, stand_in, CASES[2], "float32")


@pytest.mark.parametrize("left_behind", [False, True])
def test_tensorflow_on_two_logical_devices(backend_name, left_behind):
    if backend_name != "tensorflow":
        pytest.skip("TensorFlow's stand-in")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", TESTBED / "two_cpus.py", str(int(left_behind))],
        capture_output=True,
        text=True,
        check=False,
    )
    if left_behind:
        assert done.returncode != 0
        assert "AssertionError: rand_weight" in done.stderr
    else:
        assert done.returncode == 0, done.stderr[-3000:]
        assert done.stdout.split()[-1] == str(len(CASES))


def test_devices_start_with_the_cpu(backend_name):
    assert ub.devices()[0] == "cpu"
    assert ub.devices(backend_name) == ub.devices()


def test_to_device_keeps_the_numbers(backend_name):
    net = ub.build(ub.MySequential(ub.MLP(5, 4), ub.FixedHiddenMLP(4)), (2, 6))
    before, y = ub.state(net), run(net, normal(2, 6))
    moved = ub.to_device(net, "cpu")
    assert (moved is net) == (backend_name != "tensorflow")
    for name, array in ub.state(moved).items():
        np.testing.assert_array_equal(array, before[name])
    np.testing.assert_allclose(run(moved, normal(2, 6), "cpu"), y, rtol=1e-5)


def test_a_shared_layer_stays_shared_when_moved(backend_name):
    shared = ub.Dense(6)
    net = ub.to_device(ub.build(ub.MySequential(shared, ub.MySequential(shared)), (2, 6)), "cpu")
    assert net[0] is net[1][0]


def test_an_unbuilt_block_can_be_moved_or_says_so(backend_name):
    if backend_name == "tensorflow":
        with pytest.raises(ub.NotBuiltError, match=r"call ub\.build"):
            ub.to_device(ub.MLP(), "cpu")
    else:
        assert run(ub.to_device(ub.MLP(), "cpu"), normal(2, 4)).shape == (2, 10)


@pytest.mark.parametrize("name", ["tpu", "gpu:99", "gpu:x", ""])
def test_a_device_that_is_not_there(backend_name, name):
    net = ub.MLP(5, 3, in_units=4)
    with pytest.raises(ValueError, match=rf"device must be one of .*cpu.*got '{name}'"):
        ub.to_device(net, name)
    assert run(net, normal(2, 4)).shape == (2, 3)


def test_a_keras_model_without_a_configuration_cannot_be_moved(backend_name):
    if backend_name != "tensorflow":
        pytest.skip(f"{backend_name} moves any model in place")
    import keras

    class Bare(keras.Model):
        def __init__(self, required, *rest):
            super().__init__()
            self.dense = keras.layers.Dense(3)

        def call(self, X):
            return self.dense(X)

    net = Bare(1, 2)
    net(normal(2, 4))
    with pytest.raises(ub.UnsupportedError, match=r"got a Bare without one: define get_config"):
        ub.to_device(net, "cpu")
