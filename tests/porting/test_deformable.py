"""Convolutions that see points between pixels, of a live net: equal to MXNet, and well written."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.ported import complaints
from testbed.ports import TARGETS, target

if "mxnet" not in ub.available_backends():
    pytest.skip("mxnet is not installed", allow_module_level=True)

from unified_blocks_mxnet.compat import mx


class Net(mx.gluon.HybridBlock):
    """Two of MXNet's own blocks: with groups of points and a bias, and without."""

    def __init__(self):
        super().__init__()
        kind = mx.gluon.contrib.cnn.ModulatedDeformableConvolution
        with self.name_scope():
            self.first = kind(6, kernel_size=3, padding=1, in_channels=4, num_deformable_group=2)
            self.last = kind(*(5, (3, 2)), strides=2, padding=(1, 0), in_channels=6, use_bias=False)

    def hybrid_forward(self, F, x):
        return self.last(F.relu(self.first(x)))


@pytest.fixture(scope="module")
def net():
    made = Net()
    made.initialize()
    for parameter in made.collect_params().values():  # the blocks begin without moving a point
        parameter.initialize(mx.init.Uniform(0.3), force_reinit=True)
    return made


def test_it_is_ported(net, backend_name):
    x = np.random.default_rng(0).normal(size=(2, 4, 9, 8)).astype("float32")
    if backend_name not in TARGETS:
        with pytest.raises(ub.UnsupportedError, match=r"Deformable(.|\n)*torch or tensorflow"):
            ub.port(net, target(backend_name), example=x)
        return
    port = ub.port(net, target(backend_name), example=x)
    port.proof.raise_if_wrong()
    assert port.proof.error < 1e-12
    assert any("on a GPU only" in note for note in port.prove(gradients=True).notes)
    pytest.importorskip("ruff")
    assert complaints(port.source) == ""
