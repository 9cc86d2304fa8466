"""Numbers that differ, and what one model alone holds beside them makes up for it."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import HERE, normal
from testbed.comparing import built, calls, pairs
from testbed.made_up import KINDS, Unseen, unseen
from testbed.mutants.checks import numbered

x = normal(9, 6, dtype="float64")
INDUCTOR = "ignore:.*torch.jit.*:DeprecationWarning"  # PyTorch's compiler uses what it deprecated


def made(kind, first, second):
    one, other, numbers = KINDS[kind]
    a = numbered(built(one, x, on=first))
    return a, numbers(a, built(other, x, on=second))


kinds = pytest.mark.parametrize("kind", KINDS)


@pairs
@kinds
def test_it_is_the_same(first, second, kind):
    models = made(kind, first, second)
    for a, b in (models, models[::-1]):
        found = ub.compare(a, b, x)
        assert found, str(found)
        assert all(row.ok for row in found.rows)
        assert "makes up" in str(found)
        assert "out" in calls(found)


@pytest.mark.filterwarnings(INDUCTOR)
@kinds
def test_a_graph_is_the_same(backend_name, kind):
    found = ub.compare(*made(kind, backend_name, backend_name), x, mode="compiled")
    assert found, str(found)


@kinds
@pytest.mark.parametrize("name", ["dense.weight", "out.bias"])
def test_a_mistake_is_found_all_the_same(backend_name, kind, name):
    a, b = made(kind, backend_name, backend_name)
    numbers = ub.state(b)
    numbers[name].flat[0] += 0.5
    found = ub.compare(a, ub.load_state(b, numbers), x)
    assert not found
    if kind == "a norm" or name == "dense.weight":
        assert found.first_difference.name == name, str(found)


@kinds
@pytest.mark.parametrize("mode", ["parameters", "gradient"])
def test_who_asks_for_numbers_and_their_gradients_is_told(backend_name, kind, mode):
    assert not ub.compare(*made(kind, backend_name, backend_name), x, mode=mode)


def test_what_these_inputs_do_not_show_stays_a_difference(backend_name):
    X = np.abs(x)
    a, b = (built(lambda bias=bias: Unseen(bias), X) for bias in (True, False))
    found = ub.compare(a, unseen(numbered(a), b), X)
    assert found.first_difference.name == "dense.weight", str(found)


@pytest.mark.skipif(not {"torch", "tensorflow"} <= set(HERE), reason="it needs both")
@pytest.mark.filterwarnings("ignore:.*weight_norm.*deprecated")
@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize("mode", ["forward", "gradient"])
def test_by_order_a_weight_norm_is_its_folded_weight(old, mode):
    import keras
    import torch
    from torch.nn.utils import parametrizations, weight_norm

    wrap = weight_norm if old else parametrizations.weight_norm
    a = torch.nn.Sequential(wrap(torch.nn.Linear(6, 5)), torch.nn.ReLU(), torch.nn.Linear(5, 3))
    numbered(a)
    b = keras.Sequential([keras.Input((6,))])
    for layer in (keras.layers.Dense(5), keras.layers.ReLU(), keras.layers.Dense(3)):
        b.add(layer)
    ub.transfer(a, b, match="order")
    for first, second in ((a, b), (b, a)):
        found = ub.compare(first, second, x, match="order", mode=mode)
        assert found, str(found)
    b.layers[0].kernel.assign(b.layers[0].kernel * 1.01)
    assert not ub.compare(a, b, x, match="order", mode=mode)
