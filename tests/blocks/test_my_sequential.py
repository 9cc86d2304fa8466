"""`MySequential`: a container that is native on each framework."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import layer, normal, run


def test_it_is_a_container(backend_name):
    a, b, c = ub.Dense(3), ub.ReLU(), ub.Dense(4)
    net = ub.MySequential(a, b)
    assert net.add(c) is net
    assert len(net) == 3
    assert list(net) == [a, b, c]
    assert net[0] is a
    assert net[-1] is c
    part = net[1:]
    assert type(part) is type(net)
    assert list(part) == [b, c]
    with pytest.raises(IndexError):
        net[3]


def test_it_runs_its_blocks_in_the_order_added(backend_name):
    net = ub.MySequential().add(ub.Dense(3)).add(ub.ReLU())
    x = normal(2, 5)
    first = net[0]
    np.testing.assert_array_equal(run(net, x), np.maximum(run(first, x), 0))


def test_without_blocks_it_is_the_identity(backend_name):
    x = normal(2, 5)
    np.testing.assert_array_equal(run(ub.MySequential(), x), x)
    assert ub.state(ub.MySequential()) == {}


def test_children_may_be_native_layers(backend_name):
    net = ub.build(
        ub.MySequential(layer(backend_name, 6), ub.ReLU(), layer(backend_name, 3)), (2, 4)
    )
    assert {name: array.shape for name, array in ub.state(net).items()} == {
        "0.weight": (6, 4),
        "0.bias": (6,),
        "2.weight": (3, 6),
        "2.bias": (3,),
    }
    assert run(net, normal(2, 4)).shape == (2, 3)


def test_a_block_used_twice_runs_twice_and_is_stored_once(backend_name):
    shared = ub.Dense(5, activation="tanh")
    net = ub.build(ub.MySequential(shared, shared), (2, 5))
    assert list(ub.state(net)) == ["0.weight", "0.bias"]
    x = normal(2, 5)
    np.testing.assert_array_equal(run(net, x), run(shared, run(shared, x)))


@pytest.mark.parametrize("child", [3, "Dense", np.zeros(2), None])
def test_a_child_that_is_no_layer(backend_name, child):
    with pytest.raises(TypeError):
        ub.MySequential(child)


def test_a_child_of_another_framework(backend_name):
    for other in ub.available_backends():
        if other != backend_name:
            with pytest.raises(TypeError):
                ub.MySequential(ub.ReLU.on(other)())


def test_add_after_the_first_call(backend_name):
    net = ub.build(ub.MySequential(ub.Dense(3)), (2, 5))
    if backend_name == "tensorflow":
        with pytest.raises(ub.BlockBuiltError, match="add blocks before the first call"):
            net.add(ub.Dense(4))
        net = ub.MySequential(*net, ub.Dense(4))  # the remedy that it names
    else:
        net.add(ub.Dense(4))
    assert run(net, normal(2, 5)).shape == (2, 4)


def test_repr_shows_the_children(backend_name):
    shown = repr(ub.MySequential(ub.Dense(3), ub.MySequential(ub.ReLU())))
    assert shown.startswith(("MySequential", "<MySequential"))
    if backend_name != "tensorflow":  # Keras shows a model by its name
        assert "Dense" in shown
        assert "ReLU" in shown or "relu" in shown


class Pair(ub.MySequential):
    """A subclass that makes its blocks itself."""

    def __init__(self, width):
        super().__init__(ub.Dense(width), ub.Dense(2))


def test_a_subclass_with_a_constructor_of_its_own(backend_name):
    import copy

    net = ub.build(Pair(5), (2, 4))
    x = normal(2, 4)
    for copied in (
        copy.deepcopy(net),
        ub.to_device(net, "cpu"),
        ub.load_state(Pair(5), ub.state(net)),
    ):
        assert type(copied) is type(net)
        np.testing.assert_array_equal(run(copied, x), run(net, x))
    first = net[:1]
    assert type(first) is ub.MySequential.on(backend_name)
    assert list(first) == [net[0]]


def test_a_layer_that_is_an_attribute_is_no_link_of_the_chain(backend_name):
    net = ub.MySequential(ub.Dense(3))
    net.head = ub.Dense(2, in_units=3)
    assert len(net) == 1
    assert run(net, normal(2, 4)).shape == (2, 3)
    assert list(ub.state(net)) == ["0.weight", "0.bias", "head.weight", "head.bias"]


def test_a_block_added_after_one_was_deleted_takes_no_other_s_place(backend_name):
    net = ub.MySequential(ub.ReLU(), ub.Dense(3, in_units=4), ub.ReLU())
    if backend_name == "tensorflow":
        del net.blocks[0]
    else:
        del getattr(net, "_modules" if backend_name == "torch" else "_children")["0"]
    last = ub.Dense(5, in_units=3)
    net.add(last)
    assert len(net) == 3
    assert net[-1] is last
    assert run(net, normal(2, 4)).shape == (2, 5)
