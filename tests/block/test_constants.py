"""Constants: state that nobody trains."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.portable import Nested, made

X = normal(3, 6)


def test_a_constant_is_assigned_once(backend_name):
    class Again(ub.Block):
        def __init__(self):
            super().__init__()
            self.scale = ub.Constant(1.0)
            self.scale = ub.Constant(2.0)

        def forward(self, X):
            return X

    with pytest.raises(AttributeError, match="assigned once; got another for scale"):
        Again()


def test_constants_are_state_and_not_parameters(backend_name):
    net = made("Random")
    roles = {v.name: v.role for v in ub.backend_of(net).variables(net)}
    constants = {"uniform", "normal", "given"}
    assert {name for name, role in roles.items() if role == "constant"} == constants
    _, gradients = ub.value_and_grad(net, X, loss="sum")
    assert not constants & gradients.keys()
    before = ub.state(net)
    ub.fit(net, X, normal(3, 6), loss="mse", optimizer=ub.SGD(0.5), epochs=3, progress=False)
    after = ub.state(net)
    for name in before:
        assert np.array_equal(before[name], after[name]) == (name in constants), name


def test_only_random_constants_are_drawn_anew(backend_name):
    net = made("Random")
    first = ub.state(net)
    again = ub.state(ub.initialize(net, 2))
    assert (again["given"] == first["given"]).all()
    for name in ("uniform", "normal"):
        assert (again[name] != first[name]).any()
    assert (again["uniform"] >= 0).all()
    assert (again["normal"] < 0).any() or (first["normal"] < 0).any()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ub.Constant(), TypeError, "a value or a shape; got neither"),
        (lambda: ub.Constant(1.0, shape=(2,)), TypeError, "a value or a shape; got both"),
        (lambda: ub.Constant(shape=(2,), initializer="no"), ValueError, "initializer must be one"),
    ],
)
def test_wrong_constants(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_constant_in_a_list_is_an_error(backend_name):
    with pytest.raises(TypeError, match=r"an attribute of its own; got it as extra\.0"):
        Nested(6).extra = [ub.Constant(1.0)]
