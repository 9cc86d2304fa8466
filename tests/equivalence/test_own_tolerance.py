"""`ub.compare(rtol=…, atol=…)`: a tolerance of the user's own in place of the policy."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.causes import X
from testbed.comparing import Twice, built
from unified_blocks.reference.policy import deviation, own_tolerance

MODES = ("forward", "train", "gradient", "training")


def shifted(by):
    """Two models, the bias of the second one moved by `by`."""
    a, b = built(Twice), built(Twice)
    numbers = ub.state(b)
    numbers["dense.bias"][0] += by
    ub.load_state(b, numbers)
    return a, b


@pytest.mark.parametrize("mode", MODES)
def test_a_wider_one_lets_more_pass(backend_name, mode):
    a, b = shifted(1e-3)
    assert not ub.compare(a, b, X, mode=mode)
    assert ub.compare(a, b, X, mode=mode, rtol=0.5, atol=0.5)
    ub.assert_equivalent(a, b, X, mode=mode, rtol=0.5, atol=0.5)
    assert not ub.compare(a, b, X, mode=mode, atol=1e-4)


@pytest.mark.parametrize("mode", MODES)
def test_a_narrower_one_lets_less_pass(backend_name, mode):
    a, b = shifted(1e-12)
    assert ub.compare(a, b, X, mode=mode)
    found = ub.compare(a, b, X, mode=mode, atol=1e-13)
    assert found.first_difference.name == "dense.bias"
    with pytest.raises(ub.NotEquivalentError):
        ub.assert_equivalent(a, b, X, mode=mode, rtol=1e-13)


def test_it_holds_for_that_comparison_only(backend_name):
    a, b = shifted(1e-3)
    assert ub.compare(a, b, X, atol=1.0)
    assert not ub.compare(a, b, X)


def test_it_is_of_each_element_and_what_is_left_out_is_0():
    expected = np.array([1000.0, 1.0], "float32")
    for actual, rtol, atol, ok in (
        ([1009.0, 1.0], 1e-2, None, True),
        ([1000.0, 1.02], 1e-2, None, False),
        ([1000.0, 1.02], None, 0.03, True),
        ([1000.1, 1.0], None, 0.03, False),
        ([1000.1, 1.02], 1e-3, 0.03, True),
    ):
        with own_tolerance(rtol, atol):
            assert deviation(np.array(actual, "float32"), expected, "float32").ok is ok
            assert deviation(np.array(actual, "float32"), expected, "float32", "trained").ok is ok
            assert not deviation(np.array(actual, "float32"), expected, "float32", "copied").ok


@pytest.mark.parametrize("value", [-1e-3, float("nan"), float("inf"), "1e-3", True])
@pytest.mark.parametrize("name", ["rtol", "atol"])
def test_one_that_is_no_tolerance_is_refused(backend_name, name, value):
    a, b = shifted(0)
    with pytest.raises(ValueError, match=f"{name} must be a finite number from 0; got {name}="):
        ub.compare(a, b, X, **{name: value})
