"""How often numbers are copied on their way."""

import pytest

import unified_blocks as ub
from testbed.common import BACKENDS
from testbed.memory import allocated

WIDTH, LAYERS = 512, 4
LAYER = 4 * WIDTH * WIDTH
"""Bytes of one array: more than Python's own objects take here."""
COPIES = {"tensorflow": 1}
"""The arrays that a framework makes of one from NumPy, one at a time, before it takes it."""


def model(backend_name):
    Dense = ub.Dense.on(backend_name)
    layers = [Dense(WIDTH, in_units=WIDTH, use_bias=False) for _ in range(LAYERS)]
    return ub.MySequential.on(backend_name)(*layers)


def test_a_state_is_copied_once(backend_name):
    net = model(backend_name)
    arrays, state = allocated(LAYER, lambda: ub.state(net))
    assert arrays == LAYERS
    assert all(array.flags.owndata and array.flags.writeable for array in state.values())


@pytest.mark.parametrize("writeable", [True, False])
def test_a_state_is_loaded_from_where_it_is(backend_name, writeable):
    net, state = model(backend_name), ub.state(model(backend_name))
    for array in state.values():
        array.flags.writeable = writeable
    arrays, _ = allocated(LAYER, lambda: ub.load_state(net, state))
    assert arrays == COPIES.get(backend_name, 0)
    assert ub.diff_state(net, state).equal


@pytest.mark.parametrize("other", BACKENDS)
@pytest.mark.parametrize("how", ["transfer", "convert"])
def test_numbers_go_from_model_to_model_without_a_state_between(backend_name, other, how):
    if other not in ub.available_backends():
        pytest.skip(f"there is no {other} here")
    source, target = model(backend_name), model(other)
    calls = {
        "transfer": lambda: ub.transfer(source, target),
        "convert": lambda: ub.convert(source, other),
    }
    arrays, made = allocated(LAYER, calls[how])
    assert arrays == COPIES.get(other, 0)
    assert ub.diff_state(source, made).equal


def test_the_check_sees_a_copy(backend_name):
    net = model(backend_name)
    arrays, _ = allocated(LAYER, lambda: {name: array + 1 for name, array in ub.state(net).items()})
    assert arrays >= LAYERS + 1
