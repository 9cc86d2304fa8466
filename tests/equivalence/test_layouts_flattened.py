"""`ub.compare` of a dense layer after an image that each model flattens in its own order."""

import pytest

import unified_blocks as ub
from testbed.common import HERE
from testbed.images import MAKE, X, keras_net, last, layouts_of, refolded, started

FIRST = [name for name in MAKE if name in HERE]
pytestmark = pytest.mark.skipif("tensorflow" not in HERE or not FIRST, reason="it needs both")
native = pytest.mark.parametrize("first", FIRST)
IMAGE = (8, 6, 4)
"""What is flattened."""
NAMED = {"layouts": ("NCHW", "NHWC")}
BACK = {"layouts": ("NHWC", "NCHW")}
SAME = "the same, flattened in another order"


def models(first, epsilon=1e-5, norm=True):
    """A network, and a port whose weight is in the order of Keras' flattening."""
    a = started(MAKE[first](norm=norm), X)
    port = keras_net(before=None, epsilon=epsilon, norm=norm)
    return a, refolded(ub.transfer(a, started(port, last(X))), IMAGE)


@native
@pytest.mark.parametrize("mode", ["forward", "gradient", "compiled"])
def test_a_weight_in_the_order_of_its_own_flattening_is_the_same(first, mode):
    a, b = models(first)
    for found in (
        ub.compare(a, b, X, mode=mode, **NAMED),
        ub.compare(b, a, last(X), mode=mode, **BACK),
    ):
        assert found, str(found)
        assert layouts_of(found)["fc.weight"] == SAME


@native
@pytest.mark.parametrize("mode", ["train", "training"])
def test_it_trains_to_the_same_numbers(first, mode):
    a, b = models(first, norm=False)
    found = ub.compare(a, b, X, mode=mode, **NAMED)
    assert found, str(found)


@native
def test_a_mistake_before_it_is_found_all_the_same(first):
    a, b = models(first, epsilon=1e-3)
    for found in (ub.compare(a, b, X, **NAMED), ub.compare(b, a, last(X), **BACK)):
        assert (found.first_difference.name, found.cause) == ("bn", "epsilon"), str(found)


@native
def test_without_the_flattening_that_it_is_for_it_is_a_difference(first):
    a = started(MAKE[first](), X)
    b = refolded(ub.transfer(a, started(keras_net(), last(X))), IMAGE)
    for found in (ub.compare(a, b, X, **NAMED), ub.compare(b, a, last(X), **BACK)):
        assert found.first_difference.name == "fc.weight", str(found)
        assert found.cause == "flatten_order"


@native
def test_one_for_images_of_another_shape_is_a_difference(first):
    a = started(MAKE[first](), X)
    port = ub.transfer(a, started(keras_net(before=None), last(X)))
    found = ub.compare(a, refolded(port, (4, 8, 6)), X, **NAMED)
    assert not found
    assert found.first_difference.name in ("flat", "fc", "fc.weight"), str(found)
