"""How a portable block is called: by position or by name, with tensors of its framework."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.portable import Residual
from unified_blocks import ops

X, M = normal(3, 6), normal(3, 6, seed=1)


class Masked(ub.Block):
    def __init__(self):
        super().__init__()
        self.dense = ub.Dense(6, in_units=6)

    def forward(self, X, shift=None, mask=None):
        Y = self.dense(X)
        if shift is not None:
            Y = Y + shift
        return Y if mask is None else Y * mask


class Plain(ub.Block):
    def forward(self, X, *, Y):
        return ops.relu(X) + Y


CALLS = {
    "one": (lambda net, x, m: net(X=x), lambda net, x, m: net(x)),
    "last": (lambda net, x, m: net(x, mask=m), lambda net, x, m: net(x, None, m)),
    "middle": (lambda net, x, m: net(x, shift=m), lambda net, x, m: net(x, m)),
    "all": (lambda net, x, m: net(mask=m, shift=x, X=x), lambda net, x, m: net(x, x, m)),
}


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("how", CALLS)
def test_inputs_by_name_are_inputs_by_position(backend_name, how, compiled):
    net, (x, m) = Masked(), (ub.from_numpy(X), ub.from_numpy(M))
    by_name, by_position = CALLS[how]
    expected = ub.to_numpy(by_position(net, x, m))
    if compiled and backend_name == "mxnet":
        net.hybridize()
        np.testing.assert_allclose(ub.to_numpy(by_position(net, x, m)), expected, rtol=1e-6)
    found = ub.to_numpy(by_name(net, x, m))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert (found != ub.to_numpy(net.dense(x))).any() == (how != "one")


def test_a_hand_written_version_takes_the_names_of_the_portable_one(backend_name):
    if backend_name == "torch":
        pytest.skip("a hand-written forward has its own signature")
    net = ub.build(ub.MLP(5, 3), X.shape)
    x = ub.from_numpy(X)
    np.testing.assert_array_equal(ub.to_numpy(net(X=x)), ub.to_numpy(net(x)))


def test_a_name_that_the_forward_does_not_have(backend_name):
    with pytest.raises(TypeError, match="Z"):
        Residual(6)(ub.from_numpy(X), Z=ub.from_numpy(X))


def test_a_name_that_only_mxnet_cannot_take_is_an_error_there(backend_name):
    net, x = Plain(), ub.from_numpy(X)
    if backend_name == "mxnet":
        with pytest.raises(TypeError, match=r"Plain on MXNet: .*by position too; got Y"):
            net(x, Y=x)
    else:
        np.testing.assert_allclose(ub.to_numpy(net(x, Y=x)), np.maximum(X, 0) + X)


@pytest.mark.parametrize("cls", [Masked, Residual])
def test_a_tensor_of_another_framework_given_by_name_is_an_error(backend_name, cls):
    net = cls(6) if cls is Residual else cls()
    for other in ub.available_backends():
        if other != backend_name:
            titles = [ub.get_backend(name).title for name in (backend_name, other)]
            message = r"on {} must be given tensors of .*; got a tensor of {}".format(*titles)
            with pytest.raises(ub.ForeignTensorError, match=message):
                net(X=ub.from_numpy(X, other))


def test_an_operation_alone_takes_no_foreign_tensor_by_name_either(backend_name):
    class Alone(ub.Block):
        def forward(self, X):
            return ops.relu(X)

    for other in ub.available_backends():
        if other != backend_name:
            with pytest.raises(ub.ForeignTensorError):
                Alone()(X=ub.from_numpy(X, other))
