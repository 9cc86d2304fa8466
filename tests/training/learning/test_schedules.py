"""Schedules: each is its formula, counted in updates or in epochs."""

import numpy as np
import pytest

import unified_blocks as ub
from unified_blocks.training.learning.schedules import rates, schedule_meant

T = np.arange(25)


def factors(schedule):
    return [schedule(t) for t in T.tolist()]


@pytest.mark.parametrize(("every", "gamma"), [(1, 0.5), (7, 0.1), (30, 0.9), (2, 1.0)])
def test_steps(every, gamma):
    found = factors(ub.StepDecay(every, gamma))
    np.testing.assert_allclose(found, gamma ** np.floor(T / every), rtol=1e-15)


@pytest.mark.parametrize(("steps", "floor"), [(1, 0.0), (10, 0.0), (10, 0.25), (24, 0.5)])
def test_half_a_cosine(steps, floor):
    share = (1 + np.cos(np.pi * np.minimum(T / steps, 1))) / 2
    found = factors(ub.CosineDecay(steps, floor))
    np.testing.assert_allclose(found, floor + (1 - floor) * share, rtol=1e-15, atol=1e-16)
    assert found[0] == 1
    assert found[steps] == floor


@pytest.mark.parametrize("steps", [1, 5, 24])
def test_warming_up(steps):
    wanted = np.where(steps > T, (T + 1) / steps, 1.0)
    np.testing.assert_array_equal(factors(ub.WarmUp(steps)), wanted)


@pytest.mark.parametrize("then", [ub.CosineDecay(10), ub.StepDecay(3), lambda t: 1 / (t + 1)])
def test_what_comes_after_warming_up_begins_at_its_own_0(then):
    found = factors(ub.WarmUp(5, then=then))
    assert found[:5] == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert found[5:] == [then(t) for t in range(20)]


def test_epochs_are_so_many_updates():
    assert ub.StepDecay(2, unit="epoch").in_steps(7) == ub.StepDecay(14)
    assert ub.CosineDecay(10, 0.1, unit="epoch").in_steps(3) == ub.CosineDecay(30, 0.1)
    both = ub.WarmUp(1, then=ub.StepDecay(2, unit="epoch"), unit="epoch")
    assert both.in_steps(4) == ub.WarmUp(4, then=ub.StepDecay(8))
    assert ub.WarmUp(3, then=ub.StepDecay(2, unit="epoch")).in_steps(4) == ub.WarmUp(
        3, then=ub.StepDecay(8)
    )
    assert ub.WarmUp(0.5, unit="epoch").in_steps(5).steps == 2
    assert ub.CosineDecay(9).in_steps(3) == ub.CosineDecay(9)


def test_epochs_of_unknown_length():
    schedule = ub.StepDecay(2, unit="epoch")
    with pytest.raises(ValueError, match="unit must be 'step' for a factor to be known"):
        schedule(0)
    with pytest.raises(ValueError, match="to count in epochs, their length must be known"):
        schedule_meant(schedule, None)
    with pytest.raises(ValueError, match="their length must be known"):
        schedule_meant(ub.WarmUp(2, then=schedule), None)
    assert schedule_meant(schedule, 3) == ub.StepDecay(6)
    assert schedule_meant(ub.StepDecay(2), None) == ub.StepDecay(2)
    assert schedule_meant(abs, None) is abs
    assert schedule_meant(None, None) is None
    with pytest.raises(TypeError, match=r"schedule must be a function.*got 0.5"):
        schedule_meant(0.5, 3)


def test_rates_are_rounded_once():
    schedule, rate = ub.CosineDecay(10, 0.1), 0.1
    found = rates(schedule, rate, 3, 5)
    assert found.dtype == "float32"
    np.testing.assert_array_equal(found, np.float32([rate * schedule(t) for t in range(3, 8)]))
    assert rates(schedule, rate, 3, 0).shape == (0,)
    assert rates(ub.CosineDecay(4), rate, 4, 1) == [0]


@pytest.mark.parametrize("factor", [-0.5, float("nan"), float("inf")])
def test_a_factor_that_is_none(factor):
    with pytest.raises(ValueError, match=f"a number from 0; got {factor} at update 2"):
        rates(lambda t: factor if t == 2 else 1.0, 0.1, 0, 4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ub.StepDecay(0), "StepDecay: every must be above 0; got every=0"),
        (lambda: ub.StepDecay(1, gamma=0), r"gamma must be in \(0, 1\]"),
        (lambda: ub.StepDecay(1, gamma=1.5), r"gamma must be in \(0, 1\]"),
        (lambda: ub.StepDecay(1, unit="day"), "unit must be 'step' or 'epoch'; got unit='day'"),
        (lambda: ub.CosineDecay(0), "CosineDecay: steps must be above 0"),
        (lambda: ub.CosineDecay(1, floor=-1), r"floor must be in \[0, 1\]"),
        (lambda: ub.WarmUp(0), "WarmUp: steps must be above 0"),
        (lambda: ub.WarmUp(2.5), "steps must be a whole number of updates; got steps=2.5"),
        (lambda: ub.WarmUp(2, then=0.5), "then must be a schedule or a function; got then=0.5"),
    ],
)
def test_numbers_outside_their_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()
